"""A region of interest: still outside, a diffeomorphism across its border, at its own scale."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.fields import certify
from src_core.generation import Session, generate, make_options
from src_core.generation.model_view import make_model_view
from src_core.generation.region import embed
from tests.support.tiny import BOX, case, model


@pytest.mark.parametrize("slices", ["shared", "each"])
def test_nothing_moves_outside_the_box(slices: str) -> None:
    result = generate(case(), model(), level=60, seed=3, region=BOX, slices=slices)
    outside = np.ones(result.case.grid.shape, bool)
    outside[10:40, 6:46] = False
    assert not result.displacement[outside].any()
    assert np.array_equal(result.case.image[outside], result.source.image[outside])
    assert np.abs(result.displacement[~outside]).max() > 1
    assert result.metrics["certified"]
    assert result.recipe["options"]["region"] == BOX


def test_velocity_rises_smoothly_from_the_border() -> None:
    result = generate(case(), model(), level=60, seed=3, region=BOX)
    length = np.linalg.norm(result.displacement, axis=-1)[..., 0]
    rim = [length[10 + d : 40 - d, 6 + d : 46 - d] for d in (0, 1)]
    border = max(length[10, 6:46].max(), length[39, 6:46].max(), length[10:40, 6].max())
    assert border < 0.05 * rim[1].max()


def test_the_models_grid_lies_over_the_box() -> None:
    view = make_model_view(case(), model().spec, "shared", BOX)
    spacing = view.case.grid.spacing
    assert view.fit.shape == (30, 40)
    assert view.fit.mm_per_pixel == pytest.approx(max(30 * spacing[0], 40 * spacing[1]) / 64)
    centres = torch.tensor([[[24.5], [25.5]]], dtype=torch.float64)
    torch.testing.assert_close(view.to_state(centres, 16), torch.full((1, 2, 1), 7.5).double())


def test_a_part_of_the_field_is_a_part_of_the_whole() -> None:
    view = make_model_view(case(), model().spec, "shared", BOX)
    u = torch.randn(1, 2, 16, 16, generator=torch.Generator().manual_seed(1))
    whole = view.displacement(u)
    assert whole.shape == (1, 2, 52, 60)
    part = view.displacement(u, [range(0, 52, 3), range(20, 21)])
    torch.testing.assert_close(part, whole[:, :, ::3, 20:21])
    assert not view.displacement(u, [range(2), range(60)]).any()


def test_embedding_counts_from_the_box() -> None:
    like = torch.zeros(1, 1, 2, 2)
    found = embed(
        lambda inner: torch.tensor([list(inner[0])]).float()[None],
        [range(0, 9, 2)],
        ((3, 7),),
        like,
    )
    assert found.tolist() == [[[0, 0, 1, 3, 0]]]


def test_a_volume_is_certified_across_the_border() -> None:
    volume = Case.from_arrays(np.random.default_rng(1).random((24, 30, 20)), spacing=(2, 1.5, 2))
    box = ((4, 20), (5, 25), (2, 18))
    result = generate(volume, model(3), level=70, seed=1, region=box)
    outside = np.ones(volume.grid.shape, bool)
    outside[4:20, 5:25, 2:18] = False
    assert not result.displacement[outside].any() and result.displacement.any()
    voxels = np.moveaxis(volume.grid.to_voxels(result.displacement), -1, 0)[None].copy()
    assert certify(torch.from_numpy(voxels), 0.01)[0].certified


@pytest.mark.parametrize("region", [((0, 60), (0, 60), (0, 3)), ((10, 14), (6, 46), (0, 3))])
def test_a_region_that_is_none_is_reported(region: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(InputError, match="along X"):
        Session(case(), model(), "shared", region)
    with pytest.raises(InputError, match="40:168,30:158,0:10"):
        make_options(80, region=((1, 2), (3, 4)))
