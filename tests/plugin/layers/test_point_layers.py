"""Vertices of layers in an image's voxels, and copies that keep all else."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels, Points, Shapes, Surface

from napari_drdm.layers.point_layers import is_movable, moved_layer, take_points
from src_core.errors import InputError

PLACE = {"scale": (8, 1.2, 1.5), "translate": (4, -3, 7), "units": ("mm",) * 3}
STEP = np.array([3, 1])
VOXELS = np.array([[1.0, 2, 3], [2, 10.5, 0], [0, 4, 4.25]])  # (Z, Y, X)


@pytest.fixture
def image() -> Image:
    return Image(np.zeros((3, 12, 9)), name="heart", **PLACE)


def points(**settings: object) -> Points:
    return Points(
        VOXELS,
        name="marks",
        features={"label": ["a", "b", "c"]},
        face_color=["red", "lime", "blue"],
        symbol=["o", "x", "square"],
        size=[1, 2, 3],
        **settings,
    )


def test_points_of_the_images_own_voxels(image: Image) -> None:
    layer = points(**PLACE)
    taken = take_points(layer, image)
    assert np.allclose(taken.voxels(), VOXELS[:, ::-1])
    moved = moved_layer(taken, VOXELS[:, ::-1] + np.array([1, 0, 0.5]), "moved")
    assert moved.name == "marks | moved" and type(moved) is Points
    assert np.allclose(moved.data, VOXELS + np.array([0.5, 0, 1]))
    assert np.array_equal(layer.data, VOXELS)
    assert moved.features.equals(layer.features)
    for name in ("face_color", "symbol", "size", "scale", "translate"):
        assert np.array_equal(getattr(moved, name), getattr(layer, name))
    assert moved.units == layer.units


def test_points_in_other_units_turned_and_in_the_world(image: Image) -> None:
    world = VOXELS * PLACE["scale"] + PLACE["translate"]
    plain = Points(world, units=("mm",) * 3)
    assert np.allclose(take_points(plain, image).voxels(), VOXELS[:, ::-1])
    micro = Points(world * 1000 / [2, 3, 5], scale=(2, 3, 5), units=("um",) * 3)
    assert np.allclose(take_points(micro, image).voxels(), VOXELS[:, ::-1])
    turned = Points(world, rotate=30, shear=(0, 0, 0.2), units=("mm",) * 3)
    matrix = np.stack([turned.data_to_world(row) for row in np.eye(3)], -1)
    turned.data = world @ np.linalg.inv(matrix).T
    taken = take_points(turned, image)
    assert np.allclose(taken.voxels(), VOXELS[:, ::-1])
    assert np.allclose(moved_layer(taken, taken.voxels(), "same").data, turned.data)


def test_time_stays_and_a_slice_is_flat(image: Image) -> None:
    cine = Image(np.zeros((5, 3, 12, 9)), scale=(1, 8, 1.2, 1.5))
    timed = Points(np.insert(VOXELS, 0, [0, 2, 4], axis=1), scale=(1, 8, 1.2, 1.5))
    taken = take_points(timed, cine)
    assert np.allclose(taken.voxels(), VOXELS[:, ::-1])
    new = moved_layer(taken, VOXELS[:, ::-1] + 1, "moved").data
    assert new[:, 0].tolist() == [0, 2, 4] and np.allclose(new[:, 1:], VOXELS + 1)
    flat = Image(np.zeros((12, 9)), scale=(1.2, 1.5))
    taken = take_points(Points(VOXELS[:, 1:], scale=(1.2, 1.5)), flat)
    assert np.allclose(taken.voxels(), np.pad(VOXELS[:, :0:-1], ((0, 0), (0, 1))))
    with pytest.raises(InputError, match="this layer has 2 axes, marks, expected 3, as heart"):
        take_points(Points(VOXELS[:, 1:], name="marks"), image)


def test_shapes_keep_their_kind_where_they_can() -> None:
    image = Image(np.zeros((30, 20)))
    square = np.array([[2.0, 2], [2, 10], [12, 10], [12, 2]])
    layer = Shapes(
        [square, square, square[:2], square[:3]],
        shape_type=["rectangle", "ellipse", "line", "path"],
        edge_color=["red", "lime", "blue", "white"],
        features={"n": [1, 2, 3, 4]},
    )
    taken = take_points(layer, image)
    moved = moved_layer(taken, taken.voxels() + np.array([1, 3, 0]), "moved")
    assert moved.shape_type == ["polygon", "polygon", "line", "path"]
    assert np.array_equal(moved.edge_color, layer.edge_color)
    assert moved.features.equals(layer.features)
    rectangle, ellipse, line, path = moved.data
    assert np.allclose(line, square[:2] + STEP) and np.allclose(path, square[:3] + STEP)
    assert np.allclose(rectangle.min(0), [5, 3]) and np.allclose(rectangle.max(0), [15, 11])
    away = (ellipse - [10, 7]) / [5, 4]
    assert len(ellipse) == 64 and np.allclose(np.linalg.norm(away, axis=1), 1)


def test_a_surface_keeps_faces_and_values(image: Image) -> None:
    faces = np.array([[0, 1, 2]])
    layer = Surface((VOXELS, faces, np.array([1.0, 5, 9])), colormap="viridis", **PLACE)
    taken = take_points(layer, image)
    moved = moved_layer(taken, taken.voxels() * 2, "moved")
    vertices, same, values = moved.data
    assert np.allclose(vertices, VOXELS * 2) and np.array_equal(same, faces)
    assert values.tolist() == [1, 5, 9] and moved.colormap.name == "viridis"


def test_what_cannot_be_moved_is_refused(image: Image) -> None:
    assert not is_movable(image) and not is_movable(Labels(np.zeros((3, 3), int)))
    with pytest.raises(InputError, match="this layer is empty"):
        take_points(Points(np.empty((0, 3))), image)
    with pytest.raises(InputError, match="not finite"):
        take_points(Points([[np.nan, 0, 0]]), image)
