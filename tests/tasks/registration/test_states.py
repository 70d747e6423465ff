"""A training that stops and continues from its stored state ends as one that never stopped."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip("monai")
from src_core.tasks.registration.losses import unsupervised
from src_core.tasks.registration.pair_batches import RealPairs
from src_core.tasks.registration.pair_sets import SinglePairs
from src_core.tasks.registration.states import load_state, save_state
from src_core.tasks.registration.training import fit
from src_core.tasks.registration.window import InputWindow
from src_core.training.hardware import Hardware, start_fabric
from tests.support.registrations import box, windowed_case

WINDOW = InputWindow(16, 1.0)


def network(seed: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Tanh(), nn.Conv2d(3, 2, 1))


def trained(net: nn.Module, adam: torch.optim.Adam, begun: int, steps: int) -> list[float]:
    masks = [box((2, 3), (6, 5), 16), box((5, 2), (4, 8), 16)]
    shifted = [np.roll(m, (1, 2), axis=(1, 2)) for m in masks]
    pair = windowed_case("a", masks, WINDOW), windowed_case("b", shifted, WINDOW)
    pairs = SinglePairs(RealPairs([pair], [(0, 0), (0, 1)], WINDOW))
    fabric = start_fabric(Hardware("cpu"))
    loss = unsupervised("mse", 0.1)
    reports = fit(net, pairs, loss, fabric, steps=steps, batch=2, rate=0.01, seed=4,
                  every=1, begun=begun, optimiser=adam)  # fmt: skip
    return [at.loss for at in reports]


def begun_with(seed: int) -> tuple[nn.Module, torch.optim.Adam]:
    net = network(seed)
    return net, torch.optim.Adam(net.parameters(), 0.01)


def test_a_continued_training_has_the_bits_of_one_that_never_stopped(tmp_path):
    whole, adam = begun_with(1)
    losses = trained(whole, adam, 0, 8)
    first, adam = begun_with(1)
    part = trained(first, adam, 0, 5)
    save_state(tmp_path / "s", first, adam, 5, "d")
    later, adam = begun_with(2)
    assert load_state(tmp_path / "s", later, adam, "d", most=8) == 5
    assert part + trained(later, adam, 5, 8) == losses
    for one, other in zip(whole.parameters(), later.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("digest", "most"), [("other", 8), ("d", 4)])
def test_a_state_of_another_run_or_of_too_many_steps_is_not_read(tmp_path, digest, most):
    net, adam = begun_with(1)
    trained(net, adam, 0, 5)
    save_state(tmp_path / "s", net, adam, 5, "d")
    fresh, adam = begun_with(2)
    assert load_state(tmp_path / "s", fresh, adam, digest, most) == 0
    assert not adam.state_dict()["state"]
    assert all(torch.equal(a, b) for a, b in zip(fresh.parameters(), network(2).parameters(),
                                                 strict=True))  # fmt: skip
    assert load_state(tmp_path / "absent", fresh, adam, "d", 8) == 0
