"""Results as a panel lists them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_drdm.layers.units import unit_of
from napari_drdm.variants.pinned import several_images
from napari_drdm.variants.thumbnails import Framing, frame_case, thumbnail
from src_core.errors import DRDMError
from src_core.models.checkpoint import read_spec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_drdm.runs.requests import RunOutcome
    from napari_drdm.variants.history import Variant

__all__ = ["Thumbnails", "VariantEntry", "entries_of"]

_LONG = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")


@dataclass(frozen=True, eq=False)
class VariantEntry:
    """One result in the row.

    Attributes:
        number: that identifies it.
        name: below its thumbnail.
        tip: what it is.
        picture: (side, side, 3), uint8.
        pinned: it is kept.
        standing: its layer is in the viewer.
        image: the name of its image where there are results of several, else empty.
    """

    number: int
    name: str
    tip: str
    picture: NDArray[np.uint8]
    pinned: bool = False
    standing: bool = False
    image: str = ""


class Thumbnails:
    """Thumbnails of results; those of one source and labels show one slice in one window."""

    def __init__(self) -> None:
        self._framings: dict[tuple[Any, Any], Framing] = {}

    def of(self, outcome: RunOutcome) -> NDArray[np.uint8]:
        """The thumbnail of a result, (side, side, 3)."""
        source, labels = outcome.request.source, outcome.request.labels
        if (source, labels) not in self._framings:
            low, high = map(float, source.contrast_limits)
            case = outcome.result.source
            self._framings[source, labels] = frame_case(case, (low, high), tuple(source.scale))
        colours = None if labels is None else labels.colormap.map
        return thumbnail(outcome.result.case, self._framings[source, labels], colours)

    def forget(self, source: Any) -> None:
        """A layer was removed."""
        kept = self._framings.items()
        self._framings = {pair: framing for pair, framing in kept if source not in pair}


def entries_of(variants: Iterable[Variant]) -> list[VariantEntry]:
    """Results with their thumbnails and what they are in words."""
    kept = tuple(variants)
    several = several_images(kept)
    return [_entry(variant, several) for variant in kept]


def _entry(variant: Variant, several: bool) -> VariantEntry:
    return VariantEntry(
        variant.number,
        variant.name,
        _describe(variant),
        variant.picture,
        variant.pinned,
        bool(variant.layers),
        variant.inputs.source.name if several else "",
    )


def _describe(variant: Variant) -> str:
    """What a result is, in three lines."""
    metrics, inputs = variant.metrics, variant.inputs
    lines = [
        f"{variant.name}: level {inputs.options.level}, seed {inputs.options.seed}, "
        f"{metrics.get('steps')} steps{_slices(variant)}",
        f"{inputs.source.name}, by {metrics.get('model')}",
    ]
    if inputs.options.targets:
        lines.append("targets: " + "; ".join(_rounded(t.words) for t in inputs.options.targets))
    if "max_mm" in metrics:
        unit = unit_of(inputs.source).name
        lines.append(f"at most {metrics['max_mm']:.1f} {unit}, {metrics['max_percent']:.1f} %")
    if variant.outcome is None:
        lines.append("no longer stored: click to compute it again")
    return "\n".join(lines)


def _slices(variant: Variant) -> str:
    """How the slices of a stack were deformed; nothing of a single slice or a 3D model."""
    if variant.inputs.source.ndim < 3 or _is_volume_model(variant.inputs.model):
        return ""
    each = variant.inputs.options.slices == "each"
    return f", slices {'one deformation each' if each else 'one for all'}"


@lru_cache(maxsize=64)
def _is_volume_model(path: Path) -> bool:
    """Whether a model is 3D; not known of one that is not installed."""
    try:
        return read_spec(path).ndim == 3
    except DRDMError:
        return False


def _rounded(words: str) -> str:
    """The numbers of a text with two decimals at most."""
    return _LONG.sub(lambda found: f"{round(float(found[0]), 2) + 0.0:g}", words)
