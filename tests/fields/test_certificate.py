from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import gaussian_filter

from src_core.errors import ArgumentError
from src_core.fields import cell_bounds, certify, jacobian_determinant

# A cell that moves its corners by these (component, x, y, z) keeps the determinants at all eight
# corners above 0.4 and still folds inside.
TURNED_INSIDE = [
    [[[-0.9, -0.5], [0.8, 0.1]], [[0.2, 1.0], [-0.9, -1.0]]],
    [[[-0.8, -0.2], [0.3, 0.8]], [[1.2, -1.1], [-0.8, -1.0]]],
    [[[-1.2, -1.0], [-0.4, 0.6]], [[-0.6, 0.8], [0.9, -0.8]]],
]


def random_field(seed, shape, smooth, largest):
    """(1, D, *shape), float64, voxels."""
    draws = np.random.default_rng(seed).standard_normal((len(shape), *shape))
    u = np.stack([gaussian_filter(draw, smooth) for draw in draws])
    return torch.from_numpy(u * largest / np.abs(u).max())[None]


def determinants_at(u, place):
    """Determinants of the multilinear map at one place (D,) of every cell, by its basis: (*cells).

    Written out with weights, as an oracle: the derivative of a corner's weight along an axis is
    that weight without the axis, with the corner's sign.
    """
    u = u[0].numpy()
    ndim = len(u)
    matrix = np.zeros((*[n - 1 for n in u.shape[1:]], ndim, ndim)) + np.eye(ndim)
    for corner in product((0, 1), repeat=ndim):
        window = tuple(slice(1, None) if bit else slice(None, -1) for bit in corner)
        value = np.moveaxis(u[(slice(None), *window)], 0, -1)
        share = [t if bit else 1 - t for bit, t in zip(corner, place, strict=True)]
        for axis, bit in enumerate(corner):
            others = np.prod([s for i, s in enumerate(share) if i != axis])
            matrix[..., :, axis] += value * others * (1 if bit else -1)
    return np.linalg.det(matrix)


def corner_minimum(u):
    corners = product((0.0, 1.0), repeat=u.shape[1])
    return np.min([determinants_at(u, corner) for corner in corners], axis=0)


def bernstein_minimum(u):
    """The 27 coefficients, from values at 0, 1/2, 1 of each axis: f0, 2 f1 - (f0 + f2) / 2, f2."""
    nodes = [determinants_at(u, place) for place in product((0.0, 0.5, 1.0), repeat=3)]
    values = np.stack(nodes).reshape(3, 3, 3, *nodes[0].shape)
    change = np.array([[1, 0, 0], [-0.5, 2, -0.5], [0, 0, 1]])
    return np.einsum("ai,bj,ck,ijk...->abc...", change, change, change, values).min((0, 1, 2))


@pytest.mark.parametrize("shape", [(6, 9), (5, 4, 6)])
def test_no_displacement_has_determinant_one(shape):
    (found,) = certify(torch.zeros(1, len(shape), *shape))
    cells = int(np.prod(np.array(shape) - 1))
    assert (found.min_det, found.bad_cells, found.low_cells, found.cells) == (1.0, 0, 0, cells)
    assert found.certified and found.strict_folding_permille == 0


def test_a_shear_keeps_and_a_doubling_multiplies_volume():
    x = torch.arange(7.0, dtype=torch.float64).view(7, 1).expand(7, 5)
    y = torch.arange(5.0, dtype=torch.float64).expand(7, 5)
    shear = torch.stack((3 * y, torch.zeros_like(y)))
    doubling = torch.stack((x, y))
    reflection = torch.stack((-2 * x, torch.zeros_like(y)))
    found = certify(torch.stack((shear, doubling, reflection)))
    assert [one.min_det for one in found] == pytest.approx([1, 4, -1])
    assert [one.certified for one in found] == [True, True, False]
    assert [one.strict_folding_permille for one in found] == [0, 0, 1000]


@given(
    hnp.arrays(np.float64, (2, 2), elements=st.floats(-2, 2)),
    hnp.arrays(np.float64, (3, 3), elements=st.floats(-2, 2)),
)
def test_an_affine_map_has_the_determinant_of_its_matrix(in_plane, in_space):
    for matrix, shape in ((in_plane, (3, 5)), (in_space, (4, 3, 5))):
        x = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"))
        u = np.einsum("ij,j...->i...", matrix, x) - x + 0.7
        (found,) = certify(torch.from_numpy(u)[None])
        assert found.min_det == pytest.approx(np.linalg.det(matrix), abs=1e-10)


def test_a_fold_in_one_corner_of_one_cell_is_found_where_central_differences_see_none():
    u = torch.zeros(1, 2, 7, 8, dtype=torch.float64)
    u[0, :, 3, 4] = 0.8
    assert bool((jacobian_determinant(u) > 0).all())
    bounds = cell_bounds(u)[0]
    assert (bounds <= 0).nonzero().tolist() == [[3, 4]]
    # The moved corner's edges are (0.2, -0.8) and (-0.8, 0.2); at the next corners, 0.2 is left.
    corners = [determinants_at(u, place)[3, 4] for place in product((0.0, 1.0), repeat=2)]
    assert corners == pytest.approx([-0.6, 0.2, 0.2, 1.0])
    (found,) = certify(u)
    assert found.min_det == pytest.approx(-0.6) and found.bad_cells == 1 and not found.certified


