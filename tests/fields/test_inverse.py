from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import gaussian_filter, map_coordinates

from src_core.errors import ArgumentError
from src_core.fields import certify, exponential, invert
from src_core.fields.newton import newton

TOLERANCE = 1e-4


def grid_of(shape):
    return np.stack(np.meshgrid(*[np.arange(n, dtype=float) for n in shape], indexing="ij"))


def diffeomorphism(seed, shape, smooth, smallest):
    """exp of a smooth random velocity, as strong as its least determinant allows, (1, D, *)."""
    draws = np.random.default_rng(seed).standard_normal((len(shape), *shape))
    velocity = np.stack([gaussian_filter(draw, smooth, mode="nearest") for draw in draws])
    velocity = torch.from_numpy(velocity / np.abs(velocity).max())[None]
    low, high = 0.0, 150.0
    for _ in range(10):
        middle = (low + high) / 2
        enough = certify(exponential(velocity * middle, 8))[0].min_det < smallest
        low, high = (low, middle) if enough else (middle, high)
    return exponential(velocity * low, 8)


def error_by_scipy(u, w):
    """|phi(y + w) - y| with u continued by its border value: (D, *spatial) arrays -> (*spatial)."""
    y = grid_of(u.shape[1:])
    moved = [map_coordinates(one, y + w, order=1, mode="nearest") for one in u]
    return np.linalg.norm(w + np.stack(moved), axis=0)


def check_inverse(u, found, tolerance=TOLERANCE):
    """The stated error is the true one, and small wherever psi lies in the image."""
    w = found.displacement[0].double().numpy()
    error = error_by_scipy(u[0].double().numpy(), w)
    np.testing.assert_allclose(found.error_voxels[0], error, atol=1e-6)
    last = np.array(u.shape[2:]).reshape(-1, *[1] * (u.dim() - 2)) - 1
    psi = grid_of(u.shape[2:]) + w
    inside = ((psi >= -TOLERANCE) & (psi <= last + TOLERANCE)).all(0)
    assert (found.inside[0].numpy() == inside).all()
    assert error[inside].max() <= tolerance


@pytest.mark.parametrize("shape", [(7, 12), (5, 8, 6)])
def test_the_identity_is_its_own_inverse(shape):
    found = invert(torch.zeros(1, len(shape), *shape))
    assert not found.displacement.any() and not found.error_voxels.any()
    assert bool(found.inside.all()) and found.outside_share == 0


@settings(max_examples=40)
@given(
    hnp.arrays(np.float64, (2, 2), elements=st.floats(-0.45, 0.45)),
    hnp.arrays(np.float64, (3, 3), elements=st.floats(-0.3, 0.3)),
    hnp.arrays(np.float64, (3,), elements=st.floats(-6, 6)),
)
def test_an_affine_map_is_inverted_by_the_inverse_matrix(in_plane, in_space, shift):
    for change, shape in ((in_plane, (13, 22)), (in_space, (7, 11, 5))):
        ndim = len(shape)
        x = grid_of(shape)
        offset = shift[:ndim].reshape(-1, *[1] * ndim)
        u = np.einsum("ij,j...->i...", change, x) + offset
        back = np.einsum("ij,j...->i...", np.linalg.inv(np.eye(ndim) + change), x - offset)
        found = invert(torch.from_numpy(u)[None])
        last = np.array(shape).reshape(offset.shape) - 1
        inside = ((back > 1e-3) & (back < last - 1e-3)).all(0)
        assert found.inside[0].numpy()[inside].all()
        w = found.displacement[0].numpy()
        # An error of the image is an error of the point over the smallest singular value.
        allowed = TOLERANCE / np.linalg.svd(np.eye(ndim) + change)[1].min() + 1e-9
        assert np.abs(w - (back - x))[:, inside].max(initial=0) <= allowed


