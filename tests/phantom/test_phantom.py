"""The phantom as a file and as a case: size, place, seeds, impossible requests."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from src_core.errors import ArgumentError
from src_core.phantom import Phantom, cardiac_phantom, phantom_case
from src_core.phantom.scanner import NOISE
from tests.support.phantoms import END_SYSTOLE, LV, MYOCARDIUM, RV, SMALL


@pytest.fixture(scope="module")
def few() -> list[Phantom]:
    return [cardiac_phantom(seed, **SMALL) for seed in range(3)]


def test_looks_like_a_scanner_file(cine):
    assert (cine.image.shape, cine.image.dtype) == ((208, 240, 10, 20), np.int16)
    assert (cine.labels.shape, cine.labels.dtype) == (cine.image.shape, np.uint8)
    assert set(np.unique(cine.labels)) == {0, RV, MYOCARDIUM, LV}
    assert cine.image.min() >= 0
    assert 1000 < cine.image.max() < 3000
    assert all(volume.shape == (20,) for volume in cine.volumes_ml.values())


def test_the_affine_has_the_spacing_and_the_middle(cine):
    assert cine.spacing == (1.4, 1.4, 8.0)
    assert np.allclose(np.linalg.norm(cine.affine[:3, :3], axis=0), cine.spacing)
    middle = (np.array(cine.image.shape[:3]) - 1) / 2
    assert np.allclose(cine.affine @ [*middle, 1], [0, 0, 0, 1])


def test_the_right_ventricle_lies_to_the_right(cine):
    where = {
        label: cine.affine[:3] @ [*np.argwhere(cine.labels[..., 0] == label).mean(axis=0), 1]
        for label in (RV, LV)
    }
    assert where[RV][0] > where[LV][0] + 20


def test_equal_seeds_give_equal_bits(few):
    again = cardiac_phantom(1, **SMALL)
    assert again.image.tobytes() == few[1].image.tobytes()
    assert again.labels.tobytes() == few[1].labels.tobytes()
    assert all(np.array_equal(again.volumes_ml[k], few[1].volumes_ml[k]) for k in (1, 2, 3))


def test_seeds_change_anatomy_and_not_only_noise(few):
    for one, other in ((0, 1), (1, 2)):
        assert (few[one].labels != few[other].labels).mean() > 0.001
        assert abs(few[one].volumes_ml[LV][0] / few[other].volumes_ml[LV][0] - 1) > 0.005
        difference = few[one].image.astype(float) - few[other].image
        assert difference.std() > 5 * NOISE


def test_global_random_numbers_are_left_alone():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    cardiac_phantom(0, **SMALL)
    assert np.array_equal(np.random.get_state()[1], before)


def test_it_needs_neither_torch_nor_a_viewer():
    code = "import sys, src_core.phantom; print('torch' in sys.modules or 'napari' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize(
    "wrong",
    [
        {"slices": 0},
        {"phases": 0},
        {"shape": (208, 8)},
        {"shape": (208,)},
        {"spacing": (1.4, 0.0, 8.0)},
        {"spacing": (1.4, float("nan"), 8.0)},
        {"spacing": (1.4, 8.0)},
        {"seed": -1},
    ],
)
def test_impossible_requests_are_refused(wrong):
    with pytest.raises(ArgumentError, match=r"cardiac_phantom\(\)"):
        cardiac_phantom(**wrong)


def test_a_case_is_one_phase_of_the_cine(cine):
    case = phantom_case(3, phase=END_SYSTOLE)
    assert np.array_equal(case.image, cine.image[..., END_SYSTOLE])
    assert np.array_equal(case.label_map, cine.labels[..., END_SYSTOLE])
    assert case.image.dtype == np.int16
    assert case.grid.shape == (208, 240, 10)
    assert np.allclose(case.grid.affine, cine.affine)
    assert case.name == "phantom-3"


@pytest.mark.parametrize("phase", [-1, 20])
def test_a_phase_that_is_not_there_is_refused(phase):
    with pytest.raises(ArgumentError, match="phase"):
        phantom_case(0, phase=phase)
