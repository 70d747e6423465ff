"""Where layers lie: saved where the viewer shows them, and refused where labels lie elsewhere."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from napari.layers import Image, Labels
from scipy.spatial.transform import Rotation

from napari_drdm.layers.geometry import layer_affine, placement
from napari_drdm.layers.reader import read_layers
from napari_drdm.layers.snapshots import case_from_layers, labels_for
from napari_drdm.layers.writer import write_layer
from src_core.cases.case import Case
from src_core.errors import GeometryWarning, InputError
from src_core.io import read_case, write_image

SHAPE = (9, 7, 5)  # X, Y, Z
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = Rotation.from_euler("zyx", (80, 10, 25), degrees=True).as_matrix() * (1.2, 1.4, 8)
OBLIQUE[:3, 3] = 3, -7, 2
VALUES = np.random.default_rng(3).integers(0, 900, SHAPE, dtype=np.int16)
#: A transform with everything a person can set, in napari's order (Z, Y, X).
EVERYTHING = {
    "scale": (4, 0.5, 0.7),
    "translate": (7, 5, 3),
    "rotate": (20, 30, 10),
    "shear": (0.1, 0.2, 0.05),
    "affine": np.array([[1, 0, 0.2, 4], [0, 2, 0, -3], [0, 0, 1.5, 1], [0, 0, 0, 1.0]]),
}


def written(layer, folder, name="w.nii.gz"):
    data, attributes, _ = layer.as_layer_data_tuple()
    return write_layer(str(folder / name), data, attributes)[0]


def in_ras(layer, voxel):
    """Where the viewer shows a voxel (X, Y, Z) of a layer without a file: its world is LPS mm."""
    z, y, x = layer.data_to_world(tuple(reversed(voxel)))
    return np.array([-x, -y, z])


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing:UserWarning")
def test_a_saved_layer_lies_where_the_viewer_shows_it(tmp_path):
    layer = Image(VALUES.T, **EVERYTHING)
    with pytest.warns(GeometryWarning, match="sheared"):
        saved = nibabel.load(written(layer, tmp_path))
    assert np.array_equal(np.asanyarray(saved.dataobj), VALUES)
    for voxel in [(0, 0, 0), (8, 0, 0), (0, 6, 0), (0, 0, 4), (3, 2, 1)]:
        assert (saved.affine @ [*voxel, 1])[:3] == pytest.approx(in_ras(layer, voxel), abs=1e-4)


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing:UserWarning")
def test_a_saved_layer_lies_where_simpleitk_reads_it(tmp_path):
    layer = Image(VALUES.T, scale=(4, 0.5, 0.7), translate=(7, 5, 3), rotate=(20, 30, 10))
    saved = sitk.ReadImage(written(layer, tmp_path))
    for voxel in [(0, 0, 0), (8, 0, 0), (0, 6, 4)]:
        x, y, z = saved.TransformIndexToPhysicalPoint(voxel)
        assert layer.data_to_world(tuple(reversed(voxel))) == pytest.approx((z, y, x), abs=1e-4)


@pytest.mark.parametrize(
    "unit, mm", [("um", 1e-3), ("nm", 1e-6), ("mm", 1), ("cm", 10), ("m", 1e3), ("pixel", 1)]
)
def test_units_become_millimetres(tmp_path, unit, mm):
    layer = Image(VALUES.T, scale=(4, 0.5, 0.7), translate=(0, 0, 6), units=(unit,) * 3)
    header = nibabel.load(written(layer, tmp_path)).header
    assert header.get_zooms() == pytest.approx((0.7 * mm, 0.5 * mm, 4 * mm), rel=1e-6)
    assert header.get_xyzt_units()[0] == "mm"
    assert header.get_best_affine()[0, 3] == pytest.approx(-6 * mm, rel=1e-6)


def test_units_may_differ_between_axes(tmp_path):
    layer = Image(VALUES.T, scale=(4, 500, 700), units=("mm", "um", "um"))
    zooms = nibabel.load(written(layer, tmp_path)).header.get_zooms()
    assert zooms == pytest.approx((0.7, 0.5, 4), rel=1e-6)


def read(folder, affine, name="a.nii.gz", values=VALUES, **transform):
    case = Case.from_arrays(values, affine=affine)
    write_image(folder / name, case.image, case.images[0])
    data, settings, kind = read_layers(folder / name)[0]
    settings = {**settings, **transform}
    return (Labels if kind == "labels" else Image)(data, **settings)


def test_a_layer_that_stays_where_it_was_read_keeps_its_affine(tmp_path):
    again = written(read(tmp_path, OBLIQUE), tmp_path)
    assert read_case(again).grid.distance_mm(read_case(tmp_path / "a.nii.gz").grid) < 1e-5


def test_a_layer_that_was_moved_takes_its_affine_along(tmp_path):
    layer = read(tmp_path, OBLIQUE, translate=(16, 0, 0))
    step = np.linalg.norm(OBLIQUE[:3, 2])
    expected = OBLIQUE.copy()
    expected[:3, 3] += OBLIQUE[:3, 2] * 16 / step
    assert nibabel.load(written(layer, tmp_path)).affine == pytest.approx(expected, abs=1e-4)


def test_a_spacing_that_a_person_corrects_keeps_orientation_and_origin(tmp_path):
    spacing = np.linalg.norm(OBLIQUE[:3, :3], axis=0)
    layer = read(tmp_path, OBLIQUE, scale=spacing[::-1] / 2)
    expected = OBLIQUE @ np.diag([0.5, 0.5, 0.5, 1])
    assert nibabel.load(written(layer, tmp_path)).affine == pytest.approx(expected, abs=1e-4)
    case = case_from_layers(layer).case
    assert case.images[0].path is None
    assert case.grid.affine == pytest.approx(expected, abs=1e-4)


def test_a_single_slice_keeps_its_affine_and_its_thickness(tmp_path):
    layer = read(tmp_path, OBLIQUE, values=VALUES[:, :, :1])
    assert layer.ndim == 2
    assert nibabel.load(written(layer, tmp_path)).affine == pytest.approx(OBLIQUE, abs=1e-4)
    layer.translate = (2 * layer.scale[0], 0)
    expected = OBLIQUE.copy()
    expected[:3, 3] += 2 * OBLIQUE[:3, 1]
    assert nibabel.load(written(layer, tmp_path)).affine == pytest.approx(expected, abs=1e-4)


def test_a_cine_whose_time_is_turned_into_space_is_refused():
    cine = np.zeros((3, *VALUES.T.shape))
    turned = np.eye(5)
    turned[1, 0] = 1
    with pytest.raises(InputError, match="mixes time with space"):
        layer_affine(placement(Image(cine, affine=turned), 4), None)


def mirrored(affine):
    """The same place in the world, its first axis reversed."""
    turned = affine @ np.diag([-1, 1, 1, 1.0])
    turned[:3, 3] = (affine @ [SHAPE[0] - 1, 0, 0, 1])[:3]
    return turned


def shifted(affine):
    return affine + np.array([[0, 0, 0, 20], [0] * 4, [0] * 4, [0] * 4])


@pytest.mark.parametrize("elsewhere", [mirrored, shifted])
def test_labels_that_lie_elsewhere_are_refused_in_the_shells_words(tmp_path, elsewhere):
    image = read(tmp_path, OBLIQUE)
    labels = read(tmp_path, elsewhere(OBLIQUE), "a_seg.nii.gz", VALUES % 3)
    assert isinstance(labels, Labels)
    with pytest.raises(InputError) as shell:
        read_case(tmp_path / "a.nii.gz", tmp_path / "a_seg.nii.gz")
    with pytest.raises(InputError) as window:
        case_from_layers(image, labels)
    assert window.value.what == shell.value.what
    assert labels_for(image, [labels]) is None


def test_labels_that_were_dragged_away_in_the_viewer_are_refused(tmp_path):
    image = read(tmp_path, OBLIQUE)
    labels = read(tmp_path, OBLIQUE, "a_seg.nii.gz", VALUES % 3)
    assert labels_for(image, [labels]) is labels
    labels.translate = (0, 3, 0)
    with pytest.raises(InputError, match="lie up to 3 mm away"):
        case_from_layers(image, labels)


def test_labels_painted_in_the_viewer_lie_as_the_viewer_shows_them(tmp_path):
    image = read(tmp_path, OBLIQUE)
    painted = Labels(VALUES.T % 3, name="painted", scale=image.scale)
    assert np.array_equal(case_from_layers(image, painted).case.label_map, VALUES % 3)
    painted.translate = (0, 3, 0)
    with pytest.raises(InputError, match="the labels lie up to 3 mm away"):
        case_from_layers(image, painted)


def test_a_spacing_corrected_on_the_image_holds_for_its_labels(tmp_path):
    image = read(tmp_path, OBLIQUE)
    labels = read(tmp_path, OBLIQUE, "a_seg.nii.gz", VALUES % 3)
    image.scale = np.asarray(image.scale) * 2
    case = case_from_layers(image, labels).case
    assert case.grid.spacing == pytest.approx((2.4, 2.8, 16))
    assert np.array_equal(case.label_map, VALUES % 3)


def test_labels_that_nobody_placed_are_taken_voxel_for_voxel(tmp_path):
    case = case_from_layers(read(tmp_path, OBLIQUE), Labels(VALUES.T % 3)).case
    assert np.array_equal(case.label_map, VALUES % 3)