def test_a_radial_map_is_inverted_by_its_closed_form():
    # r -> r R / (2 R - r) inside a disc of radius R, with the inverse r -> 2 R r / (R + r).
    radius, shape, centre = 40.0, (97, 110), np.array([47.0, 56.0]).reshape(2, 1, 1)
    away = grid_of(shape) - centre
    r = np.linalg.norm(away, axis=0)
    u = np.where(r < radius, away * (radius / (2 * radius - r) - 1), 0)
    expected = np.where(r < radius, away * (2 * radius / (radius + r) - 1), 0)
    field = torch.from_numpy(u)[None]
    assert certify(field)[0].min_det == pytest.approx(0.25, abs=0.02)
    found = invert(field)
    check_inverse(field, found)
    # What is left is how far the grid's multilinear map is from the smooth one.
    difference = np.linalg.norm(found.displacement[0].numpy() - expected, axis=0)
    assert difference.max() < 0.1 and np.median(difference) < 5e-3


@pytest.mark.parametrize(
    ("shape", "smooth", "least_displacement"),
    [((256, 224), 18.0, 50.0), ((96, 140), 5.0, 12.0), ((40, 28, 36), 4.0, 8.0)],
)
def test_a_strongly_compressing_diffeomorphism_is_inverted_everywhere(
    shape, smooth, least_displacement
):
    u = diffeomorphism(1, shape, smooth, smallest=0.02)
    proof = certify(u)[0]
    assert 0.01 <= proof.min_det < 0.04 and float(u.abs().max()) > least_displacement
    found = invert(u)
    check_inverse(u, found)
    assert 0 < found.outside_share < 0.5
    # In single precision w is rounded to 4e-6 voxel, which phi enlarges by as much as it stretches.
    single = invert(u.float())
    check_inverse(u.float(), single, tolerance=5e-3)
    assert single.displacement.dtype == single.error_voxels.dtype == torch.float32


def test_the_inverse_of_the_inverse_comes_back():
    u = diffeomorphism(2, (60, 84), 8.0, smallest=0.4)
    once = invert(u)
    inner = (slice(None), slice(None), slice(14, -14), slice(14, -14))
    twice = invert(once.displacement).displacement
    # The inverse is sampled at voxels and multilinear again, so that this holds to its curvature.
    assert float((twice - u)[inner].abs().max()) < 0.1


def test_it_agrees_with_itk_on_a_moderate_field():
    u = diffeomorphism(3, (70, 90), 7.0, smallest=0.45)
    channels_last = np.ascontiguousarray(np.moveaxis(u[0].numpy()[::-1], 0, -1))
    image = sitk.GetImageFromArray(channels_last, isVector=True)
    by_itk = sitk.InvertDisplacementField(
        image,
        maximumNumberOfIterations=200,
        maxErrorToleranceThreshold=1e-3,
        meanErrorToleranceThreshold=1e-5,
        enforceBoundaryCondition=False,
    )
    expected = np.moveaxis(sitk.GetArrayFromImage(by_itk), -1, 0)[::-1]
    inner = (slice(None), slice(16, -16), slice(16, -16))
    assert float(u.abs().max()) > 4
    difference = invert(u).displacement[0].numpy()[inner] - expected[inner]
    assert np.abs(difference).max() < 5e-3


@pytest.mark.parametrize("shift", [3.0, 17.5, 1000.0])
def test_outside_the_image_the_border_displacement_continues(shift):
    u = torch.zeros(1, 2, 30, 41)
    u[:, 0], u[:, 1] = shift, -2.0
    found = invert(u)
    torch.testing.assert_close(found.displacement, -u)
    rows = max(0, 30 - int(np.ceil(shift)))
    expected = torch.zeros(30, 41, dtype=torch.bool)
    expected[30 - rows :, : 41 - 2] = rows > 0
    assert torch.equal(found.inside[0], expected)
    assert found.outside_share == pytest.approx(1 - rows * 39 / (30 * 41))
    assert float(found.error_voxels.max()) < TOLERANCE


def test_where_the_extension_folds_over_the_image_the_image_wins():
    # Turned by 160 degrees nothing folds inside, but the border's displacement points inwards.
    angle, shape = np.deg2rad(160), (21, 34)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = (np.array(shape).reshape(2, 1, 1) - 1) / 2
    away = grid_of(shape) - centre
    u = torch.from_numpy(np.einsum("ij,jxy->ixy", turn, away) - away)[None]
    assert certify(u)[0].min_det == pytest.approx(1)
    back = np.einsum("ji,jxy->ixy", turn, away)
    covered = (np.abs(back) < centre - 1e-3).all(0)
    found = invert(u)
    assert covered.sum() > 400 and found.inside[0].numpy()[covered].all()
    difference = found.displacement[0].numpy() - (back - away)
    assert np.abs(difference[:, covered]).max() < TOLERANCE


