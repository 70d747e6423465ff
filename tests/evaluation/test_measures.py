"""Measures of an evaluation on fields and shapes made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from hypothesis import given
from hypothesis import strategies as st

from src_core.cases.label_shapes import enclosed_share, wall_thickness
from src_core.diffusion.bspline_field import bspline, elastic_ddf
from src_core.errors import ArgumentError
from src_core.evaluation.anatomy import Anatomy, find_anatomy, shape_figures
from src_core.evaluation.measures import field_figures
from src_core.evaluation.octaves import octave_energies
from src_core.experiments.statistics import (
    interpolate,
    interval,
    mean_of,
    ratio_of,
    resampled_distances,
    resampled_means,
    resampled_weights,
    shape_distance,
    split_half_distance,
)

COMPONENTS = (32, 16, 8)


def blocks(ndim, count, side, seed=0):
    """A field constant on count^D blocks, whose mean over each pair along each axis is zero."""
    values = np.random.default_rng(seed).normal(size=(ndim, *[count] * ndim))
    for axis in range(1, ndim + 1):
        even = np.take(values, np.arange(0, count, 2), axis=axis)
        values = np.repeat(even, 2, axis=axis)
        sign = np.resize([1, -1], count).reshape([-1 if a == axis else 1 for a in range(ndim + 1)])
        values = values * sign
    for axis in range(1, ndim + 1):
        values = np.repeat(values, side // count, axis=axis)
    return values


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize(("count", "name"), [(8, "energy_16"), (16, "energy_32"), (32, "finer")])
def test_a_field_of_one_octave_has_its_energy_there(ndim, count, name):
    side = 32
    u = blocks(ndim, count, side)
    found = octave_energies(u, COMPONENTS)
    whole = np.square(100 / side * u).sum(axis=0).mean()
    name = "energy_finer" if name == "finer" else name
    assert found["energy"] == pytest.approx(whole)
    assert found[name] == pytest.approx(whole)
    others = [v for k, v in found.items() if k not in ("energy", name)]
    assert np.allclose(others, 0, atol=1e-9 * whole)


@given(st.integers(0, 99))
def test_octaves_add_up_to_the_whole(seed):
    u = np.random.default_rng(seed).normal(size=(2, 32, 32))
    found = octave_energies(u, COMPONENTS)
    assert sum(v for k, v in found.items() if k != "energy") == pytest.approx(found["energy"])


def test_a_translation_lies_in_the_coarsest_octave():
    u = np.broadcast_to(np.array([3.0, -4.0])[:, None, None], (2, 64, 64))
    found = octave_energies(u, (64, 32, 16, 8))
    assert found["energy_8"] == pytest.approx((100 * 5 / 64) ** 2)
    assert found["energy"] == found["energy_8"]


@pytest.mark.parametrize("shape", [(2, 32, 48), (3, 32, 32), (2, 30, 30)])
def test_octaves_want_a_square_that_blocks_divide(shape):
    with pytest.raises(ArgumentError, match="octave_energies"):
        octave_energies(np.zeros(shape), COMPONENTS)


@pytest.mark.parametrize("ndim", [2, 3])
def test_table_1_of_a_field_that_folds_in_a_known_part(ndim):
    # along axis 0, u = -2 (x - a) over a quarter of the side turns that part around: det -1
    side, start, length = 16, 4, 4
    x = np.arange(side)
    slope = np.where((x >= start) & (x < start + length), -2.0, 0.0)
    u = np.zeros((1, ndim, *[side] * ndim), dtype=np.float32)
    line = np.concatenate([[0], np.cumsum(slope)[:-1]]) + length
    u[:, 0] = line.reshape(-1, *[1] * (ndim - 1))
    found = field_figures(torch.from_numpy(u), side)
    assert found["strict"] == pytest.approx(1000 * length / (side - 1))
    # a voxel at either end has one folded neighbour: central differences give det 0 there
    assert found["central"] == pytest.approx(1000 * (length + 1) / (side - 2))
    assert found["max"] == pytest.approx(100 * length / side)
    assert found["mean"] == pytest.approx(100 * np.abs(line).mean() / side)


def test_a_field_is_measured_on_the_model_s_grid():
    u = torch.zeros(1, 2, 16, 16)
    u[:, 0] = 1.5
    found = field_figures(u, 64)
    assert found == {"max": 100 * 1.5 / 16, "mean": 100 * 1.5 / 16, "central": 0.0, "strict": 0.0}


@pytest.mark.parametrize(("points", "ndim"), [(7, 2), (11, 2), (5, 3)])
def test_the_b_spline_is_that_of_itk(points, ndim):
    side = 20
    coefficients = np.random.default_rng(3).uniform(-1, 1, (ndim, *[points] * ndim))
    image = sitk.Image([side] * ndim, sitk.sitkFloat64)
    transform = sitk.BSplineTransformInitializer(image, [points - 3] * ndim, 3)
    # ITK's first axis runs fastest, its physical domain ends at the centres of the border voxels
    transform.SetTransformDomainOrigin([-0.5] * ndim)
    transform.SetTransformDomainPhysicalDimensions([float(side)] * ndim)
    transform.SetParameters(np.stack([c.T.ravel() for c in coefficients]).ravel().tolist())
    ours = bspline(coefficients, side)
    for place in np.random.default_rng(4).integers(0, side, (25, ndim)):
        moved = np.array(transform.TransformPoint(place.astype(float).tolist())) - place
        assert ours[(slice(None), *place)] == pytest.approx(moved, abs=1e-9)


@pytest.mark.parametrize("ndim", [2, 3])
def test_an_elastic_deformation_moves_as_much_as_asked(ndim):
    u = elastic_ddf(24, ndim, 1.75, torch.Generator().manual_seed(5))
    assert u.shape == (1, ndim, *[24] * ndim)
    assert float(torch.linalg.vector_norm(u, dim=1).mean()) == pytest.approx(1.75, rel=1e-5)


def disc(radius, ndim=2, side=64):
    offsets = np.indices([side] * ndim) - (side - 1) / 2
    return np.square(offsets).sum(0) <= radius**2


@pytest.mark.parametrize(("ndim", "side"), [(2, 96), (3, 64)])
def test_the_wall_of_an_annulus_is_as_thick_as_its_radii_say(ndim, side):
    inner = disc(12, ndim, side)
    mean, deviation = wall_thickness(disc(24, ndim, side) & ~inner, inner)
    assert mean == pytest.approx(12, abs=0.3)
    assert deviation < 0.5


def test_a_wall_that_is_thicker_on_one_side_is_uneven():
    inner = np.roll(disc(12, side=96), 5, axis=0)
    mean, deviation = wall_thickness(disc(24, side=96) & ~inner, inner)
    assert mean == pytest.approx(12, abs=0.6)
    assert deviation > 3


def test_a_breach_counts_as_no_wall():
    inner, outer = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    outer[5:35, 5:35] = True
    inner[5:25, 15:25] = True
    mean, _ = wall_thickness(outer & ~inner, inner)
    closed = inner.copy()
    closed[5:9] = False
    assert mean < wall_thickness(outer & ~closed, closed)[0]


def test_a_wall_without_inside_has_no_thickness():
    assert all(math.isnan(v) for v in wall_thickness(disc(9), np.zeros((64, 64))))
    assert all(math.isnan(v) for v in wall_thickness(np.zeros((64, 64)), disc(9)))


def heart(side=96):
    """1 beside a ring 2 around 3, as the labels of a short axis."""
    labels = np.zeros((side, side), np.uint8)
    labels[10:30, 30:70] = 1
    labels[disc(26, side=side)] = 2
    labels[disc(16, side=side)] = 3
    return labels


def test_what_encloses_what_is_found():
    assert find_anatomy([heart(), heart()]) == Anatomy((1, 2, 3), ((2, 3),))
    assert find_anatomy([heart()], walls=False) == Anatomy((1, 2, 3))
    assert enclosed_share(heart() == 3, heart() == 2) == 1.0
    assert math.isnan(enclosed_share(heart() == 7, heart() == 2))


def test_two_halves_enclose_nothing():
    hippocampus = np.zeros((20, 30, 20), np.uint8)
    hippocampus[5:15, 5:15, 5:15] = 1
    hippocampus[5:15, 15:25, 5:15] = 2
    anatomy = find_anatomy([hippocampus])
    assert anatomy == Anatomy((1, 2))
    found = shape_figures(hippocampus, anatomy, 2.0)
    assert found["volume 1"] == pytest.approx(1000 * 8 / 1000)
    assert found["log ratio 2/1"] == 0.0
    assert set(found) == {"volume 1", "volume 2", "ellipse 1", "ellipse 2", "log ratio 2/1"}


def test_shapes_of_a_heart_in_millimetres():
    labels, mm = heart(), 1.5
    found = shape_figures(labels, Anatomy((1, 2, 3), ((2, 3),)), mm)
    assert found["area 3"] == pytest.approx(math.pi * (16 * mm) ** 2, rel=0.01)
    assert found["thickness 2"] == pytest.approx(10 * mm, abs=0.4)
    assert found["ellipse 2+3"] > 0.985
    assert found["log ratio 3/2"] == pytest.approx(math.log(16**2 / (26**2 - 16**2)), abs=0.02)
    assert {"unevenness 2", "ellipse 1", "ellipse 3", "log ratio 3/1"} <= set(found)


def test_a_lost_label_has_no_shape():
    labels = heart()
    labels[labels == 1] = 0
    found = shape_figures(labels, Anatomy((1, 2, 3), ((2, 3),)), 1.0)
    assert math.isnan(found["area 1"]) and math.isnan(found["log ratio 3/1"])
    assert not math.isnan(found["area 3"])
    empty = shape_figures(np.zeros((9, 9), int), Anatomy((1, 2, 3), ((2, 3),)), 1.0)
    assert all(math.isnan(v) for v in empty.values())


def test_the_error_of_a_mean_goes_by_subject():
    found = mean_of([1.0, 3.0, 5.0, 7.0, np.nan], ["a", "a", "b", "b", "b"])
    assert (found.mean, found.n) == (4.0, 4)
    assert found.sd == pytest.approx(np.std([1, 3, 5, 7]))
    assert found.se == pytest.approx(np.std([2, 6], ddof=1) / math.sqrt(2))
    assert mean_of([np.nan], ["a"]).n == 0


def test_a_ratio_pools_and_its_error_is_zero_where_all_agree():
    found = ratio_of([1.0, 2.0, 6.0], [2.0, 4.0, 12.0], ["a", "b", "b"])
    assert (found.mean, found.se) == (0.5, pytest.approx(0))
    # residuals by subject: 1 and -1 of a whole of 4
    apart = ratio_of([2.0, 0.0], [2.0, 2.0], ["a", "b"])
    assert apart.mean == 0.5
    assert apart.se == pytest.approx(math.sqrt(2 * 2) / 4)


@given(st.floats(-4, 4))
def test_a_shift_is_its_size_in_deviations(shift):
    real = np.random.default_rng(0).normal(3, 2, 200)
    assert shape_distance(real + shift * real.std(), real) == pytest.approx(abs(shift), abs=1e-9)
    assert math.isnan(shape_distance([np.nan], real))


def test_halves_of_real_subjects_are_apart_by_chance_only():
    rng = np.random.default_rng(1)
    same = split_half_distance(rng.normal(size=400), [str(i) for i in range(400)])
    few = split_half_distance(rng.normal(size=12), [str(i) for i in range(12)])
    assert 0.02 < same.mean < 0.15 < few.mean
    assert math.isnan(split_half_distance([1.0, 2.0], ["a", "a"]).mean)


def test_a_bootstrap_draws_subjects():
    # two values a subject, equal: the interval is that of the subjects' mean, not narrower
    rng = np.random.default_rng(2)
    values = np.repeat(rng.normal(size=60), 2)
    weights = resampled_weights([str(i // 2) for i in range(120)], resamples=2000)
    assert (weights.sum(axis=1) == 120).all() and (weights[:, ::2] == weights[:, 1::2]).all()
    low, high = interval(
        resampled_means(np.append(values, np.nan), np.pad(weights, ((0, 0), (0, 1))))
    )
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / math.sqrt(60), rel=0.1)
    assert all(math.isnan(v) for v in interval(np.array([np.nan])))


@given(st.integers(0, 999))
def test_distances_of_weighted_samples_are_those_of_repeated_ones(seed):
    rng = np.random.default_rng(seed)
    sample, real = rng.normal(1, 1, 11), np.round(rng.normal(size=17), 1)
    sample[seed % 11] = np.nan
    weights = rng.integers(0, 3, (4, 11)).astype(float)
    weights[:, 3] = 1
    found = resampled_distances(sample, real, weights)
    for row, distance in zip(weights, found, strict=True):
        repeated = np.repeat(sample, row.astype(int))
        assert distance == pytest.approx(shape_distance(repeated, real), nan_ok=True)


def test_magnitudes_are_interpolated_and_never_beyond_the_levels():
    assert interpolate(2.5, [0, 2, 4], [0.0, 1.0, 3.0]) == pytest.approx(1.5)
    assert interpolate(2.5, [4, 0, 2], [3.0, 0.0, 1.0]) == pytest.approx(1.5)
    assert math.isnan(interpolate(4.5, [0, 2, 4], [0.0, 1.0, 3.0]))
