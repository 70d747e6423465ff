"""New cases: what is kept, the same bits again, and the files against SimpleITK and SciPy.

The network is a small one with random weights, so that nothing here depends on a trained model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import torch
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation
from torch import Tensor, nn

from src_core.cases.case import Case
from src_core.diffusion.schedule import Schedule
from src_core.errors import InputError
from src_core.generation import Options, Result, generate, iterate, recover, save_result
from src_core.io import read_case
from src_core.models.library import list_models, load_model
from src_core.models.model import Model, ModelSpec
from src_core.models.nn import VelocityUNetConfig, build
from src_core.phantom import cardiac_phantom

OPTIONS = {"level": 55, "seed": 3, "steps": 3}
MADE = (
    "phantom",
    "oblique",
    "flipped",
    "axes swapped",
    "float32",
    "scaled",
    "negative",
    "uint8",
    "acdc first",
    "acdc last",
)
every_case = pytest.mark.parametrize("name", MADE)


def tiny(ndim: int = 2) -> Model:
    """A model whose random network moves things about."""
    side = 32 if ndim == 2 else 16
    schedule = Schedule(control=side, components=(side, side // 2, side // 4, 4))
    network = VelocityUNetConfig(ndim=ndim, widths=(8, 12), embedding=8, output_stage=1)
    spec = ModelSpec(name="tiny", size=4 * side, schedule=schedule, network=network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = build(network)
        nn.init.normal_(net.head.weight, std=0.03)
    return Model(spec, net.eval().requires_grad_(False), torch.device("cpu"), "0" * 64)


@pytest.fixture(scope="module")
def model() -> Model:
    return tiny()


@dataclass(frozen=True)
class Source:
    """What a case is made of."""

    image: NDArray[np.generic]
    labels: NDArray[np.generic]
    affine: NDArray[np.float64]
    scaling: tuple[float, float] | None = None


def rotated(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("xyz", (14, -23, 37), degrees=True).as_matrix()
    return turn @ affine


def sources(data_dir: Path | None) -> dict[str, Source]:
    made = cardiac_phantom(1, slices=3, phases=1, shape=(96, 84), spacing=(1.7, 2.1, 8.0))
    image, labels, affine = made.image[..., 0], made.labels[..., 0], made.affine
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = image.shape[0] - 1
    swap = np.eye(4)[:, [2, 0, 1, 3]]
    found = {
        "phantom": Source(image, labels, affine),
        "oblique": Source(image, labels, rotated(affine)),
        "flipped": Source(image[::-1], labels[::-1].astype(np.int16), rotated(affine) @ flip),
        "axes swapped": Source(
            image.transpose(2, 0, 1), labels.transpose(2, 0, 1), rotated(affine) @ swap
        ),
        "float32": Source((image / image.max()).astype(np.float32), labels, affine),
        "scaled": Source(image, labels, affine, (0.5, 5.0)),
        "negative": Source(image, labels, affine, (2.0, -1024.0)),
        "uint8": Source((image / image.max() * 255).astype(np.uint8), labels, affine),
    }
    if data_dir is not None:
        volumes = sorted((data_dir / "acdc" / "images").iterdir())
        for name, path in (("acdc first", volumes[0]), ("acdc last", volumes[-1])):
            stored, labelled = nib.load(path), nib.load(data_dir / "acdc" / "labels" / path.name)
            pair = [np.asarray(v.dataobj)[:, :, 2:5] for v in (stored, labelled)]
            found[name] = Source(pair[0], pair[1], stored.affine)
    return found


def write(path: Path, data: NDArray[np.generic], source: Source) -> Path:
    image = nib.Nifti1Image(np.ascontiguousarray(data), source.affine)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    return path


def write_scaled(path: Path, source: Source) -> Path:
    """Slope and intercept around stored values, which nibabel would choose itself."""
    header = nib.Nifti1Header()
    header.set_data_shape(source.image.shape)
    header.set_data_dtype(source.image.dtype)
    header.set_sform(source.affine, 1)
    header.set_qform(source.affine, 1)
    header["vox_offset"] = 352
    header["scl_slope"], header["scl_inter"] = source.scaling
    path.write_bytes(header.binaryblock + bytes(4) + source.image.tobytes(order="F"))
    return path


@dataclass(frozen=True)
class Made:
    """A case in files, and what was generated from it, in files."""

    source: Source
    case: Case
    result: Result
    given: Path
    out: Path


@pytest.fixture(scope="module")
def made() -> dict[str, Made]:
    """All cases by name, filled as they are asked for."""
    return {}


@pytest.fixture
def one(
    name: str,
    made: dict[str, Made],
    model: Model,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Made:
    """One case, generated once in this file."""
    if name not in made:
        data_dir = request.getfixturevalue("data_dir") if name.startswith("acdc") else None
        source, folder = sources(data_dir)[name], tmp_path_factory.mktemp("case")
        image = folder / "image.nii"
        if source.scaling:
            write_scaled(image, source)
        else:
            write(image, source.image, source)
        labels = write(folder / "labels.nii.gz", source.labels, source)
        case = read_case(image, labels)
        result = generate(case, model, **OPTIONS)
        out = save_result(result, folder / "out")
        made[name] = Made(source, case, result, folder, out)
    return made[name]


def linear_lps(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.diag([-1.0, -1, 1]) @ affine[:3, :3]


def voxel_field(path: Path) -> NDArray[np.float64]:
    """(X, Y, Z, 3) in voxels of its own grid, read by nibabel."""
    stored = nib.load(path)
    field = np.asarray(stored.dataobj, dtype=np.float64)[:, :, :, 0]
    return field @ np.linalg.inv(linear_lps(stored.affine)).T


def slice_axis(source: Source) -> int:
    return int(np.argmax(np.linalg.norm(source.affine[:3, :3], axis=0)))


@every_case
def test_what_comes_out_is_stored_as_what_went_in(one: Made) -> None:
    for name in ("image", "labels"):
        ending = ".nii" if name == "image" else ".nii.gz"
        before, after = (
            nib.load(one.given / f"{name}{ending}"),
            nib.load(one.out / f"{name}.nii.gz"),
        )
        assert after.shape == before.shape
        assert after.get_data_dtype() == before.get_data_dtype()
        np.testing.assert_array_equal(after.affine, before.affine)
        assert after.header.get_xyzt_units() == before.header.get_xyzt_units()
        assert after.dataobj.slope == before.dataobj.slope
        assert after.dataobj.inter == before.dataobj.inter
    values = set(np.unique(nib.load(one.out / "labels.nii.gz").dataobj).tolist())
    lost = set(one.result.metrics["labels_lost"])
    assert values | lost == set(np.unique(one.source.labels).tolist())
    image = nib.load(one.out / "image.nii.gz")
    slope, _ = one.source.scaling or (1.0, 0.0)
    assert np.ptp(np.asarray(image.dataobj)) > 0.5 * slope * np.ptp(one.source.image)


@every_case
def test_metrics_are_those_of_the_saved_field(one: Made) -> None:
    metrics = json.loads((one.out / "metrics.json").read_text())
    field = np.asarray(nib.load(one.out / "displacement.nii.gz").dataobj, dtype=np.float64)
    length = np.linalg.norm(field[:, :, :, 0], axis=-1)
    spacing = np.linalg.norm(one.source.affine[:3, :3], axis=0)
    side = np.delete(spacing * one.source.image.shape, slice_axis(one.source)).max()
    assert metrics["max_mm"] == pytest.approx(length.max(), rel=1e-5)
    assert metrics["mean_percent"] == pytest.approx(100 * length.mean() / side, rel=1e-5)
    assert metrics["max_percent"] > 3, "this deformation should be seen"
    for value, change in metrics["label_volume_change"].items():
        counts = [
            np.count_nonzero(np.asarray(labels) == int(value))
            for labels in (nib.load(one.out / "labels.nii.gz").dataobj, one.source.labels)
        ]
        assert change == pytest.approx(100 * (counts[0] / counts[1] - 1))
        ml = np.prod(spacing) / 1000
        before, after = metrics["label_volume_ml"][value]
        assert (after, before) == pytest.approx((counts[0] * ml, counts[1] * ml), rel=1e-4)
        assert metrics["label_folding_permille"][value] == 0
    assert {"level": 55, "seed": 3, "steps": 3, "model": "tiny"}.items() <= metrics.items()


@every_case
def test_no_cell_of_the_saved_field_folds(one: Made) -> None:
    """The four corner determinants of every in-plane cell, from the file and by NumPy alone."""
    axis = slice_axis(one.source)
    u = voxel_field(one.out / "displacement.nii.gz")
    assert np.abs(u[..., axis]).max() < 1e-3, "slices stay slices"
    planes = np.moveaxis(np.delete(u, axis, axis=-1), axis, 0)
    dx, dy = np.diff(planes, axis=1) + np.eye(2)[0], np.diff(planes, axis=2) + np.eye(2)[1]
    smallest = min(
        float((a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).min())
        for a in (dx[:, :, :-1], dx[:, :, 1:])
        for b in (dy[:, :-1], dy[:, 1:])
    )
    metrics = one.result.metrics
    assert smallest >= 0.01 - 1e-9
    assert metrics["min_det"] == pytest.approx(smallest, abs=1e-6)
    assert metrics["certified"] and metrics["strict_folding_permille"] == 0
    assert 0 < metrics["guard_scale"] <= 1


@every_case
def test_simpleitk_makes_the_same_image_of_the_saved_field(one: Made) -> None:
    field = sitk.ReadImage(str(one.out / "displacement.nii.gz"), sitk.sitkVectorFloat64)
    moving = sitk.ReadImage(str(one.given / "image.nii"))
    ours = sitk.GetArrayFromImage(sitk.ReadImage(str(one.out / "image.nii.gz"))).astype(float)
    slope, intercept = one.source.scaling or (1.0, 0.0)
    default = min(0.0, float(one.source.image.min()) * slope + intercept)
    transform = sitk.DisplacementFieldTransform(field)
    theirs = sitk.Resample(sitk.Cast(moving, sitk.sitkFloat64), transform, sitk.sitkLinear, default)
    apart = np.abs(ours - sitk.GetArrayFromImage(theirs))
    floating = one.source.image.dtype.kind == "f"
    level = 1e-3 * float(np.ptp(one.source.image)) if floating else slope
    assert apart.max() <= level
    assert apart.mean() <= (1e-5 if floating else 0.3) * level


@every_case
def test_simpleitk_makes_the_same_labels_of_the_saved_field(one: Made) -> None:
    field = sitk.ReadImage(str(one.out / "displacement.nii.gz"), sitk.sitkVectorFloat64)
    moving = sitk.ReadImage(str(one.given / "labels.nii.gz"))
    ours = sitk.GetArrayFromImage(sitk.ReadImage(str(one.out / "labels.nii.gz")))
    transform = sitk.DisplacementFieldTransform(field)
    values = np.unique(one.source.labels).tolist()
    shares = [
        sitk.GetArrayFromImage(
            sitk.Resample(sitk.Cast(moving == v, sitk.sitkFloat64), transform, sitk.sitkLinear)
        )
        for v in values
    ]
    theirs = np.array(values)[np.argmax(shares, axis=0)]
    for value in values:
        a, b = ours == value, theirs == value
        assert 2 * (a & b).sum() / (a.sum() + b.sum()) >= 0.998, f"label {value}"


@every_case
def test_the_saved_inverse_inverts_the_saved_field(one: Made) -> None:
    """phi(psi(y)) = y by SciPy, in voxels, wherever psi(y) is inside."""
    u, w = (voxel_field(one.out / f"{name}.nii.gz") for name in ("displacement", "inverse"))
    grid = np.moveaxis(np.indices(u.shape[:3]), 0, -1)
    psi = grid + w
    at = np.moveaxis(psi, -1, 0)
    moved = [map_coordinates(u[..., i], at, order=1, mode="nearest") for i in range(3)]
    error = np.linalg.norm(w + np.stack(moved, -1), axis=-1)
    last = np.array(u.shape[:3]) - 1
    inside = np.delete((psi >= 0) & (psi <= last), slice_axis(one.source), axis=-1).all(axis=-1)
    assert inside.mean() > 0.5
    assert np.percentile(error[inside], 99) < 0.05
    assert error[inside].max() < 0.5
    told = one.result.metrics
    assert told["inverse_error_voxels"] < 0.05
    assert told["inverse_outside_percent"] == pytest.approx(100 * (1 - inside.mean()), abs=0.2)


@every_case
def test_the_jacobian_is_that_of_the_saved_field(one: Made) -> None:
    u, axis = voxel_field(one.out / "displacement.nii.gz"), slice_axis(one.source)
    i, j = (a for a in range(3) if a != axis)
    matrix = [[np.gradient(u[..., a], axis=b) + (a == b) for b in (i, j)] for a in (i, j)]
    expected = matrix[0][0] * matrix[1][1] - matrix[0][1] * matrix[1][0]
    found = np.asarray(nib.load(one.out / "jacobian.nii.gz").dataobj)
    np.testing.assert_allclose(found, expected, atol=1e-4)


class Untouchable(nn.Module):
    def forward(self, *inputs: Tensor) -> Tensor:
        raise AssertionError("level 0 needs no network")


@pytest.mark.parametrize("name", ["flipped", "float32", "scaled"])
def test_level_0_is_the_input_bit_for_bit(one: Made, model: Model) -> None:
    still = Model(model.spec, Untouchable(), model.device, model.sha256)
    result = generate(one.case, still, level=0, seed=3)
    for before, after in zip(
        (*one.case.images, *one.case.labels),
        (*result.case.images, *result.case.labels),
        strict=True,
    ):
        assert before.data.dtype == after.data.dtype
        np.testing.assert_array_equal(before.data, after.data)
    assert not result.displacement.any() and not result.inverse.any()
    np.testing.assert_array_equal(result.jacobian, 1)
    assert result.metrics["min_det"] == 1 and result.metrics["guard_scale"] == 1
    assert result.metrics["max_mm"] == 0 and result.metrics["steps"] == 0


@pytest.mark.parametrize("name", ["oblique"])
def test_the_same_options_give_the_same_bits(one: Made, model: Model) -> None:
    torch.manual_seed(77)
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    again = generate(one.case, model, **OPTIONS)
    assert torch.equal(torch.random.get_rng_state(), state), "the global generator was used"
    assert torch.get_num_threads() == threads
    for name in ("displacement", "inverse", "jacobian"):
        assert getattr(again, name).tobytes() == getattr(one.result, name).tobytes(), name
    assert again.case.image.tobytes() == one.result.case.image.tobytes()
    assert again.case.label_map.tobytes() == one.result.case.label_map.tobytes()
    first, second = dict(one.result.metrics), dict(again.metrics)
    assert first.pop("seconds") > 0 and second.pop("seconds") > 0
    assert first == second
    assert again.recipe == one.result.recipe


@pytest.mark.parametrize("name", ["phantom"])
@pytest.mark.parametrize(
    "change", [{"seed": 4}, {"level": 54}, {"steps": 4}], ids=["seed", "level", "steps"]
)
def test_every_option_changes_the_field(one: Made, model: Model, change: dict[str, int]) -> None:
    other = generate(one.case, model, **{**OPTIONS, **change})
    assert np.abs(other.displacement - one.result.displacement).max() > 1e-3


@pytest.mark.parametrize("name", ["phantom"])
def test_a_slice_wise_geometry_does_not_change_the_deformation(one: Made, model: Model) -> None:
    """The same voxels on an oblique grid move by the same voxels."""
    turned = Case.from_arrays(one.source.image, affine=rotated(one.source.affine))
    result = generate(turned, model, **OPTIONS)
    straight = one.result.displacement @ np.linalg.inv(linear_lps(one.source.affine)).T
    oblique = result.displacement @ np.linalg.inv(linear_lps(turned.grid.affine)).T
    np.testing.assert_allclose(oblique, straight, atol=1e-3)
    np.testing.assert_array_equal(result.case.image, one.result.case.image)


@pytest.mark.parametrize("name", ["phantom"])
def test_slices_share_a_deformation_or_have_one_each(one: Made, model: Model) -> None:
    shared, each = one.result, generate(one.case, model, **OPTIONS, slices="each")
    np.testing.assert_array_equal(shared.displacement[:, :, 0], shared.displacement[:, :, 2])
    assert np.abs(each.displacement[:, :, 0] - each.displacement[:, :, 2]).max() > 1
    assert each.metrics["min_det"] >= 0.01 and each.metrics["certified"]
    steps = list(recover(one.case, model, **OPTIONS, slices="each"))
    starts = [s.recovery.displacement for s in steps if s.recovery.index == 0]
    assert [s.slab for s in steps] == [0] * 4 + [1] * 4 + [2] * 4
    assert [s.index for s in steps] == list(range(12))
    assert min((a - b).abs().max() for a, b in pairwise(starts)) > 1, "each has its own draws"


def test_a_cine_is_deformed_alike_in_every_frame(model: Model) -> None:
    cine = cardiac_phantom(2, slices=2, phases=3, shape=(64, 72), spacing=(2.3, 2.0, 9.0))
    image = cine.image.copy()
    image[..., 2] = image[..., 0]
    case = Case.from_arrays(image, cine.labels[..., :1].repeat(3, axis=3), affine=cine.affine)
    result = generate(case, model, **OPTIONS)
    assert result.case.image.shape == image.shape
    np.testing.assert_array_equal(result.case.image[..., 2], result.case.image[..., 0])
    assert np.any(result.case.image[..., 1] != result.case.image[..., 0])
    np.testing.assert_array_equal(result.case.label_map[..., 2], result.case.label_map[..., 0])
    assert result.displacement.shape == (*image.shape[:3], 3)


def test_a_volume_is_deformed_by_a_3d_model() -> None:
    solid = tiny(3)
    noise = np.random.default_rng(0).random((26, 34, 18)).astype(np.float32)
    case = Case.from_arrays(noise, (noise > 0.5).astype(np.uint8), spacing=(1.2, 1.1, 1.9))
    result = generate(case, solid, level=70, seed=2, steps=2)
    assert result.metrics["certified"] and result.metrics["max_percent"] > 2
    assert np.abs(result.displacement).reshape(-1, 3).max(axis=0).min() > 0.2, "all three axes"
    assert result.metrics["inverse_error_voxels"] < 0.05
    with pytest.raises(InputError, match="a 3D model needs a volume"):
        generate(Case.from_arrays(noise[:, :, 0]), solid, level=70)
    with pytest.raises(InputError, match="cubic exists for 2D models only"):
        generate(case, solid, level=70, interpolation="cubic")


@pytest.mark.parametrize("name", ["phantom"])
def test_steps_lead_from_the_random_field_to_the_result(one: Made, model: Model) -> None:
    free = {**OPTIONS, "allow_folds": True}
    steps = list(recover(one.case, model, **free))
    assert [(s.index, s.total) for s in steps] == [(i, 4) for i in range(4)]
    assert [s.level for s in steps] == [55, 37, 18, 0]
    *_, last = iterate(one.case, model, Options(**free))
    assert isinstance(last, Result)
    np.testing.assert_array_equal(steps[-1].displacement(), last.displacement)
    assert np.abs(steps[0].displacement() - last.displacement).max() > 0.5
    assert not torch.is_inference_mode_enabled()
    for step in steps:
        whole = step.recovery.flow.displacement()
        torch.testing.assert_close(step.recovery.displacement, whole, atol=1e-4, rtol=0)
    assert last.metrics["guard_scale"] == 1


@pytest.mark.parametrize("name", ["phantom"])
def test_folds_are_allowed_only_when_asked_for(one: Made, model: Model) -> None:
    schedule = model.spec.schedule.model_copy(update={"sigma": 1.2e-4})
    wild = replace(model, spec=model.spec.model_copy(update={"schedule": schedule}))
    free = generate(one.case, wild, level=80, seed=3, steps=1, allow_folds=True).metrics
    assert free["guard_scale"] == 1 and free["min_det"] < 0 and not free["certified"]
    assert free["strict_folding_permille"] > 0
    held = generate(one.case, wild, level=80, seed=3, steps=1).metrics
    assert held["guard_scale"] < 1 and held["min_det"] >= 0.01 and held["certified"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["phantom"])
def test_the_shipped_model_makes_a_certified_new_heart(one: Made) -> None:
    if "cardiac-sax" not in {entry.name for entry in list_models()}:
        pytest.skip("no model ships with this checkout")
    result = generate(one.case, load_model("cardiac-sax", "cpu"), level=48, seed=1)
    metrics = result.metrics
    assert metrics["certified"] and metrics["min_det"] >= 0.01
    assert 1 < metrics["mean_percent"] < metrics["max_percent"] < 30
    assert metrics["guard_scale"] > 0.95
    assert metrics["labels_lost"] == [] and metrics["inverse_error_voxels"] < 0.05
