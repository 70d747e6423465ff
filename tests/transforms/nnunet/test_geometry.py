"""Where preprocessed voxels come from, without nnU-Net: SciPy resamples in its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.errors import InputError
from src_core.transforms.nnunet.geometry import to_case
from tests.support import tiny

SHAPE = (30, 22, 9)
GRID = Grid(SHAPE, tiny.OBLIQUE)
BOX = ((2, 8), (3, 20), (5, 29))  # of the array (z, y, x)


def coordinates(shape: tuple[int, ...]) -> np.ndarray:
    return np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij")).astype(float)


def preprocessed(
    read: np.ndarray, transpose: tuple[int, ...], zoom: tuple[float, ...]
) -> tuple[np.ndarray, dict[str, Any]]:
    """What nnU-Net makes of channels (C, *read): transposed, cropped, resampled."""
    moved = read.transpose(0, *[axis + 1 for axis in transpose])
    box = [BOX[axis] for axis in transpose]
    cut = moved[:, *[slice(*ends) for ends in box]]
    options = {"order": 1, "mode": "nearest", "grid_mode": True}
    made = np.stack([ndimage.zoom(values, zoom, **options) for values in cut])
    properties = {
        "shape_before_cropping": moved.shape[1:],
        "bbox_used_for_cropping": [list(ends) for ends in box],
        "shape_after_cropping_and_before_resampling": cut.shape[1:],
    }
    return made, properties


def apart(matrix: np.ndarray, made: np.ndarray) -> float:
    """The largest error of a matrix, away from the border that interpolation repeats."""
    at = coordinates(made.shape[1:])
    said = np.tensordot(matrix[:3, :3], at, 1) + matrix[:3, 3].reshape(3, 1, 1, 1)
    inner = (slice(None), *[slice(3, -3)] * 3)
    assert made[inner].size > 500
    return float(np.abs(said - made)[inner].max())


@pytest.mark.parametrize("transpose", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (1, 0, 2)])
@pytest.mark.parametrize("zoom", [(2, 2, 2), (2.5, 1.5, 1.25)])
def test_a_voxel_comes_from_where_the_array_shows(
    transpose: tuple[int, ...], zoom: tuple[float, ...]
) -> None:
    read = coordinates(SHAPE).transpose(0, 3, 2, 1)
    made, properties = preprocessed(read, transpose, zoom)
    matrix = to_case(properties, made.shape[1:], transpose, GRID)
    assert apart(matrix, made) < 1e-9


@pytest.mark.parametrize("reader", ["nibabel", "itk"])
def test_a_reader_that_turns_images_is_followed(reader: str) -> None:
    """The case has axes (-y, x, z) of what the reader gives."""
    turned = np.array([[0, -1, 0, SHAPE[0] - 1], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    affine = tiny.OBLIQUE @ turned  # of the array's axes in (x, y, z) order
    case = coordinates(SHAPE)
    given = np.rot90(case, -1, (1, 2))  # given[i, j] = case[SHAPE[0] - 1 - j, i]
    made, properties = preprocessed(given.transpose(0, 3, 2, 1), (0, 1, 2), (2, 2, 2))
    if reader == "nibabel":
        properties["nibabel_stuff"] = {"reoriented_affine": affine}
    else:
        lps = np.diag([*RAS_TO_LPS, 1]) @ affine
        spacing = np.linalg.norm(lps[:3, :3], axis=0)
        stuff = {"spacing": spacing, "direction": (lps[:3, :3] / spacing).ravel()}
        stuff |= {"origin": lps[:3, 3], "original_orientation": "LPS"}
        properties["sitk_stuff"] = stuff
    matrix = to_case(properties, made.shape[1:], (0, 1, 2), GRID)
    assert apart(matrix, made) < 1e-6


def test_a_case_of_another_shape_is_refused() -> None:
    read = np.zeros((1, 9, 22, 31))
    _, properties = preprocessed(read, (0, 1, 2), (1, 1, 1))
    with pytest.raises(InputError, match=r"30 x 22 x 9 voxels, and nnU-Net read 31 x 22 x 9, p7"):
        to_case(properties, (6, 17, 24), (0, 1, 2), GRID, "p7")


def test_an_image_turned_between_voxels_is_refused() -> None:
    _, properties = preprocessed(np.zeros((1, 9, 22, 30)), (0, 1, 2), (1, 1, 1))
    affine = tiny.OBLIQUE.copy()
    affine[0, 3] += 0.5
    properties["nibabel_stuff"] = {"reoriented_affine": affine}
    with pytest.raises(InputError, match="make the bank from nnU-Net's raw data set"):
        to_case(properties, (6, 17, 24), (0, 1, 2), GRID, "p7")
