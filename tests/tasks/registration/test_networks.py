"""Losses of registration by closed form, and networks that learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from src_core.errors import InputError
from src_core.training.hardware import Hardware, start_fabric

pytest.importorskip("monai")
from src_core.tasks.registration.losses import supervised, unsupervised
from src_core.tasks.registration.measures import figures_of
from src_core.tasks.registration.networks import (
    load_weights,
    make_network,
    save_weights,
)
from src_core.tasks.registration.pair_batches import (
    PairBatch,
    RealPairs,
)
from src_core.tasks.registration.pair_sets import SinglePairs
from src_core.tasks.registration.training import fit
from src_core.tasks.registration.window import InputWindow
from tests.support.registrations import Constant, box, places, smooth_image, tensor, windowed_case


def test_the_loss_of_a_field_counts_known_voxels_and_slopes():
    truth, known = torch.zeros(2, 2, 8, 6), torch.zeros(2, 1, 8, 6, dtype=torch.bool)
    known[0, :, :4] = True
    batch = PairBatch(torch.zeros(2, 1, 8, 6), torch.zeros(2, 1, 8, 6), truth, known)
    wrong = torch.full_like(truth, 7.0)
    wrong[0, 0, :4], wrong[0, 1, :4] = 3.0, 1.0
    assert float(supervised(0.0)(wrong, batch)) == pytest.approx(5.0)
    ramp = 0.5 * torch.arange(8.0).view(1, 1, 8, 1).expand(2, 2, 8, 6)
    assert float(supervised(2.0)(ramp, PairBatch(batch.moving, batch.fixed, ramp, known))) == (
        pytest.approx(2.0 * 0.25 / 2)
    )


@pytest.mark.parametrize(("similarity", "gain"), [("mse", 1.0), ("ncc", 0.4)])
def test_images_that_match_through_the_field_cost_nothing(similarity, gain):
    x, y = places(40)
    image = tensor(smooth_image(x, y))[None, None]
    shifted = tensor(gain * smooth_image(x + 3, y - 2))[None, None]
    right = torch.tensor([3.0, -2.0]).view(1, 2, 1, 1).expand(1, 2, 40, 40)
    loss = unsupervised(similarity, 0.0)
    costs = [float(loss(scale * right, PairBatch(image, shifted))) for scale in (1, 0, -1)]
    assert costs[0] < 0.2 * costs[1] < 0.2 * costs[2]


@pytest.mark.slow
def test_a_network_begins_still_learns_a_shift_and_its_seed_gives_its_weights(tmp_path):
    pairs = [box((8 + k, 9), (10, 7)) for k in range(4)]
    window = InputWindow(32, 1.0)
    shifted = [np.roll(p, (2, -1), axis=(1, 2)) for p in pairs]
    both = windowed_case("a", pairs, window), windowed_case("b", shifted, window)
    real = RealPairs([both], [(0, u) for u in range(4)], window)
    fabric = start_fabric(Hardware("cpu"))

    def trained() -> tuple[nn.Module, list[float]]:
        network = make_network(2, 1)
        still = network(torch.rand(1, 2, 32, 32)).detach()
        assert still.shape == (1, 2, 32, 32) and float(still.abs().max()) < 0.01
        at = fit(network, SinglePairs(real), unsupervised("mse", 0.001), fabric,
                 steps=30, batch=4, rate=2e-3, seed=1, every=5)  # fmt: skip
        return network, [step.loss for step in at]

    network, losses = trained()
    again, same = trained()
    assert losses == same and losses[-1] < 0.5 * losses[0]
    before, after = (figures_of(n, both, (1,), window)["dsc"] for n in (None, network))
    assert after > before
    other, path = make_network(2, 2), tmp_path / "w.safetensors"
    assert not load_weights(path, other, "one")
    save_weights(path, network, "one")
    assert not load_weights(path, other, "another") and load_weights(path, other, "one")
    assert all(torch.equal(a, b) for a, b in zip(other.parameters(), again.parameters(),
                                                 strict=True))  # fmt: skip


def test_a_loss_that_is_no_number_stops_with_one_line():
    window = InputWindow(16, 1.0)
    one = windowed_case("a", [box((2, 3), (5, 6), 16)], window)
    steps = fit(Constant(math.nan, 0), SinglePairs(RealPairs([(one, one)], [(0, 0)], window)),
                unsupervised("mse", 0.1), start_fabric(Hardware("cpu")),
                steps=2, batch=1, rate=1e-3, seed=1)  # fmt: skip
    with pytest.raises(InputError, match=r"no longer a number, step 1, take a lower rate"):
        list(steps)
