"""A new case as files: what is kept, its measures, and its field against SimpleITK and SciPy."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import map_coordinates

from tests.support.stored_cases import Made, every_case, slice_axis, voxel_field


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
    reported = one.result.metrics
    assert reported["inverse_error_voxels"] < 0.05
    assert reported["inverse_outside_percent"] == pytest.approx(100 * (1 - inside.mean()), abs=0.2)


@every_case
def test_the_jacobian_is_that_of_the_saved_field(one: Made) -> None:
    u, axis = voxel_field(one.out / "displacement.nii.gz"), slice_axis(one.source)
    i, j = (a for a in range(3) if a != axis)
    matrix = [[np.gradient(u[..., a], axis=b) + (a == b) for b in (i, j)] for a in (i, j)]
    expected = matrix[0][0] * matrix[1][1] - matrix[0][1] * matrix[1][0]
    found = np.asarray(nib.load(one.out / "jacobian.nii.gz").dataobj)
    np.testing.assert_allclose(found, expected, atol=1e-4)
