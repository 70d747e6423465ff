"""Layers as cases and results as layer data: no viewer, no Qt."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_drdm.explorer.suitability import describe
from napari_drdm.layers.geometry import placement, spacing_mm
from napari_drdm.layers.reader import get_reader, read_layers
from napari_drdm.layers.samples import slice_sample, volume_sample
from napari_drdm.layers.snapshots import case_from_layers, labels_for, take_snapshot
from napari_drdm.layers.writer import write_layer
from napari_drdm.overlays import (
    JACOBIAN_LIMITS,
    DrawingStyle,
    LayerField,
    View,
    arrows,
    jacobian_colormap,
)
from napari_drdm.widgets.label_table import label_notes
from napari_drdm.widgets.metrics_panel import metric_lines
from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.io import read_case, write_image

SHAPE = (13, 11, 5)  # X, Y, Z
AFFINE = np.array([[0, -1.4, 0, 3], [1.2, 0, 0, -7], [0, 0, 8, 2], [0, 0, 0, 1.0]])
RNG = np.random.default_rng(0)


def volume(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return RNG.integers(0, 900, shape, dtype=np.int16)


def on_disk(folder, data: np.ndarray, name: str, slope: float = 1.0):
    case = Case.from_arrays(data, affine=AFFINE)
    header = case.images[0].header
    header["scl_slope"] = slope
    write_image(folder / name, case.image, case.images[0])
    return folder / name


def layer_of(path):
    data, settings, kind = read_layers(path)[0]
    return (Labels if kind == "labels" else Image)(data, **settings)


@pytest.mark.parametrize("shape", [(13, 11), (13, 11, 5), (13, 11, 5, 3)])
def test_axes_are_reversed_and_come_back(shape):
    data = volume(shape)
    made = case_from_layers(Image(data.T))
    assert made.case.image.shape == (*shape, 1)[: max(3, len(shape))]
    assert np.array_equal(made.case.image.reshape(shape), data)
    assert np.array_equal(made.back(made.case.image), data.T)


def test_spacing_is_the_size_of_the_layers_scale():
    layer = Image(volume().T, scale=(-8, 1.2, -1.4), translate=(5, 6, 7))
    assert spacing_mm(layer) == pytest.approx((1.4, 1.2, 8))
    assert case_from_layers(layer).case.grid.spacing == pytest.approx((1.4, 1.2, 8))
    layer = Image(volume().T, affine=np.diag([8, 1.2, 1.4, 1]) @ np.eye(4)[[0, 2, 1, 3]])
    assert spacing_mm(layer) == pytest.approx((1.2, 1.4, 8))


def test_spacing_knows_micrometres():
    layer = Image(volume().T, scale=(800, 120, 140), units=("um", "um", "um"))
    assert spacing_mm(layer) == pytest.approx((0.14, 0.12, 0.8))


def test_a_layer_of_a_file_is_that_file(tmp_path):
    path = on_disk(tmp_path, volume(), "a.nii.gz")
    made = case_from_layers(layer_of(path))
    assert made.case.images[0].path == path
    assert made.case.grid == read_case(path).grid


def test_a_changed_layer_is_no_longer_its_file(tmp_path):
    layer = layer_of(on_disk(tmp_path, volume(), "a.nii.gz"))
    layer.data = layer.data + 1
    made = case_from_layers(layer)
    assert made.case.images[0].path is None
    assert np.array_equal(made.back(made.case.image), layer.data)
    assert np.allclose(made.case.grid.affine, AFFINE, atol=1e-5)


def test_a_layer_with_a_spacing_of_its_own_is_not_its_file(tmp_path):
    layer = layer_of(on_disk(tmp_path, volume(), "a.nii.gz"))
    layer.scale = (8, 2.8, 2.4)
    made = case_from_layers(layer)
    assert made.case.images[0].path is None
    assert made.case.grid.spacing == pytest.approx((2.4, 2.8, 8))


def test_half_floats_are_floats():
    made = case_from_layers(Image(volume().T.astype(np.float16)))
    assert made.case.image.dtype == np.float32


def test_painted_labels_join_the_image_s_file(tmp_path):
    image = layer_of(on_disk(tmp_path, volume(), "a.nii.gz"))
    labels = layer_of(on_disk(tmp_path, (volume() % 3).astype(np.uint8), "a_gt.nii.gz"))
    assert isinstance(labels, Labels)
    assert case_from_layers(image, labels).case.labels[0].path is not None
    labels.data[0, 0, 0] = 7
    made = case_from_layers(image, labels)
    assert made.case.images[0].path is not None and made.case.labels[0].path is None
    assert made.case.label_map[0, 0, 0] == 7


def test_scaled_files_are_shown_in_physical_values(tmp_path):
    data = volume()
    layer = layer_of(on_disk(tmp_path, data, "a.nii.gz", slope=0.5))
    assert np.allclose(layer.data, data.T * 0.5)
    assert np.array_equal(case_from_layers(layer).case.image, data)


def test_what_does_not_fit_is_refused():
    image = Image(volume().T, name="heart")
    with pytest.raises(InputError, match=r"5 x 11 x 12.*heart"):
        case_from_layers(image, Labels(np.zeros((5, 11, 12), int)))
    with pytest.raises(InputError, match="5 axes"):
        case_from_layers(Image(np.zeros((2, 2, 3, 4, 5))))


def test_labels_of_one_volume_fit_a_cine():
    image = Image(volume((13, 11, 5, 3)).T)
    labels = Labels(np.ones((5, 11, 13), int))
    assert case_from_layers(image, labels).case.label_map.shape == SHAPE
    assert labels_for(image, [image, Labels(np.ones((4, 11, 13), int)), labels]) is labels


def test_the_trailing_axes_keep_their_place():
    layer = Image(
        np.zeros((2, 3, 4, 5)),
        scale=(1, 8, 1.2, 1.4),
        translate=(0, 1, 2, 3),
        shear=[0, 0, 0, 0, 0, 0.25],
        units=("pixel", "mm", "mm", "mm"),
    )
    twin = Image(np.zeros((3, 4, 5)), **placement(layer, 3))
    for at in np.eye(3):
        assert np.allclose(twin.data_to_world(at), layer.data_to_world((0, *at))[1:])


def test_a_turned_layer_keeps_its_place():
    turn = np.array([[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]])
    layer = Image(volume().T, rotate=turn, scale=(8, 1.2, 1.4), affine=np.diag([1, 2, 3, 1.0]))
    twin = Image(volume().T, **placement(layer, 3))
    assert np.allclose(twin.data_to_world((1, 2, 3)), layer.data_to_world((1, 2, 3)))


def test_arrows_lead_to_where_tissue_came_from():
    made = case_from_layers(Image(volume().T, scale=(8, 1.2, 1.4)))
    u = np.zeros((*SHAPE, 3), np.float32)
    u[..., 0], u[..., 1] = 1.4 * 2, 1.2 * -1  # LPS mm: two voxels along X, one back along Y
    field = LayerField(made, u)
    assert np.allclose(field.at(...)[0], made.field(u))
    assert field.spacing == pytest.approx((8, 1.2, 1.4))
    drawn = arrows(field, View((1, 2), ((0, 3),)), DrawingStyle(arrows=40))
    vectors = drawn.segments
    assert 20 <= len(vectors) <= 40 and np.allclose(drawn.mm, np.hypot(2.8, 1.2))
    assert (vectors[:, 0, 0] == 3).all() and np.allclose(vectors[:, 1], [0, -1, 2], atol=1e-5)
    ends = vectors.sum(axis=1)
    assert (ends >= -0.5).all() and (ends <= np.array([5, 11, 13]) - 0.5).all()
    assert vectors[:, 0, 2].max() < 11.5  # those that would point outside are left out


@pytest.mark.parametrize("fixed", [(), ((0, 0),), ((1, 4),)])
def test_there_are_never_too_many_arrows(fixed):
    made = case_from_layers(Image(volume((210, 200, 30)).T, scale=(8, 1, 1)))
    shown = tuple({0, 1, 2} - {axis for axis, _ in fixed})
    view = View(shown, fixed, centre=() if fixed else (1, 2, 3))
    drawn = arrows(
        LayerField(made, np.zeros((210, 200, 30, 3), np.float32)), view, DrawingStyle(arrows=9999)
    )
    assert 1000 < len(drawn.segments) == len(drawn.mm) <= 2000


def test_the_colours_of_determinants():
    low, high = JACOBIAN_LIMITS
    half, one, twice, fold = jacobian_colormap().map(
        (np.array([0.5, 1.0, 2.0, -0.1]) - low) / (high - low)
    )
    assert one[3] < 0.05 and half[3] == pytest.approx(twice[3], abs=0.02) and half[3] > 0.3
    assert half[2] > half[0] and twice[0] > twice[2]
    assert fold.tolist() == pytest.approx([1, 0, 1, 1])


def test_reading_and_writing_are_inverse(tmp_path):
    path = on_disk(tmp_path, volume(), "heart.nii.gz")
    data, settings, kind = get_reader(str(path))(str(path))[0]
    assert kind == "image" and data.shape == (5, 11, 13) and settings["name"] == "heart"
    (again,) = write_layer(str(tmp_path / "again.nii.gz"), data, settings)
    assert np.array_equal(read_case(again).image, read_case(path).image)
    assert read_case(again).grid == read_case(path).grid
    assert get_reader("picture.png") is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a_gt.nii.gz", "labels"),
        ("labelsTr/a.nii.gz", "labels"),
        ("a.nii.gz", "image"),
        ("insight.nii", "image"),
    ],
)
def test_labels_are_known_by_their_name(tmp_path, name, kind):
    (tmp_path / "labelsTr").mkdir()
    path = on_disk(tmp_path, (volume() % 3).astype(np.uint8), name)
    assert read_layers(path)[0][2] == kind


def test_samples_are_layers_in_our_order():
    (image, about, _), (labels, _, kind) = volume_sample()
    assert image.shape == labels.shape == (10, 240, 208) and kind == "labels"
    assert about["scale"] == pytest.approx((8, 1.4, 1.4))
    assert np.array_equal(slice_sample()[0][0], image[5])
    made = case_from_layers(Image(image, **about))
    assert np.allclose(made.case.grid.affine, about["metadata"]["drdm"]["affine"], atol=1e-4)


def test_an_image_in_words():
    (image, about, _), _ = volume_sample()
    text = describe(take_snapshot(Image(image, **about)))
    assert text == "10 x 240 x 208 voxels (z, y, x), 8 x 1.4 x 1.4 mm"


def test_metrics_in_words():
    metrics = {
        "max_mm": 12.34,
        "max_percent": 5.6,
        "mean_mm": 1.2,
        "mean_percent": 0.4,
        "min_det": 0.123,
        "certified": True,
        "guard_scale": 0.9,
        "labels_lost": [9],
        "labels_split": [2],
        "level": 30,
        "seed": 4,
        "model": "tiny",
        "strict_folding_permille": 0,
        "label_volume_change": {"1": -3.2, "2": 0.1, "9": -100},
        "label_volume_ml": {"1": [125.04, 121.04], "2": [9.5, 9.51], "9": [0.3, 0]},
        "label_folding_permille": {"1": 0.0, "2": 1.25, "9": 0.0},
    }
    lines = metric_lines(metrics)
    reported = ["lost: label 9", "split: label 2", "label 2: 1.2 ‰ folds"]
    assert label_notes(metrics, {1: "RV"}).splitlines() == reported
    assert lines["Certificate"].splitlines() == [
        "! no folds (says nothing about plausibility)",
        "the guard left 90.0% of the deformation",
        "det J ≥ 0.123, 90.0% kept",
    ]
    folded = {**metrics, "certified": False, "strict_folding_permille": 1.5, "guard_scale": 1}
    assert metric_lines(folded)["Certificate"].startswith("✗ 1.50 ‰ of the cells may fold")
    assert lines["Largest"] == "12.3 mm, 5.6 %"
    assert lines["Shown"] == "level 30, seed 4, tiny"
