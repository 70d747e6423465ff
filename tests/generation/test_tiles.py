"""A large case is generated in parts, with the bits of the whole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from src_core.cases import tiles
from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.fields import PartwiseField, certify, invert, invert_parts, jacobian_determinant
from src_core.fields import extended as extended_fields
from src_core.fields.inverse_of_saved import invert_field
from src_core.fields.saved import SavedField
from src_core.generation import generate
from src_core.generation.model_view import make_model_view
from src_core.generation.proof import weak_points
from tests.support import tiny


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def cut(voxels: int = 1500) -> None:
        monkeypatch.setattr(tiles, "LARGE", 100)
        monkeypatch.setattr(tiles, "PART", voxels)

    return cut


def smooth(shape: tuple[int, ...], longest: float, width: float = 4.0) -> torch.Tensor:
    """A map (D, *shape) in voxels that folds where ``longest`` is large."""
    noise = np.random.default_rng(1).normal(size=(len(shape), *shape))
    u = np.stack([gaussian_filter(one, width) for one in noise])
    return torch.from_numpy(longest * u / np.abs(u).max())


def in_pieces(u: torch.Tensor, along: int, step: int) -> list[torch.Tensor]:
    shape = tuple(u.shape[1:])
    source = PartwiseField(
        lambda first, last: u.narrow(along + 1, first, last - first), shape, along
    )
    cuts = [slice(i, min(i + step, shape[along])) for i in range(0, shape[along], step)]
    found = list(invert_parts(source, cuts))
    names = ("displacement", "error_voxels", "inside")
    return [torch.cat([getattr(f, n) for f in found], along + 1 + (n == names[0])) for n in names]


@pytest.mark.parametrize("along", [0, 1, 2])
@pytest.mark.parametrize("shape", [(50, 37), (25, 22, 33)], ids=["2D", "3D"])
@pytest.mark.parametrize("longest", [3.0, 9.0], ids=["smooth", "folded"])
def test_an_inverse_in_parts_has_the_bits_of_the_whole(
    longest: float, shape: tuple[int, ...], along: int
) -> None:
    u = smooth(shape, longest)
    assert (certify(u[None])[0].bad_cells > 0) == (longest == 9.0)
    whole = invert(u[None])
    for found, expected in zip(
        in_pieces(u, min(along, len(shape) - 1), 7),
        (whole.displacement, whole.error_voxels, whole.inside),
        strict=True,
    ):
        assert torch.equal(found, expected)


def test_a_search_that_leaves_its_part_is_done_with_more(monkeypatch: pytest.MonkeyPatch) -> None:
    u = smooth((40, 21), 8.0, 2.0)
    asked: list[int] = []
    nearby = extended_fields.nearby
    monkeypatch.setattr("src_core.fields.inverse._SLACK", 0)
    monkeypatch.setattr(extended_fields, "_AT_ONCE", 100)
    monkeypatch.setattr(
        "src_core.fields.inverse.nearby", lambda *a: asked.append(a[3]) or nearby(*a)
    )
    found = in_pieces(u, 0, 3)
    assert torch.equal(found[0], invert(u[None]).displacement) and len(asked) >= 14


def test_everything_may_lie_beyond_the_border() -> None:
    u = torch.zeros(2, 12, 9, dtype=torch.float64)
    u[0] = 30.0
    assert torch.equal(in_pieces(u, 0, 2)[0], invert(u[None]).displacement)
    assert torch.equal(in_pieces(-u, 0, 2)[0], invert(-u[None]).displacement)


KINDS = {"volume": (None, False), "each": (2, False), "shared": (2, True)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_field_is_inverted_in_parts(kind: str, in_parts: Callable[..., None]) -> None:
    axis, shared = KINDS[kind]
    grid = Grid((25, 22, 14), tiny.OBLIQUE)
    u = 2 * np.moveaxis(smooth(grid.shape, 1.0).numpy(), 0, -1)
    if axis is not None:
        u[..., axis] = 0
    if shared:
        u[:] = u[:, :, :1]
    field = grid.to_lps_mm(u).astype(np.float32)
    whole = invert_field(SavedField(field, grid, axis, shared))
    in_parts(60)
    saved = SavedField(field, grid, axis, shared)
    assert len(list(saved.parts(4))) > 1
    cut = invert_field(saved)
    assert cut.displacement.shape == (*grid.shape, 3)
    assert np.abs(cut.displacement - whole.displacement).max() <= 2e-6
    assert cut.metrics["inverse_outside_percent"] == pytest.approx(
        whole.metrics["inverse_outside_percent"]
    )
    assert cut.metrics["inverse_error_voxels"] < 1e-3


def volume(shape: tuple[int, int, int] = (36, 30, 20)) -> Case:
    case = tiny.case(shape)
    return Case.from_arrays(case.image, case.label_map, affine=np.diag([1.2, 0.9, 1.1, 1.0]))


@pytest.mark.parametrize("slices", ["3D", "shared", "each"])
@pytest.mark.parametrize("folds", [False, True])
def test_a_generation_in_parts_is_that_of_the_whole(
    slices: str, folds: bool, in_parts: Callable[..., None]
) -> None:
    model = tiny.model(3 if slices == "3D" else 2)
    options = {} if slices == "3D" else {"slices": slices}
    case = volume((36, 30, 20) if slices == "3D" else (40, 34, 4))
    whole = generate(case, model, level=70, seed=3, allow_folds=folds, **options)
    in_parts()
    cut = generate(case, model, level=70, seed=3, allow_folds=folds, **options)
    assert np.array_equal(cut.displacement, whole.displacement)
    assert np.abs(cut.inverse - whole.inverse).max() <= 1e-5
    assert np.abs(cut.jacobian - whole.jacobian).max() <= 1e-6
    assert (cut.case.image != whole.case.image).mean() < 1e-3
    assert (cut.case.label_map != whole.case.label_map).mean() < 1e-3
    for name in ("certified", "guard_scale", "max_mm"):
        assert cut.metrics[name] == whole.metrics[name]
    for name in ("min_det", "folding_permille", "strict_folding_permille", "mean_mm"):
        assert cut.metrics[name] == pytest.approx(whole.metrics[name], rel=1e-9)


def test_weak_points_are_the_same_in_parts(in_parts: Callable[..., None]) -> None:
    view = make_model_view(volume(), tiny.model(3).spec)
    u = smooth((32, 32, 32), 9.0, 3.0)[None].float()
    whole = weak_points(view, u)
    in_parts()
    assert len(list(tiles.parts(view.plane, 0))) > 1
    assert whole.shape[-1] > 50 and torch.equal(weak_points(view, u), whole)


def test_the_determinant_of_the_whole_field_is_what_is_measured(
    in_parts: Callable[..., None],
) -> None:
    in_parts()
    made = generate(volume(), tiny.model(3), level=60, seed=2)
    voxels = made.case.grid.to_voxels(made.displacement)
    det = jacobian_determinant(torch.from_numpy(np.moveaxis(voxels, -1, 0)[None].copy()))
    assert np.allclose(made.jacobian, det[0], atol=1e-5)
