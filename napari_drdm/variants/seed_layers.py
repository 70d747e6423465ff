"""The layers of nine seeds: one image and one label map, each a mosaic over its source.

In 2D the first tile covers the source, which is hidden by it. In 3D nothing is covered: the mosaic
stands beside the source there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer
from napari.utils.transforms import Affine

from napari_drdm.layers.geometry import placement
from napari_drdm.variants.captions import caption, write
from napari_drdm.variants.layers import metadata_of, passing_name
from napari_drdm.variants.mosaic import Mosaic

if TYPE_CHECKING:
    from napari.components import Dims
    from numpy.typing import NDArray

    from napari_drdm.runs.requests import RunRequest

__all__ = ["SeedLayers"]

#: Between two tiles, as a share of the longest side.
_GAP = 0.02


class SeedLayers:
    """Makes the layers of nine requests and fills their tiles.

    Attributes:
        image: the layer of the nine images.
        labels: that of their labels, or None.

    Args:
        requests: one for each tile.
        dims: of the viewer, whose rows and columns the tiles are laid out in.
        labels: whether labels are shown.
    """

    def __init__(self, requests: Sequence[RunRequest], dims: Dims, labels: bool) -> None:
        first = requests[0]
        self._request, self._names = first, [_caption(one) for one in requests]
        self._axes = _axes(dims, first.source)
        seeds = f"{self._names[0]} to {self._names[-1].split()[0]}"
        self.image = _image_layer(first.source, self._image_mosaic(), passing_name(seeds))
        self.labels: Labels | None = None
        if labels and first.labels is not None and first.snapshot.labels is not None:
            name = passing_name(f"{seeds} labels")
            self.labels = _labels_layer(first.labels, self._labels_mosaic(), name)
        self.place(dims)

    @property
    def layers(self) -> list[Layer]:
        """From the bottom up."""
        return [self.image] if self.labels is None else [self.image, self.labels]

    def fill(self, place: int, image: NDArray[Any], labels: NDArray[Any] | None) -> None:
        """Show what a seed has made of the image and its labels."""
        mosaic = _mosaic(self.image)
        if image.ndim > mosaic.ndim:  # in colour: tiles show how bright it is
            image = image[..., :3].mean(axis=-1).astype(mosaic.dtype)
        mosaic.tiles[place] = image
        _show(self.image)
        if self.labels is not None and labels is not None:
            _mosaic(self.labels).tiles[place] = labels
            _show(self.labels)

    def turn(self, dims: Dims) -> None:
        """Lay the tiles out in the rows and columns that are on view now."""
        axes = _axes(dims, self._request.source)
        if axes != self._axes:
            self._axes = axes
            makers = self._image_mosaic, self._labels_mosaic
            for layer, make in zip(self.layers, makers, strict=False):
                mosaic, layer.data = _mosaic(layer), make()
                _mosaic(layer).tiles.update(mosaic.tiles)
                _show(layer)
        self.place(dims)

    def place(self, dims: Dims) -> None:
        """Over the source in 2D, beside it in 3D."""
        for layer, source in zip(self.layers, (self._request.source, self._request.labels),
                                 strict=False):  # fmt: skip
            own = placement(source, layer.ndim)
            shift = np.zeros(layer.ndim)
            if dims.ndisplay == 3:
                shift[self._axes[0]] = -1.1 * layer.data.shape[self._axes[0]]
            linear = Affine(**{n: own[n] for n in ("scale", "rotate", "shear")}).linear_matrix
            layer.translate = own["translate"] + linear @ shift

    def place_at(self, position: Any) -> int | None:
        """The tile at a place in the viewer's world, None beside all of them."""
        layer, mosaic = self.image, _mosaic(self.image)
        at = layer.world_to_data(position[-layer.ndim :])
        for place in range(mosaic.SIDE**2):
            corner = mosaic.corner(place)
            inside = [
                first - 0.5 <= at[axis] < first - 0.5 + mosaic.tile_shape[axis]
                for first, axis in zip(corner, self._axes, strict=True)
            ]
            if all(inside):
                return place
        return None

    def _image_mosaic(self) -> Mosaic:
        taken, (low, high) = self._request.snapshot.image, self._request.source.contrast_limits
        grey = (low + high) / 2
        spacing, flips = self._spacing(), self._flips()

        def decorate(tile: NDArray[Any], place: int, waiting: bool) -> None:
            rows, columns = tile.shape
            text = caption(self._names[place], (rows, columns), spacing, waiting)
            write(tile, text, high, low, flips)

        shape, dtype, gaps = taken.shape, _dtype(taken), self._gaps()
        return Mosaic(shape, dtype, self._axes, gaps, grey, low, flips, decorate)

    def _labels_mosaic(self) -> Mosaic:
        taken = self._request.snapshot.labels
        assert taken is not None
        axes, flips = self._axes, self._flips()
        return Mosaic(taken.shape, _dtype(taken), axes, self._gaps(), flips=flips)

    def _spacing(self) -> tuple[float, float]:
        """Of rows and columns, mm."""
        mm = (*self._request.snapshot.spacing, 1.0)
        return mm[-1 - self._axes[0]], mm[-1 - self._axes[1]]

    def _gaps(self) -> tuple[int, int]:
        spacing, shape = self._spacing(), self._request.snapshot.image.shape
        longest = max(shape[axis] * mm for axis, mm in zip(self._axes, spacing, strict=True))
        rows, columns = (max(1, round(_GAP * longest / mm)) for mm in spacing)
        return rows, columns

    def _flips(self) -> tuple[bool, bool]:
        """Whether rows and columns run backwards in the world."""
        source = self._request.source
        origin = np.asarray(source.data_to_world((0,) * source.ndim))
        steps = [np.asarray(source.data_to_world(np.eye(source.ndim)[a])) for a in self._axes]
        rows, columns = (
            bool((step - origin)[axis] < 0) for step, axis in zip(steps, self._axes, strict=True)
        )
        return rows, columns


