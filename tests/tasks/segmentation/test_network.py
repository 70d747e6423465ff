"""The segmentation network: it learns, its seed gives its weights, its loss by closed form."""

from __future__ import annotations

import pytest
import torch

from src_core.tasks.segmentation.batches import Batches
from src_core.tasks.segmentation.evaluation_cases import counts_of, make_tested_case, mean_dice
from src_core.tasks.segmentation.methods import METHODS
from src_core.tasks.segmentation.network import make_network, predict, segmentation_loss
from src_core.tasks.segmentation.training import Training
from tests.support.segmentations import CPU, CROP, stack, store


def training(steps: int) -> Training:
    def batches() -> Batches:
        return Batches(store(), ["a"], METHODS["none"], steps=steps, batch=2, seed=5)

    return Training(batches, 2, steps=steps, rate=5e-3, seed=5, device=CPU)


def test_a_seed_gives_the_same_weights_and_another_gives_others():
    state = torch.get_rng_state()
    one, same, other = (make_network(3, seed, CPU).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[k], same[k]) for k in one)
    assert not torch.equal(one["last.weight"], other["last.weight"])
    assert torch.equal(state, torch.get_rng_state())
    assert 0.3e6 < sum(v.numel() for v in one.values()) < 0.5e6


def test_the_network_learns_and_repeats_itself():
    runs = [training(40), training(40)]
    states = [list(run.steps()) for run in runs]
    assert {s.done for s in states[0]} >= {10, 20, 30, 40}
    assert runs[0].loss(40) == runs[1].loss(40) < runs[0].loss(4) / 2
    case = make_tested_case(stack(), CROP, 2, CPU)
    counts = counts_of(runs[0].network, case, 2)
    dice = mean_dice(runs[0].network, [case], 2)
    assert dice > 0.8
    assert sum(c.figures()["dsc"] for c in counts) / 2 == pytest.approx(dice)


def test_the_loss_is_cross_entropy_and_dice():
    classes = torch.tensor([[[0, 1], [2, 2]]])
    scores = torch.zeros(1, 3, 2, 2)
    both, size = torch.tensor([1 / 3, 2 / 3]), torch.tensor([4 / 3 + 1, 4 / 3 + 2])
    expected = torch.log(torch.tensor(3.0)) + 1 - ((2 * both + 1) / (size + 1)).mean()
    assert float(segmentation_loss(scores, classes)) == pytest.approx(float(expected))
    sure = 40 * torch.nn.functional.one_hot(classes, 3).movedim(-1, 1).float()
    assert float(segmentation_loss(sure, classes)) == pytest.approx(0, abs=1e-5)


def test_a_pixel_gets_the_likeliest_class():
    class Fixed(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            scores = torch.tensor([[1.0, -2.0, 0.5], [0.5, 0.7, 0.2]])
            return scores.T.reshape(1, 3, 1, 2).expand(len(images), -1, -1, -1)

    assert predict(Fixed(), torch.zeros(70, 1, 1, 2))[69].flatten().tolist() == [0, 1]
