"""The phantom's labels, volumes and beat, against closed forms and its own shapes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from src_core.phantom import cardiac_phantom
from src_core.phantom.heart import Heart, contraction, volumes_ml
from tests.support.phantoms import END_SYSTOLE, LV, MYOCARDIUM, RV, deviation, voxel_ml


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


def test_the_volumes_are_those_of_random_points():
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
