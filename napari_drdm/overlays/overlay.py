"""What an overlay is: one row of the table in ``kinds``, and what its builder returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from napari.layers import Image, Labels, Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_drdm.overlays.style import DrawingStyle
    from napari_drdm.overlays.view import View
    from napari_drdm.runs.moments import Moment

__all__ = [
    "BLENDING",
    "LayerContent",
    "Need",
    "Overlay",
    "available",
    "set_content",
    "source_layers",
]

#: How overlays blend: in 3D a volume's front would hide what lies inside it.
BLENDING = "translucent_no_depth"

#: What of a moment an overlay shows, or is computed from.
Need = Literal["images", "labels", "source labels", "displacement", "jacobian"]

_FIELDS: frozenset[Need] = frozenset({"displacement", "jacobian"})


@dataclass(frozen=True, eq=False)
class LayerContent:
    """What a layer of an overlay shows.

    Attributes:
        data: the layer's data, in the axes of the source layer (or its spatial axes alone).
        fixed: arguments of the layer type that a new layer takes.
        varying: arguments that follow the data: a new layer takes them, an update sets them.
        metadata: joins the layer's ``metadata["drdm"]``.
    """

    data: NDArray[Any]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    varying: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


#: Gives the content of layer ``index`` of an overlay (0 but for several images or label maps).
Builder: TypeAlias = "Callable[[Moment, int, View, DrawingStyle], LayerContent]"
#: Gives a layer new content in place; False where it needs a new layer instead.
Update: TypeAlias = "Callable[[Any, LayerContent, Moment], bool]"


def set_content(layer: Any, content: LayerContent, moment: Moment) -> bool:
    """Set the data, then what varies with it; shape or number of axes has to stay the same."""
    if not _fits(layer, content.data):
        return False
    layer.data = content.data
    for name, value in content.varying.items():
        if not (np.isscalar(value) and getattr(layer, name) == value):
            setattr(layer, name, value)
    return True


@dataclass(frozen=True)
class Overlay:
    """One kind of layer that shows a result.

    Attributes:
        name: of the kind; one word, in layer names and remembered settings.
        label: of its checkbox.
        tooltip: of its checkbox.
        needs: what of a moment it is built from; without it the layer is hidden.
        build: gives a layer's content.
        layer: napari layer type, or what makes such a layer.
        update: how a layer takes new content in place.
        place: (row, column) of its checkbox in the Show panel.
        controls: fields of ``DrawingStyle`` that it uses, as the panel shows them beside it.
        legend: what its colours mean; ``{limit}`` is the length at the end of the colour scale.
        ticked: shown until the user says otherwise.
        follows_view: built for what is on view, and again when that changes.
        spatial: has the spatial axes only, no time.
        shares_memory: its data is the moment's own array: the same memory needs no update.
    """

    name: str
    label: str
    tooltip: str
    needs: tuple[Need, ...]
    build: Builder
    layer: Callable[..., Layer]
    update: Update = set_content
    place: tuple[int, int] = (3, 0)
    controls: tuple[str, ...] = ()
    legend: str = ""
    ticked: bool = False
    follows_view: bool = False
    spatial: bool = True
    shares_memory: bool = False

    def __post_init__(self) -> None:
        if len(self.name.split()) != 1:
            raise ValueError(f"an overlay's name must be one word, got {self.name!r}")

    @property
    def needs_field(self) -> bool:
        """Whether the displacement has to be computed for it."""
        return not _FIELDS.isdisjoint(self.needs)


def available(overlay: Overlay, moment: Moment) -> int:
    """How many layers of an overlay a moment has the data for."""
    counts: dict[Need, int] = {
        "images": len(moment.images),
        "labels": len(moment.labels),
        "source labels": int(bool(moment.layer_case.case.labels)),
        "displacement": int(moment.displacement is not None),
        "jacobian": int(moment.jacobian is not None),
    }
    return min(counts[need] for need in overlay.needs)


def source_layers(overlay: Overlay, moment: Moment) -> list[Layer]:
    """The user's image or labels layers that an overlay follows, in the order of the case."""
    return moment.source_layers(Labels if "labels" in overlay.needs else Image)


def _fits(layer: Any, data: NDArray[Any]) -> bool:
    """Whether a layer can show data: voxels of its shape, or points and vectors of its axes."""
    if isinstance(layer, Image | Labels):
        return bool(layer.data.shape == data.shape)
    return bool(layer.ndim == data.shape[-1])