def test_a_cell_that_folds_only_inside_is_refused():
    u = torch.tensor(TURNED_INSIDE, dtype=torch.float64)[None]
    assert corner_minimum(u).item() > 0.4
    inside = min(determinants_at(u, p).item() for p in product((0.25, 0.5, 0.75), repeat=3))
    assert inside < -0.6
    (found,) = certify(u)
    assert found.min_det <= inside and found.bad_cells == 1


@pytest.mark.parametrize("shape", [(24, 17), (9, 12, 7)])
@pytest.mark.parametrize("smooth", [0.0, 1.0, 2.5])
def test_no_sampled_determinant_lies_below_the_bounds(shape, smooth):
    u = random_field(3, shape, smooth, largest=1.5)
    bounds = cell_bounds(u)[0].numpy()
    places = np.random.default_rng(4).random((50, len(shape)))
    sampled = np.min([determinants_at(u, place) for place in places], axis=0)
    assert (bounds <= sampled + 1e-12).all()
    assert certify(u)[0].min_det <= sampled.min() + 1e-12


@pytest.mark.parametrize("smooth", [0.0, 2.0])
def test_in_the_plane_the_bound_is_the_minimum(smooth):
    u = random_field(5, (21, 34), smooth, largest=2.0)
    np.testing.assert_allclose(cell_bounds(u)[0], corner_minimum(u), atol=1e-12)


@pytest.mark.parametrize(
    ("smooth", "largest"), [(0.0, 0.2), (0.0, 0.6), (1.0, 1.0), (2.0, 1.0), (2.0, 6.0)]
)
@pytest.mark.parametrize("floor", [0.01, 0.5])
def test_in_space_the_minimum_and_the_counts_are_those_of_the_27_coefficients(
    smooth, largest, floor, monkeypatch
):
    monkeypatch.setattr("src_core.fields.certificate._FIRST", 7)
    u = random_field(6, (14, 11, 17), smooth, largest)
    exact = bernstein_minimum(u)
    (found,) = certify(u, floor)
    assert found.min_det == pytest.approx(exact.min(), abs=1e-12)
    assert found.bad_cells == np.count_nonzero(exact <= 0)
    assert found.low_cells == np.count_nonzero(exact < floor)
    bounds = cell_bounds(u, floor)[0].numpy()
    assert (bounds <= exact + 1e-12).all()


@pytest.mark.parametrize("largest", [0.1, 1.0, 8.0])
def test_the_cheap_bound_never_exceeds_the_coefficients(largest):
    from src_core.fields.certificate import _cheap_bounds

    rng = np.random.default_rng(10)
    # Single cells in a row, each moved in one or two of a cell's four mixed differences only.
    signs = np.array(list(product((-1.0, 1.0), repeat=3))).reshape(2, 2, 2, 3)
    s, t, r = np.moveaxis(signs, -1, 0)
    modes = np.stack((s * t, s * r, t * r, s * t * r))
    amounts = rng.uniform(-largest, largest, (3, 4000, 4)) * (rng.random((4000, 4)) < 0.4)
    cells = np.einsum("cnm,mijk->cnijk", amounts, modes).reshape(3, 8000, 2, 2)
    u = torch.from_numpy(cells)[None]
    assert (_cheap_bounds(u[0]).numpy() <= bernstein_minimum(u) + 1e-9 * max(1, largest**3)).all()


def test_a_smooth_field_is_proven_mostly_without_coefficients(monkeypatch):
    from src_core.fields import certificate

    refined = []
    exact = certificate._bernstein_bounds
    monkeypatch.setattr(certificate.compiled, "can_bound", lambda ndim: False)
    monkeypatch.setattr(certificate, "_FIRST", 10)
    monkeypatch.setattr(
        certificate, "_bernstein_bounds", lambda u, c: refined.append(len(c)) or exact(u, c)
    )
    certify(random_field(7, (30, 28, 26), 4.0, largest=4.0))
    assert sum(refined) < 200


def test_large_fields_are_cut_without_a_trace(monkeypatch):
    monkeypatch.setattr("src_core.fields.certificate.compiled.can_bound", lambda ndim: False)
    u = random_field(8, (13, 9, 8), 1.0, largest=2.0)
    whole = certify(u)
    monkeypatch.setattr("src_core.fields.certificate._SLAB", 100)
    monkeypatch.setattr("src_core.fields.certificate._AT_ONCE", 11)
    assert certify(u) == whole


def test_single_precision_is_evaluated_in_double():
    u = random_field(9, (12, 15), 2.0, largest=3.0).float()
    assert certify(u) == certify(u.double())


def test_slices_are_certified_one_by_one():
    good, bad = torch.zeros(2, 5, 6), torch.zeros(2, 5, 6)
    bad[1, 2, 3] = 1.5
    found = certify(torch.stack((good, bad, good)))
    assert [one.certified for one in found] == [True, False, True]


@pytest.mark.parametrize(
    ("u", "message"),
    [
        (torch.zeros(1, 3, 8, 8, 1), "2 voxels or more along each axis, got (1, 3, 8, 8, 1)"),
        (torch.zeros(3, 8, 8), "(B, D, *spatial)"),
        (torch.full((1, 2, 4, 4), torch.inf), "finite"),
    ],
)
def test_what_is_no_field_is_refused(u, message):
    with pytest.raises(ArgumentError) as error:
        certify(u)
    assert message in str(error.value) and str(error.value).startswith("certify() 'u'")
