"""Volumes warped by compiled loops against PyTorch's way, in every stored type and direction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from src_core.cases.case import Case
from src_core.fields import warp_case as module
from src_core.fields.warp_case import warp_case

SHAPE = (7, 11, 6)
#: Oblique, anisotropic, with a mirrored axis: RAS mm from voxels.
AFFINE = np.eye(4)
AFFINE[:3, :3] = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix() * [1.2, 2, -3]
IMAGE_TYPES = ["uint8", "int16", "uint16", "int32", "float32", "float64"]
LABEL_TYPES = ["uint8", "int8", "int16", "uint16", "int32", "int64", "float32"]


def case_of(image: NDArray[Any], labels: NDArray[Any]) -> Case:
    return Case.from_arrays(image, labels, affine=AFFINE)


def scene(kind: str = "float32", label_kind: str = "uint8", seed: int = 0) -> Case:
    rng = np.random.default_rng(seed)
    image = rng.normal(100, 40, SHAPE).clip(0, 250).astype(kind)
    return case_of(image, rng.choice([0, 1, 2, 90], SHAPE).astype(label_kind))


def field_of(seed: int = 0, size: float = 4.0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, size, (*SHAPE, 3)).astype(np.float32)


def by_torch(case: Case, monkeypatch: pytest.MonkeyPatch, *args: Any, **options: Any) -> Case:
    with monkeypatch.context() as patch:
        patch.setattr(module, "warp_volumes", lambda *_: None)
        return warp_case(case, *args, **options)


@pytest.mark.parametrize("kind", IMAGE_TYPES)
def test_images_agree_with_torch(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(10):
        case, field = scene(kind, seed=seed), field_of(seed)
        ours, expected = warp_case(case, field).image, by_torch(case, monkeypatch, field).image
        assert ours.dtype == expected.dtype == np.dtype(kind)
        np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("mode", ["linear", "nearest"])
@pytest.mark.parametrize("kind", LABEL_TYPES)
def test_labels_agree_with_torch(kind: str, mode: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(10):
        case, field = scene(label_kind=kind, seed=seed), field_of(seed)
        ours = warp_case(case, field, labels=mode).labels[0].data
        expected = by_torch(case, monkeypatch, field, labels=mode).labels[0].data
        assert ours.dtype == expected.dtype == np.dtype(kind)
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_stay_apart_where_nothing_moves_along_an_axis(
    axis: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    affine = np.diag([2.0, 1.5, 1.0, 1])
    affine[axis, axis] = 8
    rng = np.random.default_rng(axis)
    case = Case.from_arrays(rng.normal(size=SHAPE), rng.integers(0, 4, SHAPE), affine=affine)
    field = field_of(axis)
    field[..., axis] = 0
    ours, expected = warp_case(case, field), by_torch(case, monkeypatch, field)
    np.testing.assert_allclose(ours.image, expected.image, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(ours.label_map, expected.label_map)


def test_frames_and_several_volumes_are_warped_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    one, cine = scene(), rng.integers(0, 3, (*SHAPE, 4)).astype(np.uint8)
    images = (one.images[0], one.images[0].with_data(rng.normal(size=(*SHAPE, 4))))
    labels = (one.labels[0], one.labels[0].with_data(np.asfortranarray(cine)))
    case = Case(images, labels, one.grid, "")
    ours, expected = warp_case(case, field_of()), by_torch(case, monkeypatch, field_of())
    for a, b in zip(
        (*ours.images, *ours.labels), (*expected.images, *expected.labels), strict=True
    ):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-6, atol=1e-9)


def test_a_field_of_zeros_leaves_every_bit() -> None:
    for kind in IMAGE_TYPES:
        case = scene(kind)
        same = warp_case(case, np.zeros((*SHAPE, 3), np.float32))
        assert same.image.tobytes() == case.image.tobytes()
        assert same.labels[0].data.tobytes() == case.labels[0].data.tobytes()


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    rng = np.random.default_rng(1)
    shape = (41, 60, 50)
    case = Case.from_arrays(rng.normal(size=shape), rng.integers(0, 5, shape))
    field = rng.normal(size=(*shape, 3)).astype(np.float32)
    before, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            warped = warp_case(case, field)
            found.append(warped.image.tobytes() + warped.labels[0].data.tobytes())
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_volumes_that_may_not_be_written_are_read() -> None:
    case, field = scene(), field_of()
    expected = warp_case(case, field)
    for array in (field, *(v.data for v in (*case.images, *case.labels))):
        array.flags.writeable = False
    assert warp_case(case, field).image.tobytes() == expected.image.tobytes()
