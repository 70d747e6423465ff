"""Fields as layers, without a window: arrows where ITK takes the points; files that come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Vectors
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from napari_drdm.field_tools.work import FieldChoice, jacobian_of, move, snapshot_of
from napari_drdm.layers.field_follower import follow, placement_over
from napari_drdm.layers.field_layers import (
    MOST_ARROWS,
    DenseField,
    arrows_over,
    field_layer,
    field_of,
    round_mm,
)
from napari_drdm.layers.reader import get_reader, read_layers
from napari_drdm.layers.writer import write_fsl_field, write_itk_field, write_layer
from src_core.cases.case import Case
from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.errors import InputError
from src_core.io import read_field, write_field, write_image

SHAPE = (26, 21, 8)


def turned(spacing: tuple[float, float, float], shape: tuple[int, int, int], turn: float) -> Grid:
    """An oblique, flipped grid about one and the same point."""
    affine = np.eye(4)
    rotation = Rotation.from_euler("xyz", (12, -25, 40 + turn), degrees=True).as_matrix()
    affine[:3, :3] = rotation * [-spacing[0], spacing[1], spacing[2]]
    affine[:3, 3] = np.array([31, -17, 5.5]) - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


GRID = turned((1.3, 0.9, 4.0), SHAPE, 0)
OTHER = turned((2.1, 1.7, 3.1), (15, 14, 12), 25)


def linear(grid: Grid) -> NDArray[np.float32]:
    """A displacement that is linear in space, LPS mm: any linear interpolation is exact."""
    matrix = np.array([[0.1, 0.05, -0.02], [-0.04, 0.12, 0.03], [0.02, -0.06, 0.08]])
    voxels = np.moveaxis(np.indices(grid.shape), 0, -1)
    lps = (voxels @ grid.affine[:3, :3].T + grid.affine[:3, 3]) * RAS_TO_LPS
    return ((lps - lps.mean((0, 1, 2))) @ matrix.T + [1, -2, 0.5]).astype(np.float32)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """image.nii.gz and labels.nii.gz on GRID; own.nii.gz and other.nii.gz, fields of two grids."""
    values = np.random.default_rng(1).integers(0, 900, SHAPE).astype(np.int16)
    case = Case.from_arrays(values, (values // 300).astype(np.uint8), affine=GRID.affine)
    write_image(tmp_path / "image.nii.gz", case.image, case.images[0], case.grid)
    write_image(tmp_path / "labels.nii.gz", case.labels[0].data, case.labels[0], case.grid)
    for name, grid in (("own", GRID), ("other", OTHER)):
        write_field(tmp_path / f"{name}.nii.gz", linear(grid), grid)
    return tmp_path


def opened(viewer: ViewerModel, path: Path) -> Layer:
    ((data, settings, kind),) = get_reader(str(path))(str(path))
    kinds = {"image": Image, "labels": Labels, "vectors": Vectors}
    return viewer.add_layer(kinds[kind](data, **settings))


def check_against_itk(arrows: Vectors, image: Path, field: Path, hidden: int | None) -> None:
    """Arrows over an image start and end where ITK's transform takes its points."""
    picture = sitk.ReadImage(str(image))
    transform = sitk.DisplacementFieldTransform(sitk.ReadImage(str(field), sitk.sitkVectorFloat64))
    assert 50 < len(arrows.data) <= MOST_ARROWS
    for (start, vector), mm in list(zip(arrows.data, arrows.features["mm"], strict=True))[::23]:
        here = picture.TransformContinuousIndexToPhysicalPoint(start[::-1].astype(float).tolist())
        there = transform.TransformPoint(here)
        assert mm == pytest.approx(np.linalg.norm(np.subtract(there, here)), abs=1e-3)
        moved = np.subtract(picture.TransformPhysicalPointToContinuousIndex(there)[::-1], start)
        if hidden is not None:
            moved[hidden] = 0
        np.testing.assert_allclose(vector, moved, atol=1e-3)


