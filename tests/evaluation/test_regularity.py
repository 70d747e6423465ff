"""NDV and SDlogJ of maps with known determinants, and against every simplex one by one."""

from __future__ import annotations

from itertools import product
from math import log

import numpy as np
import pytest
import torch

from src_core.errors import ArgumentError
from src_core.evaluation.regularity import (
    non_diffeomorphic_permille,
    regularity_figures,
    sd_log_jacobian,
)

#: A cube in five tetrahedra, in both ways: corners as bits xyz.
DIVISIONS = (
    ((0, 1, 2, 4), (3, 1, 2, 7), (5, 1, 4, 7), (6, 2, 4, 7), (1, 2, 4, 7)),
    ((1, 0, 3, 5), (2, 0, 3, 6), (4, 0, 5, 6), (7, 3, 5, 6), (0, 3, 5, 6)),
)


def along_first(line, ndim, side=5):
    """u that moves along axis 0 by a value for each place: (1, D, len(line), side, ...)."""
    u = np.zeros((1, ndim, len(line), *[side] * (ndim - 1)))
    u[:, 0] = np.reshape(line, (-1, *[1] * (ndim - 1)))
    return torch.from_numpy(u)


@pytest.mark.parametrize("ndim", [2, 3])
def test_an_affine_map_is_regular_and_a_reflection_turns_all_over(ndim):
    x = np.arange(6.0)
    stretched = along_first(0.4 * x, ndim)
    assert non_diffeomorphic_permille(stretched) == 0
    assert sd_log_jacobian(stretched) == pytest.approx(0, abs=1e-12)
    assert non_diffeomorphic_permille(along_first(-2 * x, ndim)) == pytest.approx(1000)


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_volume_of_a_fold_is_what_it_turns_over(ndim):
    slopes = np.array([0.1, -1.5, -3.0, 0.2, 0.0, -0.9])
    u = along_first(np.concatenate([[0], np.cumsum(slopes)]), ndim)
    # cells whose 1 + slope is negative: -0.5 and -2
    assert non_diffeomorphic_permille(u) == pytest.approx(1000 * 2.5 / 6)


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_deviation_of_log_determinants_of_a_geometric_map(ndim):
    # phi(x) = c^x: its central difference is c^x (c - 1 / c) / 2, so log det is linear in x
    c, x = 1.2, np.arange(9.0)
    found = sd_log_jacobian(along_first(c**x - x, ndim))
    assert found == pytest.approx(log(c) * np.std(x[1:-1]))


def signed_volume(points):
    edges = np.stack(points[1:]) - points[0]
    return np.linalg.det(edges) / (2 if len(points) == 3 else 6)


@pytest.mark.parametrize("shape", [(4, 6), (3, 4, 5)])
def test_the_volume_is_that_of_every_simplex_one_by_one(shape):
    ndim = len(shape)
    u = np.random.default_rng(ndim).normal(0, 0.6, (ndim, *shape))
    places = np.indices(shape) + u
    squares = (((0, 1, 2), (3, 1, 2)), ((1, 0, 3), (2, 0, 3)))
    total = 0.0
    for cell in product(*(range(n - 1) for n in shape)):
        ends = [np.add(cell, [(bits >> a) & 1 for a in range(ndim)]) for bits in range(2**ndim)]
        for simplex in (s for way in (squares if ndim == 2 else DIVISIONS) for s in way):
            source = signed_volume([ends[i].astype(float) for i in simplex])
            mapped = signed_volume([places[(slice(None), *ends[i])] for i in simplex])
            total += max(0.0, -mapped * np.sign(source)) / 2
    expected = 1000 * total / np.prod([n - 1 for n in shape])
    assert expected > 1
    assert non_diffeomorphic_permille(torch.from_numpy(u)[None]) == pytest.approx(expected)


def test_regularity_is_measured_on_the_model_s_grid():
    u = torch.zeros(1, 2, 16, 16)
    u[:, 1] = 1.5
    assert regularity_figures(u, 64) == {"ndv": 0.0, "sdlogj": pytest.approx(0, abs=1e-9)}


def test_a_field_of_another_shape_is_refused():
    with pytest.raises(ArgumentError, match="non_diffeomorphic_permille"):
        non_diffeomorphic_permille(torch.zeros(1, 3, 4, 4))
