"""Slope of the organ part: 1 where a network gives all of the velocity back, 0 without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from src_core.datasets.reading import read_dataset
from src_core.diffusion.grids import crop
from src_core.diffusion.organs import organ_part
from src_core.evaluation.cases import load_case
from src_core.evaluation.organ_slope import organ_figures, organ_slope, regression
from src_core.experiments.groups import Group
from src_core.experiments.records import Record
from src_core.fields import enlarge
from src_core.fields.sampling import identity, warp
from src_core.generation.session import start_flow
from tests.support.discs import disc
from tests.support.tiny import unet

SIDE = 32


def shear(like: Tensor) -> Tensor:
    """A pure shear about the grid's centre, which neither scales, turns nor shifts a disc."""
    at = identity(like.shape[2:], like) - (SIDE - 1) / 2
    return 0.05 * at.flip(1)


def scaling_of_disc(ndim: int) -> Tensor:
    """A scaling by 0.2 about the centre of a disc of radius 6, fading out around it."""
    at = identity([SIDE] * ndim, torch.zeros(1)) - (SIDE - 1) / 2
    return 0.2 * at * ((16 - at.norm(dim=1, keepdim=True)) / 10).clamp(0, 1)


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_scaled_disc_is_all_or_nothing(ndim: int) -> None:
    organ, scaling = disc(SIDE, 6.0, [0.0] * ndim, ndim), scaling_of_disc(ndim)
    part = organ_part(scaling, organ)
    inside = organ.expand_as(part) > 0.99
    torch.testing.assert_close(part[inside], scaling[inside], atol=0.05, rtol=0.05)
    for kept in (0.0, 0.4, 1.0):
        cross, energy = regression(scaling - kept * part, scaling, organ)
        assert energy > 0 and cross / energy == pytest.approx(1 - kept, abs=1e-4)


def test_shear_is_no_organ_part() -> None:
    organ, scaling = disc(SIDE, 6.0, [0.0, 0.0]), scaling_of_disc(2)
    cross, energy = regression(shear(scaling), scaling, organ)
    assert abs(cross) < 0.01 * energy


class Answering:
    """A model whose answer is a function of the true velocity at the deformed image."""

    def __init__(self, spec: Any, answer: Callable[[], Tensor]) -> None:
        self.spec, self._answer = spec, answer

    def predict(self, images: Tensor, level: int) -> Tensor:
        assert images.shape[2:] == (self.spec.size,) * self.spec.ndim
        return self._answer() / self.spec.schedule.tau(level)


@pytest.mark.parametrize("kept", [0.0, 0.3, 1.0])
def test_a_network_is_asked_about_the_labels_of_the_deformed_image(data: Path, kept: float) -> None:
    made = unet()
    case = load_case(read_dataset(data)[0], made.spec, (1, 2, 3))
    start = start_flow(made, 1, case.code, level=60)
    velocity = crop(start.random)
    true = -enlarge(velocity, made.spec.state // velocity.shape[-1])
    organs = case.view.label_shares(case.slab, made.spec.state)
    assert organs is not None
    part = organ_part(true, warp(organs, start.displacement(), padding="zeros"))
    model: Any = Answering(made.spec, lambda: true - kept * part)
    figures = organ_figures(model, case, start, 60)
    assert figures["organ_energy"] > 0
    slope = figures["organ_cross"] / figures["organ_energy"]
    assert slope == pytest.approx(1 - kept, abs=1e-3)


def test_without_labels_there_is_no_slope(data: Path) -> None:
    made = unet()
    case = load_case(read_dataset(data)[0], made.spec, ())
    bare: Any = SimpleNamespace(
        view=SimpleNamespace(label_shares=lambda *_: None), slab=0, images=case.images
    )
    assert organ_figures(made, bare, start_flow(made, 1, 2, level=60), 60) == {}


def test_the_slope_of_a_row_is_that_of_its_sums() -> None:
    pairs = [(0.9, 1.0), (0.1, 1.0), (4.0, 8.0)]
    keys = {"row": "recovered", "level": 48, "seed": 1, "steps": 8}
    records = [
        Record(name, name, keys, {"organ_cross": cross, "organ_energy": energy})
        for name, (cross, energy) in zip("abc", pairs, strict=True)
    ]
    found = organ_slope(Group(keys, [*records, Record("d", "d", keys, {"max": 1.0})]))
    assert found["organ_slope"].mean == pytest.approx(0.5)
    assert found["organ_slope"].n == 3 and found["organ_slope"].se > 0
    assert organ_slope(Group(keys, [Record("d", "d", keys, {"max": 1.0})])) == {}