@pytest.mark.parametrize("name", ["own", "other"])
@pytest.mark.parametrize("image_first", [True, False])
def test_arrows_lie_over_the_image_and_follow_the_plane(
    files: Path, name: str, image_first: bool
) -> None:
    viewer = ViewerModel()
    follow(viewer)
    paths = [files / "image.nii.gz", files / f"{name}.nii.gz"]
    layers = [opened(viewer, p) for p in (paths if image_first else paths[::-1])]
    image, arrows = layers if image_first else layers[::-1]
    assert isinstance(arrows, Vectors)
    np.testing.assert_allclose(arrows.data_to_world((3, 4, 5)), image.data_to_world((3, 4, 5)))
    for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        viewer.dims.order = order
        viewer.dims.set_current_step(order[0], SHAPE[::-1][order[0]] // 2 - 1)
        at = np.unique(arrows.data[:, 0, order[0]])
        assert at.tolist() == [SHAPE[::-1][order[0]] // 2 - 1]
        check_against_itk(arrows, *paths, hidden=order[0])
    viewer.dims.ndisplay = 3
    assert len(np.unique(arrows.data[:, 0, 0])) > 2
    check_against_itk(arrows, *paths, hidden=None)


def test_hidden_arrows_move_when_they_are_shown_again(files: Path) -> None:
    viewer = ViewerModel()
    opened(viewer, files / "image.nii.gz")
    arrows = opened(viewer, files / "own.nii.gz")
    follow(viewer)
    follow(viewer)
    arrows.visible = False
    before = arrows.data.copy()
    viewer.dims.set_current_step(0, 6)
    assert np.array_equal(arrows.data, before)
    arrows.visible = True
    assert np.unique(arrows.data[:, 0, 0]).tolist() == [6]


def test_arrows_lie_on_every_frame_of_a_cine_and_over_a_moved_image(files: Path) -> None:
    viewer = ViewerModel()
    follow(viewer)
    place = {"rotate": Rotation.from_euler("x", 30, degrees=True).as_matrix(), "shear": [0.1, 0, 0]}
    volume, *rest = read_layers(files / "image.nii.gz")[0]
    turn = np.eye(4)
    turn[1:, 1:] = place["rotate"]
    cine = viewer.add_image(
        np.stack([volume] * 3),
        scale=(1, *rest[0]["scale"]),
        translate=(0, 5, -3, 2),
        rotate=turn,
        metadata=rest[0]["metadata"],
    )
    arrows = opened(viewer, files / "own.nii.gz")
    for at in ((0, 0, 0), (2, 3, 4)):
        np.testing.assert_allclose(arrows.data_to_world(at), cine.data_to_world((1, *at))[1:])


def test_arrows_are_few_and_inside() -> None:
    grid = Grid.from_spacing((210, 200, 30), (1, 1.5, 8))
    field = DenseField(np.full((*grid.shape, 3), 25, np.float32), grid)
    for fixed in ({}, {0: 4}, {1: 100}, {0: 99}):
        vectors, mm = arrows_over(field, grid, False, fixed, MOST_ARROWS)
        ends = vectors.sum(1)
        assert 800 < len(vectors) == len(mm) <= MOST_ARROWS
        assert (ends >= -0.5).all() and (ends <= np.array([30, 200, 210]) - 0.5).all()
    assert mm == pytest.approx(25 * np.sqrt(3)) and round_mm(field) == 50


@pytest.mark.parametrize(("longest", "limit"), [(0, 1), (0.4, 1), (1.5, 2), (20, 20), (21, 50)])
def test_colours_end_at_a_round_number(longest: float, limit: float) -> None:
    u = np.zeros((3, 4, 5, 3), np.float32)
    u[1, 2, 3, 1] = longest
    assert round_mm(DenseField(u, Grid.from_spacing(u.shape[:3], 1))) == limit


def test_a_field_of_one_slice_is_a_flat_layer(tmp_path: Path) -> None:
    grid = Grid.from_spacing((14, 9, 1), (0.5, 2))
    u = np.zeros((*grid.shape, 3), np.float32)
    u[..., 0], u[..., 1] = 1.0, -3.0
    write_field(tmp_path / "u.nii.gz", u, grid)
    viewer = ViewerModel()
    follow(viewer)
    viewer.add_image(np.zeros((9, 14)), scale=(2, 0.5))
    arrows = opened(viewer, tmp_path / "u.nii.gz")
    assert arrows.ndim == 2 and np.allclose(arrows.scale, (2, 0.5)) and len(arrows.data) > 20
    np.testing.assert_allclose(arrows.data[:, 1], np.tile([-1.5, 2.0], (len(arrows.data), 1)))


def test_a_field_without_motion_is_shown_too() -> None:
    data, settings, _ = field_layer(DenseField(np.zeros((5, 6, 7, 3), np.float32), OTHER_FLAT), "0")
    layer = Vectors(data, **settings)
    assert len(layer.data) == 5 * 6 * 7 and (layer.data[:, 1] == 0).all()


OTHER_FLAT = Grid.from_spacing((5, 6, 7), (1, 2, 3))


@pytest.mark.parametrize(
    ("write", "name", "intent", "tolerance"),
    [
        (write_itk_field, "a.nii.gz", 1007, 0),
        (write_itk_field, "a_fsl.nii.gz", 2006, 1e-5),
        (write_fsl_field, "a.nii", 2006, 1e-5),
        (write_itk_field, "a", 1007, 0),
    ],
)
def test_a_field_layer_is_saved_with_the_numbers_that_came_in(
    files: Path, write: Any, name: str, intent: int, tolerance: float
) -> None:
    layer = opened(ViewerModel(), files / "own.nii.gz")
    data, attributes, _ = layer.as_layer_data_tuple()
    (saved,) = write(str(files / name), data, attributes)
    u, grid = read_field(saved)
    came, its_grid = read_field(files / "own.nii.gz")
    np.testing.assert_allclose(u, came, atol=tolerance, rtol=0)
    np.testing.assert_allclose(grid.affine, its_grid.affine, atol=1e-5)
    found = read_layers(saved)
    assert found[0][2] == "vectors" and len(found) == 1


def test_arrows_without_a_field_are_not_saved_as_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="this layer holds arrows only, mine"):
        write_itk_field(str(tmp_path / "a.nii.gz"), np.zeros((4, 2, 3)), {"name": "mine"})
    with pytest.raises(InputError, match="colour"):
        write_layer(str(tmp_path / "a.nii.gz"), np.zeros((4, 5, 3)), {"rgb": True})
    assert not list(tmp_path.iterdir())


def test_what_the_commands_make_is_saved_with_its_affine(files: Path) -> None:
    """SimpleITK finds the maps of a field, and a single slice, where the file was."""
    choice = FieldChoice(path=files / "own.nii.gz")
    done = jacobian_of(choice)
    settings = {
        "metadata": {"drdm": {"affine": GRID.affine}},
        **placement_over(ViewerModel(), done.field),
    }
    (saved,) = write_layer(str(files / "jacobian.nii.gz"), done.jacobian, settings)
    theirs, field = sitk.ReadImage(saved), sitk.ReadImage(str(files / "own.nii.gz"))
    np.testing.assert_allclose(theirs.GetOrigin(), field.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(theirs.GetDirection(), field.GetDirection(), atol=1e-5)
    np.testing.assert_allclose(theirs.GetSpacing(), field.GetSpacing(), rtol=1e-5)
    picture = Case.from_arrays(np.arange(20.0).reshape(5, 4, 1), affine=GRID.affine)
    write_image(files / "slice.nii.gz", picture.image, picture.images[0], picture.grid)
    data, settings, _ = read_layers(files / "slice.nii.gz")[0]
    assert data.shape == (4, 5)
    (saved,) = write_layer(str(files / "again.nii.gz"), data, settings)
    first, second = (sitk.ReadImage(str(files / n)) for n in ("slice.nii.gz", "again.nii.gz"))
    np.testing.assert_allclose(second.GetOrigin(), first.GetOrigin(), atol=1e-4)
    changed = {**settings, "scale": (3, 3)}
    write_layer(str(files / "changed.nii.gz"), data, changed)
    assert sitk.ReadImage(str(files / "changed.nii.gz")).GetSpacing()[:2] == (3, 3)


def test_moved_layers_are_those_of_simpleitk(files: Path) -> None:
    viewer = ViewerModel()
    image, labels = (opened(viewer, files / f"{n}.nii.gz") for n in ("image", "labels"))
    twice = viewer.add_labels(labels.data * 2, scale=labels.scale)
    snapshot = snapshot_of(image, [labels, twice])
    done = move(snapshot, FieldChoice(path=files / "other.nii.gz"), label_interpolation="nearest")
    vectors = sitk.ReadImage(str(files / "other.nii.gz"), sitk.sitkVectorFloat64)
    transform = sitk.DisplacementFieldTransform(vectors)
    for ours, name, by in (
        (done.image, "image", sitk.sitkLinear),
        (done.labels[0], "labels", sitk.sitkNearestNeighbor),
    ):
        source = sitk.Cast(sitk.ReadImage(str(files / f"{name}.nii.gz")), sitk.sitkFloat64)
        theirs = sitk.GetArrayFromImage(sitk.Resample(source, transform, by))
        assert ours.shape == SHAPE[::-1]
        inner = (slice(2, -2),) * 3
        off = np.abs(ours.astype(float) - theirs)[inner] > 1
        assert off.mean() < 0.002, name  # a tie of nearest, or of rounding
    assert np.array_equal(done.labels[1], done.labels[0] * 2)
    assert "Moved by up to" in done.summary and "the field covers" in done.summary


def test_an_image_of_unknown_place_is_where_a_field_of_its_shape_is(files: Path) -> None:
    values = np.random.default_rng(1).integers(0, 900, SHAPE[::-1]).astype(np.float32)
    image = Image(values, name="pixels")
    shift = np.zeros((*SHAPE, 3))
    shift[..., 0] = 2
    field = DenseField(GRID.to_lps_mm(shift).astype(np.float32), GRID)
    done = move(snapshot_of(image, []), FieldChoice(field))
    np.testing.assert_allclose(done.image[:, :, :-2], values[:, :, 2:], atol=0.05)
    back = move(snapshot_of(image, []), FieldChoice(field), inverse=True)
    np.testing.assert_allclose(back.image[:, :, 2:], values[:, :, :-2], atol=0.5)


def test_determinants_of_a_linear_field_are_its_own(files: Path) -> None:
    matrix = np.array([[0.1, 0.05, -0.02], [-0.04, 0.12, 0.03], [0.02, -0.06, 0.08]])
    done = jacobian_of(FieldChoice(DenseField(linear(OTHER), OTHER)))
    assert done.jacobian.shape == OTHER.shape[::-1]
    np.testing.assert_allclose(done.jacobian, np.linalg.det(np.eye(3) + matrix), atol=1e-3)
    np.testing.assert_allclose(done.magnitude.T, np.linalg.norm(linear(OTHER), axis=-1), rtol=1e-6)
    assert "no voxel folds" in done.summary
    u = np.zeros((*GRID.shape, 3))
    u[..., 0] = -2 * np.arange(GRID.shape[0])[:, None, None]
    folded = jacobian_of(FieldChoice(DenseField(GRID.to_lps_mm(u).astype(np.float32), GRID)))
    np.testing.assert_allclose(folded.jacobian, -1, atol=1e-3)
    assert "4,368 voxels fold (1000 of 1,000)" in folded.summary


def test_no_field_is_reported_in_one_line() -> None:
    with pytest.raises(InputError, match="no field given, choose a field layer or a file"):
        FieldChoice().load()


def test_a_copy_of_a_field_layer_is_a_field(files: Path) -> None:
    layer = opened(ViewerModel(), files / "own.nii.gz")
    copy = Layer.create(*layer.as_layer_data_tuple())
    assert np.array_equal(field_of(copy).displacement, field_of(layer).displacement)
    assert field_of(Vectors(np.zeros((2, 2, 3)))) is None
