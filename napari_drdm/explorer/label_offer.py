"""An image that looks like a label map is offered as labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer

from napari_drdm.layers.geometry import placement
from napari_drdm.layers.label_guess import as_labels, looks_like_labels

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_drdm.explorer.form import ExplorerForm

__all__ = ["LabelOffer"]


class LabelOffer(QObject):
    """Looks at the image that is chosen, and turns it into labels if the user wants that.

    Args:
        viewer: whose image layer is replaced by a labels layer.
        form: whose image is looked at, and where the offer stands.
    """

    def __init__(self, viewer: ViewerModel, form: ExplorerForm) -> None:
        super().__init__(form)
        self._viewer, self._sources = viewer, form.sources
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.look)
        form.sources.image.chosen.connect(lambda _: self._timer.start(0))
        form.sources.convert_asked.connect(self.convert)

    def look(self) -> None:
        """Offer the chosen image as labels, or offer nothing."""
        image = self._sources.image.value()
        self._sources.offer_conversion(image is not None and _looks_so(image))

    def convert(self) -> None:
        """Put a labels layer in the place of the chosen image."""
        image = self._sources.image.value()
        layers = self._viewer.layers
        if image is None or image not in layers:
            return
        labels = Labels(
            as_labels(np.asarray(image.data)),
            name=image.name,
            opacity=0.4,
            metadata=_with_path(image),
            **placement(image, image.ndim),
        )
        place = layers.index(image)
        layers.remove(image)
        layers.insert(place, labels)


def _looks_so(image: Image) -> bool:
    return not (image.rgb or image.multiscale) and looks_like_labels(image.data)


def _with_path(image: Image) -> dict[str, Any]:
    """The image's metadata, with the file that it came from."""
    path = image.source.path
    known = image.metadata.get("drdm", {})
    return {**image.metadata, "drdm": {**({"path": str(path)} if path else {}), **known}}
