"""Labels as organs on the state grid: their size in mm, their place, and which slices count."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.generation.model_view import ModelView, make_model_view
from src_core.generation.region import Box
from tests.support.tiny import BOX, OBLIQUE, model

SHAPE = (52, 60, 3)
CENTRE = (25.0, 23.0)


def disc(radius: float, centre: tuple[float, float] = CENTRE) -> NDArray[np.bool_]:
    """A disc in the plane, its radius in mm."""
    x, y = np.meshgrid(np.arange(52), np.arange(60), indexing="ij")
    across, along = np.linalg.norm(OBLIQUE[:, :2], axis=0)
    away = np.hypot((x - centre[0]) * across, (y - centre[1]) * along)
    return np.asarray(away <= radius)


def view(labels: NDArray[np.uint8], slices: str = "shared", region: Box | None = None) -> ModelView:
    values = np.random.default_rng(0).integers(0, 200, labels.shape).astype(np.int16)
    case = Case.from_arrays(values, labels, affine=OBLIQUE)
    return make_model_view(case, model().spec, slices, region)


def shares(made: ModelView, slab: int = 0) -> torch.Tensor:
    found = made.label_shares(slab, model().spec.state)
    assert found is not None and found.shape[2:] == (model().spec.state,) * 2
    assert float(found.min()) >= 0 and float(found.max()) <= 1 + 1e-5
    return found


def areas(made: ModelView, slab: int = 0) -> list[float]:
    """mm2 of each organ."""
    side = made.fit.mm_per_pixel * made.fit.size / model().spec.state
    return [float(area) * side**2 for area in shares(made, slab).sum((0, 2, 3))]


def area(mask: NDArray[np.bool_]) -> float:
    return float(mask.sum() * np.prod(np.linalg.norm(OBLIQUE[:, :2], axis=0)))


@pytest.mark.parametrize("region", [None, BOX])
def test_a_ring_is_a_whole_disc_of_its_size_and_place(region: Box | None) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[disc(11)] = 4
    labels[disc(6)] = 0
    made = view(labels, region=region)
    assert areas(made) == pytest.approx([area(disc(11))], rel=0.03)
    found = shares(made)[0, 0].double()
    at = torch.stack(torch.meshgrid(*[torch.arange(len(found)).double()] * 2, indexing="ij"))
    centre = (at * found).sum((1, 2)) / found.sum()
    wanted = made.to_state(torch.tensor(CENTRE).double().view(1, 2, 1), len(found))
    torch.testing.assert_close(centre, wanted.flatten(), atol=0.1, rtol=0)


def test_each_label_is_an_organ_in_the_order_of_their_values() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[disc(12)], labels[disc(5)] = 7, 3
    wanted = [area(disc(5)), area(disc(12))]
    assert areas(view(labels)) == pytest.approx(wanted, rel=0.05)


def test_only_slices_with_labels_count() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[..., 1][disc(10)] = 1
    assert areas(view(labels)) == pytest.approx([area(disc(10))], rel=0.03)
    each = view(labels, "each")
    assert each.label_shares(0, model().spec.state) is None
    assert areas(each, 1) == pytest.approx([area(disc(10))], rel=0.03)


def test_an_organ_absent_from_a_slice_keeps_its_place() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[..., 0][disc(8)], labels[..., 2][disc(8)] = 1, 2
    assert areas(view(labels, "each"), 2) == pytest.approx([0, area(disc(8))], rel=0.03)


def test_frames_of_labels_are_averaged() -> None:
    labels = np.zeros((*SHAPE, 4), np.uint8)
    labels[..., 1][disc(6)], labels[..., 3][disc(12)] = 1, 1
    wanted = (area(disc(6)) + area(disc(12))) / 2
    assert areas(view(labels)) == pytest.approx([wanted], rel=0.03)


def test_without_labels_there_are_no_shares() -> None:
    assert view(np.zeros(SHAPE, np.uint8)).label_shares(0, model().spec.state) is None
    bare = Case.from_arrays(np.arange(52 * 60 * 3).reshape(SHAPE), affine=OBLIQUE)
    assert make_model_view(bare, model().spec).label_shares(0, model().spec.state) is None
