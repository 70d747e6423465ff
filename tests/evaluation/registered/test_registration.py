"""Registration of two discs, and fields seen through a similarity, by closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from src_core.evaluation.registered.placed import PaintedCase, align, in_frame, transported
from src_core.evaluation.registered.registration import Similarity, demons
from src_core.fields import jacobian_determinant
from src_core.fields.sampling import identity, sample, warp
from tests.support.discs import disc, disc_in_body

pytest.importorskip("SimpleITK")


def turned(degrees: float, scale: float) -> np.ndarray:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return scale * np.array([[c, -s], [s, c]])


def test_a_similarity_is_found_between_grids_of_other_voxels() -> None:
    fixed = disc_in_body(64, 1.5, 9.0, (0.0, 0.0))
    wanted = Similarity(turned(12, 1.15), np.array([5.0, -4.0]))
    # moving(wanted(x)) = fixed(x): the moving image is the fixed one through the reverse map
    at = wanted.inverse().voxels((80, 1.3), fixed.grid).float()
    moving = PaintedCase(sample(fixed.values, at), sample(fixed.shares, at), 1.3)
    found = align(fixed, moving)
    np.testing.assert_allclose(found.linear, wanted.linear, atol=0.02)
    np.testing.assert_allclose(found.shift, wanted.shift, atol=0.4)
    assert found.scale == pytest.approx(1.15, abs=0.02)
    back = found.inverse()
    np.testing.assert_allclose(back.linear @ found.linear, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(back.linear @ found.shift + back.shift, 0, atol=1e-12)


@pytest.mark.parametrize(
    ("ndim", "side", "small", "large"), [(2, 64, 10.0, 15.0), (3, 40, 8.0, 11.0)]
)
def test_a_scaled_and_shifted_disc_gives_back_its_scale(
    ndim: int, side: int, small: float, large: float
) -> None:
    fixed = disc(side, large, [2.0, -1.0, 1.0][:ndim], ndim)
    moving = disc(side, small, [0.0] * ndim, ndim)
    u = demons(fixed[0, 0], moving[0, 0])
    assert u.shape == (1, ndim, *[side] * ndim)
    got = warp(moving, u).sum() / moving.sum()
    assert float(got) == pytest.approx((large / small) ** ndim, rel=0.1)
    # the map of a larger disc into a smaller one shrinks: its determinant is below 1
    inside = fixed[:, 0] > 0.5
    mean = float(jacobian_determinant(u)[inside].mean())
    assert mean == pytest.approx((small / large) ** ndim, rel=0.15)
    assert float(jacobian_determinant(u).min()) > 0


def test_the_pose_of_a_pair_is_no_part_of_its_field() -> None:
    fixed = disc_in_body(64, 1.5, 9.0, (0.0, 0.0))
    moving = disc_in_body(64, 1.5, 9.0, (8.0, -5.0))
    u = demons(fixed.values[0, 0], in_frame(fixed, moving).values[0, 0])
    assert float(u.norm(dim=1).max()) < 0.5


def test_a_field_is_seen_through_a_similarity() -> None:
    # phi(y) = y + B y in mm; through S(x) = A x + t it is x -> x + A B A^-1 (x - t)
    linear, shift = turned(30, 1.4), np.array([6.0, -3.0])
    stretch = np.array([[0.1, 0.05], [0.0, -0.08]])
    frame, case = empty(60, 2.0), empty(48, 1.0)
    at = (identity([60, 60], torch.zeros(1)) - 29.5) * 2.0
    u = torch.einsum("ij,bj...->bi...", torch.from_numpy(stretch).float(), at) / 2.0
    got = transported(u, frame, case, Similarity(linear, shift))
    here = identity([48, 48], torch.zeros(1, dtype=torch.float64)) - 23.5
    away = here - torch.from_numpy(shift).view(1, 2, 1, 1)
    conjugate = torch.from_numpy(linear @ stretch @ np.linalg.inv(linear))
    wanted = torch.einsum("ij,bj...->bi...", conjugate, away)
    torch.testing.assert_close(got.double(), wanted, atol=1e-4, rtol=0)


def empty(side: int, mm: float) -> PaintedCase:
    return PaintedCase(torch.zeros(1, 1, side, side), torch.zeros(1, 1, side, side), mm)
