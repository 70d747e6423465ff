"""A deformation in a patch's voxels: closed forms on an oblique, anisotropic case."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from src_core.cases.grid import Grid
from src_core.transforms import Deformation
from src_core.transforms.nnunet.patch_field import PatchField
from tests.support import tiny
from tests.support.loops import live, scan

GRID = Grid((20, 16, 6), tiny.OBLIQUE)
# Half as fine along the case's y, first; then z, twice as fine; then x, from its voxel 4.
TO_CASE = np.array([[0, 0, 1, 4], [2, 0, 0, 1], [0, 0.5, 0, 0], [0, 0, 0, 1.0]])


def field_of(voxels: np.ndarray) -> PatchField:
    """Displacements (X, Y, Z, 3) in the case's voxels."""
    field = GRID.to_lps_mm(voxels).astype(np.float32)
    return PatchField(Deformation.of_field(field, GRID, 40, 1), TO_CASE)


def voxels(*ramp: float) -> np.ndarray:
    """A displacement along each axis that grows by so much a voxel of that axis."""
    at = np.stack(np.meshgrid(*map(np.arange, GRID.shape), indexing="ij"), -1)
    return at * np.array(ramp)


def test_a_displacement_has_the_patchs_axes_and_voxels() -> None:
    made = field_of(voxels(0.1, 0.2, 0.3))
    at = torch.tensor([[3.0, 5.0, 7.0], [2.5, 1.0, 0.0]])
    case = torch.tensor([[11.0, 7.0, 2.5], [4.0, 6.0, 0.5]])
    u = case * torch.tensor([0.1, 0.2, 0.3])
    expected = torch.stack([u[:, 1] / 2, u[:, 2] * 2, u[:, 0]], -1)
    assert torch.allclose(made.at(at), expected, atol=1e-5)
    assert made.at(at.view(1, 2, 1, 3)).shape == (1, 2, 1, 3)


def test_nothing_moves_outside_the_case() -> None:
    made = field_of(voxels(0, 0, 0) + 1)
    inside = torch.tensor([[0.0, 0.0, 0.0]])
    assert torch.allclose(made.at(inside), torch.tensor([[0.5, 2.0, 1.0]]), atol=1e-5)
    outside = [[0.0, 0.0, -4.6], [7.3, 0.0, 0.0], [0.0, 11.1, 0.0]]
    assert not made.at(torch.tensor(outside)).any()


def test_slices_that_differ_are_told_apart_and_slices_alike_are_one() -> None:
    ramp = np.zeros((*GRID.shape, 3))
    ramp[..., 0] = np.arange(6)  # along x, by slice
    each, alike = field_of(ramp), field_of(0 * ramp + [1, 3, 0])
    assert (len(each.deformation.u), len(alike.deformation.u)) == (6, 1)
    at = torch.tensor([[3.0, 5.0, 7.0], [3.0, 8.0, 7.0]])
    assert torch.allclose(each.at(at), torch.tensor([[0, 0, 2.5], [0, 0, 4.0]]), atol=1e-5)
    assert torch.allclose(alike.at(at), torch.tensor([[1.5, 0, 1.0]] * 2), atol=1e-5)


def test_a_part_of_a_patch_has_the_same_displacements() -> None:
    made = field_of(voxels(0.1, -0.2, 0.3))
    part = made.of((2, 3, -1))
    at = torch.tensor([[1.0, 2.0, 4.0]])
    assert torch.allclose(part.at(at), made.at(at + torch.tensor([2.0, 3.0, -1.0])), atol=1e-6)
    assert part.reach == made.reach


def test_reach_is_what_moves_most_in_whole_voxels() -> None:
    made = field_of(voxels(0.1, -0.2, 0.3))  # at most 1.9, 3 and 1.5 voxels of the case
    assert made.reach == (2, 3, 2)
    assert field_of(voxels(0, 0.2, 0)).reach == (2, 0, 0)


@pytest.mark.parametrize(("ndim", "slices"), [(2, "shared"), (2, "each"), (3, "shared")])
def test_what_a_model_made_is_what_it_is_on_the_case(folder: Path, ndim: int, slices: str) -> None:
    """Sampled on the model's grid, at the case's voxels, it is the case's whole field."""
    given = scan()
    made = live(folder, ndim, slices=slices).make(given, 50, 3)
    placed = made.on(given.grid)
    assert made.size > 0
    assert (len(placed.u) > 1) == (slices == "each")
    at = torch.from_numpy(
        np.stack(np.meshgrid(*map(np.arange, given.grid.shape), indexing="ij"), -1)
    )
    found = PatchField(made, np.eye(4)).at(at.float())
    u = torch.from_numpy(given.grid.to_voxels(made.field()))
    assert u.abs().max() > 1
    assert (found - u).abs().max() < 1e-3
    reach = PatchField(made, np.eye(4)).reach
    assert (u.abs().amax((0, 1, 2)) <= torch.tensor(reach) + 1e-3).all()
    assert max(reach) < 2 * u.abs().max() + 1
