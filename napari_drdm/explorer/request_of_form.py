"""The form as a request: which layers, which model, which options; and what is on offer."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Shapes

from napari_drdm.explorer.visible_part import region_of
from napari_drdm.layers.geometry import placement
from napari_drdm.layers.snapshots import (
    is_finished_result,
    labels_for,
    take_snapshot,
    voxel_shape,
)
from napari_drdm.runs.requests import RunRequest
from napari_drdm.widgets.start_panel import SAMPLE
from src_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.layers.cases import Snapshot
    from napari_drdm.variants import RunInputs
    from src_core.steering.kinds import Target

__all__ = ["FormReader"]

_SERIALS = count(1)


class FormReader:
    """Reads the form, and keeps its lists of layers up to date.

    Args:
        viewer: whose layers are offered.
        form: that is read.
        owned: whether a layer was made by the explorer; results among these are offered only
            where the form asks for them.
        targets: what is asked for.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        form: ExplorerForm,
        owned: Callable[[Layer], bool],
        targets: Callable[[], tuple[Target, ...]],
    ) -> None:
        self._viewer, self._form, self._owned = viewer, form, owned
        self._targets = targets
        self._auto_labels = True
        form.sources.labels.activated.connect(self._on_labels_picked)
        form.start.sample_asked.connect(partial(viewer.open_sample, *SAMPLE))

    def request(self) -> RunRequest:
        """What the form asks for.

        Raises:
            InputError: no image or model, they do not fit, or an option is not possible.
        """
        from src_core.generation import make_options

        form = self._form
        entry, snapshot = form.sources.model.value(), self.snapshot()
        if snapshot is None:
            raise self._no_image()
        if entry is None:
            raise InputError("there is no model yet", do="choose or import one first")
        options = make_options(
            entry.spec.schedule.levels,
            **form.values(),
            region=self.region(),
            targets=self._targets(),
        )
        image, labels = form.sources.image.value(), form.sources.labels.value()
        extras = self._extras(image, labels)
        device = str(form.more.device.currentData() or "auto")
        place = image, labels, extras, device, next(_SERIALS)
        return RunRequest(snapshot, entry.path, options, *place)

    def again(self, inputs: RunInputs) -> RunRequest:
        """The request that made a result, with its layers as they are now.

        Raises:
            InputError: they no longer go together.
        """
        layers = inputs.source, inputs.labels, inputs.extras
        device = str(self._form.more.device.currentData() or "auto")
        place = *layers, device, next(_SERIALS)
        return RunRequest(take_snapshot(*layers), inputs.model, inputs.options, *place)

    def place(self, request: RunRequest) -> None:
        """Set the form to the values of a request, without starting a run."""
        sources, chosen = self._form.sources, request.options
        sources.image.pick(request.source)
        sources.labels.pick(request.labels)
        for entry in sources.model.values():
            if entry.path == request.model:
                sources.model.pick(entry)
        self._form.options.place(chosen.level, chosen.seed, chosen.variety)
        self._form.more.place(chosen.model_dump())

    def snapshot(self) -> Snapshot | None:
        """The chosen layers; nothing is copied.

        Raises:
            InputError: they do not go together.
        """
        image, labels = self._form.sources.image.value(), self._form.sources.labels.value()
        if image is None:
            return None
        return take_snapshot(image, labels, self._extras(image, labels))

    def region(self) -> tuple[tuple[int, int], ...] | None:
        """The region of interest in voxels, None for all."""
        shapes, image = self._form.more.region.value(), self._form.sources.image.value()
        return None if shapes is None or image is None else region_of(shapes, image)

    def add_region(self) -> Shapes:
        """A shapes layer over the image, ready to draw a rectangle in.

        Raises:
            InputError: there is no image.
        """
        image = self._form.sources.image.value()
        if image is None:
            raise self._no_image()
        n = min(image.ndim, 3)
        shapes = Shapes(
            ndim=n,
            name=f"{image.name} | drdm region",
            face_color="#00000000",
            edge_color="#ffd24a",
            edge_width=max(voxel_shape(image)[-2:]) / 120,
            **placement(image, n),
        )
        self._viewer.add_layer(shapes)
        shapes.mode = "add_rectangle"
        return shapes

    def offer(self) -> None:
        """Offer the layers that there are now."""
        layers = self._sources()
        form = self._form
        form.sources.labels.offer([(x.name, x) for x in layers if isinstance(x, Labels)])
        form.sources.image.offer([(x.name, x) for x in layers if isinstance(x, Image)])
        form.more.region.offer([(x.name, x) for x in layers if isinstance(x, Shapes)])
        form.start.setVisible(form.sources.image.value() is None)
        if form.sources.labels.value() is None and self._auto_labels:
            self.suggest_labels()
        self.offer_extras()

    def offer_extras(self) -> None:
        """Offer the layers that lie on the image, besides itself and its labels."""
        sources = self._form.sources
        image = sources.image.value()
        chosen = (image, sources.labels.value())
        fits = [
            layer
            for layer in self._sources()
            if image is not None
            and (_is_grey(layer) or isinstance(layer, Labels))
            and not any(layer is one for one in chosen)
            and tuple(layer.data.shape) == voxel_shape(image)
        ]
        self._form.more.extras.offer([(layer.name, layer) for layer in fits])

    def suggest_labels(self) -> None:
        """Pick the labels that lie on the image, unless the user chose to have none."""
        image = self._form.sources.image.value()
        if image is not None and self._auto_labels:
            self._form.sources.labels.pick(labels_for(image, self._sources()))

    def _no_image(self) -> InputError:
        """Why there is nothing to deform, true of what is open."""
        kinds = {type(layer) for layer in self._viewer.layers}
        if Image in kinds:
            return InputError(
                "the images that are open are results",
                do="open their source again, or duplicate a result's layer to go on from it",
            )
        if Labels in kinds:
            return InputError("labels are open, but no image", do="open the image they belong to")
        return InputError("there is no image yet", do="open one first")

    def _extras(self, image: Any, labels: Any) -> tuple[Any, ...]:
        ticked = self._form.more.extras.values()
        return tuple(x for x in ticked if x is not image and x is not labels)

    def _sources(self) -> list[Layer]:
        results = self._form.more.offer_results.isChecked()
        return [
            layer
            for layer in self._viewer.layers
            if not self._owned(layer) or (results and is_finished_result(layer))
        ]

    def _on_labels_picked(self, index: int) -> None:
        self._auto_labels = self._form.sources.labels.value() is not None


def _is_grey(layer: Any) -> bool:
    return isinstance(layer, Image) and not layer.rgb