def _axes(dims: Dims, source: Layer) -> tuple[int, int]:
    """Rows and columns on view, as negative axes; the last two where the source has them not."""
    rows, columns = (axis - dims.ndim for axis in dims.displayed[-2:])
    return (-2, -1) if min(rows, columns) < -min(source.ndim, 3) else (rows, columns)


def _caption(request: RunRequest) -> str:
    """Seed, level, and the variety where it is not the model's own."""
    options = request.options
    variety = "" if options.variety is None else f" V{options.variety:g}"
    return f"S{options.seed} L{options.level}{variety}"


def _mosaic(layer: Layer) -> Mosaic:
    mosaic: Mosaic = layer.data
    return mosaic


def _show(layer: Layer) -> None:
    layer.refresh(extent=False, thumbnail=False, highlight=False)


def _dtype(values: Any) -> np.dtype[Any]:
    """As napari draws it."""
    kinds = {"b": np.dtype(np.uint8)}
    half = np.dtype(np.float32) if values.dtype == np.float16 else values.dtype
    return kinds.get(values.dtype.kind, half)


def _image_layer(source: Image, data: Mosaic, name: str) -> Image:
    return Image(
        data,
        name=name,
        rgb=False,
        multiscale=False,
        colormap=source.colormap,
        contrast_limits=source.contrast_limits,
        gamma=source.gamma,
        interpolation2d=source.interpolation2d,
        metadata=metadata_of(source, "seeds"),
        **placement(source, data.ndim),
    )


def _labels_layer(source: Labels, data: Mosaic, name: str) -> Labels:
    layer = Labels(
        data,
        name=name,
        multiscale=False,
        colormap=source.colormap,
        opacity=source.opacity,
        metadata=metadata_of(source, "seed labels"),
        **placement(source, data.ndim),
    )
    layer.editable = False
    return layer