def test_newton_reaches_across_a_steep_step_where_full_steps_run_away():
    steps = torch.tensor([0.2] * 4 + [4.0] + [0.2] * 4, dtype=torch.float64)
    x = torch.arange(10.0, dtype=torch.float64)
    image = torch.cat((torch.zeros(1, dtype=torch.float64), steps.cumsum(0)))
    u = torch.zeros(2, 10, 4, dtype=torch.float64)
    u[0] = (image - x)[:, None]
    start = torch.tensor([[0.5, 8.5, -20.0], [1.0, 2.0, 2.0]]).double()
    goal = torch.tensor([[image[4] + 2.0] * 3, [1.5, 1.0, 2.0]]).double()
    found, error = newton(u, start, goal, iterations=40, tolerance=1e-9)
    expected = torch.tensor([[4.5] * 3, [1.5, 1.0, 2.0]]).double()
    torch.testing.assert_close(found, expected)
    assert float(error.max()) <= 1e-9


def test_a_folded_field_gets_the_best_point_and_its_true_error():
    rng = np.random.default_rng(5)
    u = torch.from_numpy(rng.normal(scale=1.5, size=(1, 2, 24, 31)))
    assert certify(u)[0].bad_cells > 100
    found = invert(u)
    error = error_by_scipy(u[0].numpy(), found.displacement[0].numpy())
    np.testing.assert_allclose(found.error_voxels[0], error, atol=1e-9)
    # A continuous map reaches every voxel, folded or not; only a few are not found.
    assert np.quantile(error, 0.99) <= TOLERANCE


def test_equal_slices_are_solved_once(monkeypatch):
    from src_core.fields import inverse

    solved = []
    solve = inverse._invert_one
    monkeypatch.setattr(inverse, "_invert_one", lambda *args: solved.append(1) or solve(*args))
    one, other = diffeomorphism(6, (20, 26), 4.0, 0.5), diffeomorphism(7, (20, 26), 4.0, 0.5)
    found = invert(torch.cat([one, other, one, one]))
    assert len(solved) == 2
    alone = [invert(field).displacement for field in (one, other, one, one)]
    assert torch.equal(found.displacement, torch.cat(alone))


@pytest.mark.parametrize("shape", [(50, 37), (15, 22, 13)])
def test_large_fields_are_cut_without_a_trace(shape, monkeypatch):
    monkeypatch.setattr("src_core.fields.inverse.can_invert", lambda ndim: False)
    u = diffeomorphism(8, shape, 4.0, smallest=0.1)
    whole = invert(u)
    monkeypatch.setattr("src_core.fields.candidates._CELLS_AT_ONCE", 500)
    monkeypatch.setattr("src_core.fields.candidates._PAIRS_AT_ONCE", 170)
    monkeypatch.setattr("src_core.fields.newton._POINTS_AT_ONCE", 99)
    cut = invert(u)
    for part in ("displacement", "error_voxels", "inside"):
        assert torch.equal(getattr(whole, part), getattr(cut, part))


def test_a_tighter_tolerance_is_kept_in_double():
    u = diffeomorphism(9, (40, 52), 5.0, smallest=0.05)
    found = invert(u, tolerance=1e-9)
    assert float(found.error_voxels[found.inside].max()) <= 1e-9


@pytest.mark.parametrize(
    ("u", "message"),
    [
        (torch.zeros(2, 8, 8), "(B, D, *spatial)"),
        (torch.zeros(1, 2, 1, 8), "2 voxels or more"),
        (torch.full((1, 2, 4, 4), torch.nan), "finite"),
    ],
)
def test_what_is_no_field_is_refused(u, message):
    with pytest.raises(ArgumentError) as error:
        invert(u)
    assert message in str(error.value) and str(error.value).startswith("invert() 'u'")
