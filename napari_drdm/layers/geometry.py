"""Where a layer lies: the voxel -> RAS affine of its transform, its units and the file it is from.

A layer's axes are the NIfTI array's reversed. A layer that is where the reader put it has its
file's affine; one that was moved, turned, scaled or sheared has that affine moved with it. Without
a file its world is ITK's: axes LPS, origin where the layer has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.checks import check_same_grid
from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.errors import InputError

if TYPE_CHECKING:
    from napari.layers import Layer

__all__ = [
    "check_place",
    "known_affine",
    "layer_affine",
    "placement",
    "spacing_mm",
    "units_mm",
]

_SPATIAL = 3
_UNITS_MM = {"kilometer": 1e6, "meter": 1e3, "centimeter": 10.0, "millimeter": 1.0}
_UNITS_MM |= {"micrometer": 1e-3, "nanometer": 1e-6}
_SAME = 1e-5

#: A layer's scale, translate, rotate, shear, affine and units, as napari keeps them.
Place = Mapping[str, Any]
Affine = NDArray[np.float64]


def placement(layer: Layer, ndim: int) -> dict[str, Any]:
    """Where a layer lies, for another one over its last ``ndim`` axes."""
    n = min(ndim, layer.ndim)
    upper = np.eye(layer.ndim)
    upper[np.triu_indices(layer.ndim, 1)] = layer.shear
    affine = np.asarray(layer.affine.affine_matrix)
    keep = [*range(layer.ndim - n, layer.ndim), layer.ndim]
    return {
        "scale": layer.scale[-n:],
        "translate": layer.translate[-n:],
        "rotate": layer.rotate[-n:, -n:],
        "shear": upper[-n:, -n:][np.triu_indices(n, 1)],
        "affine": affine[np.ix_(keep, keep)],
        "units": layer.units[-n:],
        "axis_labels": layer.axis_labels[-n:],
    }


def spacing_mm(layer: Layer) -> tuple[float, float, float]:
    """Distance between voxels along X, Y, Z; pixels count as mm, a missing axis as 1 mm."""
    x, y, z = np.linalg.norm(_world(placement(layer, layer.ndim))[:3, :3], axis=0)
    return float(x), float(y), float(z)


def units_mm(layer: Layer) -> NDArray[np.float64]:
    """Size in mm of the unit of each of a layer's axes; pixels count as mm."""
    return _sizes_mm(layer.units)


def known_affine(metadata: Mapping[str, Any], ndim: int) -> Affine | None:
    """The affine that a reader or a sample left for a layer of ``ndim`` axes, (4, 4), or None."""
    known = metadata.get("drdm", {}).get("plane_affine" if ndim == 2 else "affine")
    return None if known is None else np.asarray(known, dtype=np.float64)


def layer_affine(place: Place, known: Affine | None) -> Affine:
    """The voxel -> RAS affine of a layer of two to four axes, (4, 4), mm.

    Args:
        place: where the viewer shows it.
        known: the affine of its file, whose reader gave the layer that affine's spacing.

    Raises:
        InputError: its axes of space depend on time.
    """
    if known is None:
        return np.asarray(np.diag([*RAS_TO_LPS, 1.0]) @ _world(place))
    if not _moved(place, known):
        return known
    return np.asarray(known @ np.linalg.inv(_as_read(known)) @ _deep(place, known))


def _moved(place: Place, known: Affine) -> bool:
    """Whether a layer no longer lies where the reader of its file put it."""
    read = _as_read(known)
    return not np.allclose(
        _deep(place, known), read, rtol=_SAME, atol=_SAME * read.diagonal().min()
    )


def check_place(layer: Layer, image: Layer, what: str) -> None:
    """Refuse a layer that lies elsewhere than the image whose voxels it should have.

    By their affines where files gave both one, and as they were moved in the viewer. A spacing that
    was corrected on one of them holds for both; a layer that nobody placed, of 1 mm or pixels at
    the origin, is taken voxel for voxel.

    Raises:
        InputError: they are further apart than the shell allows.
    """
    n = min(layer.ndim, image.ndim, _SPATIAL)
    places = [placement(one, n) for one in (image, layer)]
    known = [known_affine(one.metadata, n) for one in (image, layer)]
    if any(affine is None for affine in known):
        if any(np.array_equal(_world(place), np.eye(4)) for place in places):
            return
        known = [None, None]
    z, y, x = (1, *layer.data.shape[-n:])[-_SPATIAL:]
    first, other = (
        Grid((x, y, z), layer_affine({**place, **_spaced(places[0], affine)}, affine))
        for place, affine in zip(places, known, strict=True)
    )
    check_same_grid(first, other, what, layer.name)


def _spaced(image: Place, known: Affine | None) -> Place:
    """The scale and units of a file's affine, else those of the image."""
    n = len(image["scale"])
    if known is None:
        return {key: image[key] for key in ("scale", "units")}
    return {"scale": _as_read(known).diagonal()[:n][::-1], "units": ("millimeter",) * n}


def _sizes_mm(units: Any) -> NDArray[np.float64]:
    return np.array([_UNITS_MM.get(str(unit), 1.0) for unit in units])


def _as_read(known: Affine) -> Affine:
    """The world that the reader gives a layer of an affine: its spacing alone."""
    return np.diag([*np.linalg.norm(known[:3, :3], axis=0), 1.0])


def _deep(place: Place, known: Affine) -> Affine:
    """The world of a layer; a single slice is as thick as its file says."""
    world = _world(place)
    if len(place["scale"]) == 2:
        world[2, 2] = np.linalg.norm(known[:3, 2])
    return world


def _world(place: Place) -> Affine:
    """(4, 4), voxels (X, Y, Z) -> the viewer's world, mm, its axes in the order X, Y, Z."""
    from napari.utils.transforms import CompositeAffine

    ndim = len(place["scale"])
    parts = {key: place[key] for key in ("scale", "translate", "rotate", "shear") if key in place}
    outer = place.get("affine", np.eye(ndim + 1))
    whole = np.asarray(getattr(outer, "affine_matrix", outer))
    whole = whole @ CompositeAffine(**parts, ndim=ndim).affine_matrix
    whole[:ndim] *= _sizes_mm(place.get("units", ()) or [""] * ndim)[:, None]
    n = min(ndim, _SPATIAL)
    space, rest = slice(ndim - n, ndim), slice(0, ndim - n)
    if whole[space, rest].any() or whole[rest, space].any():
        raise InputError(
            "its transform mixes time with space",
            expected="axes of space that do not depend on time",
            do="reset the layer's transform",
        )
    world = np.eye(4)
    world[:n, :n] = whole[space, space][::-1, ::-1]
    world[:n, 3] = whole[space, ndim][::-1]
    return world
