"""The phantom against closed forms, its own shapes, and what is known of hearts and of noise."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from src_core.errors import ArgumentError
from src_core.phantom import Phantom, cardiac_phantom, phantom_case
from src_core.phantom.heart import Heart, contraction, volumes_ml
from src_core.phantom.scanner import NOISE

SMALL = {"slices": 3, "phases": 2, "shape": (96, 112), "spacing": (2.6, 2.4, 9.0)}
RV, MYOCARDIUM, LV = 1, 2, 3
END_SYSTOLE = 8


@pytest.fixture(scope="module")
def cine() -> Phantom:
    return cardiac_phantom(3)


@pytest.fixture(scope="module")
def few() -> list[Phantom]:
    return [cardiac_phantom(seed, **SMALL) for seed in range(3)]


def voxel_ml(phantom: Phantom, label: int) -> np.ndarray:
    count = (phantom.labels == label).sum(axis=(0, 1, 2))
    return count * np.prod(phantom.spacing) / 1000


def deviation(phantom: Phantom, label: int) -> float:
    return float(np.abs(voxel_ml(phantom, label) / phantom.volumes_ml[label] - 1).max())


def plain_heart(**changed) -> Heart:
    fields = {
        "centre": (0.0, 0.0),
        "lean": (0.0, 0.0),
        "length": 84.0,
        "radius": 25.0,
        "wall": 9.0,
        "ejection": 0.6,
        "rv_depth": 0.0,
        "rv_ejection": 0.4,
        "rv_turn": np.pi,
        "rv_sides": (0.0, 1.4, 1.7),
        "rv_corners": 3.0,
        "lumps": ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0)),
        "septum": 0.0,
    }
    return Heart(**(fields | changed))


# what it is


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


def test_the_global_dice_are_left_alone():
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


# its labels


@pytest.mark.parametrize("phase", [0, END_SYSTOLE, 14])
@pytest.mark.parametrize("slice_", [2, 4, 6])
def test_muscle_is_one_ring_round_the_cavity(cine, slice_, phase):
    labels = cine.labels[:, :, slice_, phase]
    ring, cavity = labels == MYOCARDIUM, labels == LV
    assert ndimage.label(ring)[1] == ndimage.label(cavity)[1] == 1
    assert np.array_equal(ndimage.binary_fill_holes(ring), ring | cavity)


@pytest.mark.parametrize("phase", [0, END_SYSTOLE, 14])
@pytest.mark.parametrize("slice_", [0, 2, 4, 6])
def test_the_right_ventricle_leans_on_the_muscle_only(cine, slice_, phase):
    labels = cine.labels[:, :, slice_, phase]
    ventricle = labels == RV
    assert ndimage.label(ventricle)[1] == 1
    beside = ndimage.binary_dilation(ventricle) & ~ventricle
    assert (labels[beside] == MYOCARDIUM).sum() > 20
    assert not (labels[beside] == LV).any()


def test_the_heart_tapers_to_the_apex(cine):
    area = (cine.labels[..., 0] >= MYOCARDIUM).sum(axis=(0, 1))
    assert (np.diff(area[3:]) < 0).all()
    assert area[-1] < 0.5 * area[0]
    assert (cine.labels[:, :, -1] != RV).all()
    assert (cine.labels[:, :, :7] == RV).any(axis=(0, 1)).all()


# its volumes


@pytest.mark.parametrize(("label", "within"), [(LV, 0.03), (MYOCARDIUM, 0.05), (RV, 0.05)])
def test_voxels_hold_the_volumes_of_the_shapes(cine, label, within):
    assert deviation(cine, label) < within


def test_fine_anisotropic_voxels_come_closer():
    fine = cardiac_phantom(4, slices=27, phases=1, shape=(260, 160), spacing=(0.8, 1.1, 3.0))
    assert deviation(fine, LV) < 0.003
    assert deviation(fine, MYOCARDIUM) < 0.003
    assert deviation(fine, RV) < 0.006


def test_more_slices_than_heart_and_only_one():
    long = cardiac_phantom(2, slices=13, phases=2, shape=(104, 90), spacing=(1.9, 1.9, 8.0))
    assert not long.labels[:, :, -2:].any()
    assert deviation(long, LV) < 0.03
    one = cardiac_phantom(2, slices=1, phases=2, shape=(104, 90), spacing=(1.9, 1.9, 8.0))
    assert set(np.unique(one.labels)) == {0, RV, MYOCARDIUM, LV}
    assert deviation(one, LV) < 0.03


def test_the_oracle_has_the_closed_form_of_round_cavities():
    heart = plain_heart(lumps=((0.03, 0.2), (0.0, 0.0), (0.02, 1.0)))
    power, end = 3.1, heart.length - 0.4 * heart.wall
    whole = volumes_ml(heart, np.array([0.0, 1.0]), (0.0, heart.length))
    round_ = np.pi * (1 + (0.03**2 + 0.02**2) / 2) / 1000
    cavity = round_ * heart.radius**2 * end * power / (power + 1)
    solid = round_ * (heart.radius + heart.wall) ** 2 * heart.length * power / (power + 1)
    assert whole[LV] == pytest.approx([cavity, 0.4 * cavity], rel=1e-4)
    assert whole[MYOCARDIUM] == pytest.approx(2 * [solid - cavity], rel=1e-4)
    assert whole[RV] == pytest.approx([0, 0], abs=1e-12)


def test_the_oracle_is_what_dice_find():
    heart = Heart.draw(np.random.default_rng(8))
    rng = np.random.default_rng(1)
    points = rng.uniform((-90, -60, 10), (60, 60, 60), (60_000, 3))
    hits = np.zeros(4)
    for z in np.linspace(10.5, 59.5, 50):
        x, y, _ = points[np.abs(points[:, 2] - z) <= 0.5].T
        curves = heart.contours(z, 0.7)
        turn = np.linspace(-np.pi, np.pi, len(curves.endo), endpoint=False)
        radii = (np.interp(np.arctan2(y, x), turn, c) for c in (curves.rv, curves.epi, curves.endo))
        inside = [np.hypot(x, y) < r for r in radii]
        hits += np.bincount(np.sum(inside, axis=0), minlength=4)
    box = 150 * 120 * 50 / 1000
    known = volumes_ml(heart, np.array([0.7]), (10.0, 60.0))
    for label in (RV, MYOCARDIUM, LV):
        share = known[label][0] / box
        spread = np.sqrt(share * (1 - share) / len(points))
        assert abs(hits[label] / len(points) - share) < 4 * spread


# its beat


def test_muscle_keeps_its_volume(cine):
    muscle = cine.volumes_ml[MYOCARDIUM]
    assert np.ptp(muscle) / muscle[0] < 1e-9
    counted = voxel_ml(cine, MYOCARDIUM)
    assert np.ptp(counted) / counted[0] < 0.02


def test_it_ejects_from_frame_0_to_frame_8(cine):
    cavity = cine.volumes_ml[LV]
    assert (cavity.argmax(), cavity.argmin()) == (0, END_SYSTOLE)
    assert (np.diff(cavity[: END_SYSTOLE + 1]) < 0).all()
    assert (np.diff(cavity[END_SYSTOLE:]) >= 0).all()
    counted = voxel_ml(cine, LV)
    assert 0.45 < 1 - counted[END_SYSTOLE] / counted[0] < 0.75


def test_the_wall_thickens(cine):
    def thickness(phase: int) -> float:
        labels = cine.labels[:, :, 4, phase]
        outer, inner = (labels >= MYOCARDIUM).sum(), (labels == LV).sum()
        return float(np.sqrt(outer) - np.sqrt(inner))

    assert thickness(END_SYSTOLE) > 1.3 * thickness(0)


@pytest.mark.parametrize("seed", range(12))
def test_every_seed_is_a_healthy_adult(seed):
    heart = Heart.draw(np.random.default_rng(seed))
    volumes = volumes_ml(heart, np.array([0.0, 1.0]), (0.0, heart.length))
    assert 85 < volumes[LV][0] < 190
    assert 70 < volumes[RV][0] < 220
    assert 80 < volumes[MYOCARDIUM][0] < 170
    for label in (RV, LV):
        assert 0.45 < 1 - volumes[label][1] / volumes[label][0] < 0.75


def test_the_beat_is_smooth_and_periodic():
    assert (contraction(0.0), contraction(1.0), contraction(0.4)) == pytest.approx((0, 0, 1))
    times = np.linspace(-0.5, 1.5, 2001)
    squeeze = np.array([contraction(t) for t in times])
    assert squeeze == pytest.approx(np.array([contraction(t + 1) for t in times]), abs=1e-5)
    speed = np.gradient(squeeze, times)
    assert np.abs(np.diff(speed)).max() < 0.05 * np.abs(speed).max()


# its picture


def test_noise_in_air_is_rayleigh(cine):
    air = cine.image[:12, :40, :, :].astype(float)
    assert air.mean() == pytest.approx(NOISE * np.sqrt(np.pi / 2), rel=0.02)
    assert air.std() == pytest.approx(NOISE * np.sqrt(2 - np.pi / 2), rel=0.02)
    assert np.mean(air**2) == pytest.approx(2 * NOISE**2, rel=0.03)
    frames = air.reshape(-1, air.shape[-1]).T
    assert np.abs(np.corrcoef(frames) - np.eye(len(frames))).max() < 0.06


def test_noise_in_bright_tissue_at_rest_is_gaussian(cine):
    still = cine.image.astype(np.float32)[:, 60:150]
    mean, spread = still.mean(axis=-1), still.std(axis=-1, ddof=1)
    far = np.ones(mean.shape, bool)
    far[40:170] = False
    fat = far & (mean > 400)
    assert fat.sum() > 2000
    assert np.sqrt((spread[fat] ** 2).mean()) == pytest.approx(NOISE, rel=0.03)


def test_tissues_have_the_contrast_of_the_sequence(cine):
    picture, labels = cine.image[:, :, 4, 0], cine.labels[:, :, 4, 0]
    blood, muscle = (np.median(picture[labels == k]) for k in (LV, MYOCARDIUM))
    lung = np.percentile(picture[80:160, 60:180], 5)
    assert blood > 2.5 * muscle
    assert lung < 0.4 * muscle
    papillary = (picture < 0.5 * blood) & ndimage.binary_erosion(labels == LV, iterations=2)
    assert 15 < papillary.sum() < 0.25 * (labels == LV).sum()


def test_borders_in_the_image_follow_the_labels(cine):
    for phase in (0, END_SYSTOLE):
        picture = cine.image[:, :, 2, phase]
        cavity = cine.labels[:, :, 2, phase] == LV
        inside = ndimage.binary_erosion(cavity, iterations=4)
        ring = ndimage.binary_dilation(cavity, iterations=4) & ~ndimage.binary_dilation(
            cavity, iterations=2
        )
        ring &= cine.labels[:, :, 2, phase] == MYOCARDIUM
        assert np.percentile(picture[ring], 90) < 0.6 * np.median(picture[inside])


# as a case


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
