"""What a training draws: numbers of pairs, pairs kept on a device, real and synthetic mixed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_core.tasks.registration.losses import mixed
from src_core.tasks.registration.pair_batches import PairBatch
from src_core.tasks.registration.pair_sets import KeptPairs, MixedPairs, SinglePairs


class Numbered:
    """Pair n has images of n, and of -n where its field is known."""

    def __init__(self, count: int, known: bool) -> None:
        self.count, self.known, self.made = count, known, 0

    def __len__(self) -> int:
        return self.count

    def batch(self, indices) -> PairBatch:
        self.made += len(indices)
        values = torch.tensor(list(indices)).float().view(-1, 1, 1, 1).expand(-1, 1, 6, 4)
        if not self.known:
            return PairBatch(values, values + 0.5)
        inside = torch.ones(len(indices), 1, 6, 4, dtype=torch.bool)
        return PairBatch(-values, -values - 0.5, values.expand(-1, 2, 6, 4), inside)


def numbers(images: torch.Tensor) -> list[float]:
    return images[:, 0, 0, 0].tolist()


def test_pairs_are_drawn_by_the_seed_alone_and_all_of_them():
    single = SinglePairs(Numbered(5, False))
    one, same = (single.draw(np.random.default_rng((3, 1)), 400) for _ in range(2))
    assert torch.equal(one.moving, same.moving) and one.truth is None
    assert set(numbers(one.moving)) == {0, 1, 2, 3, 4}
    assert numbers(one.fixed) == [n + 0.5 for n in numbers(one.moving)]


@pytest.mark.parametrize("known", [True, False])
def test_kept_pairs_are_made_once_and_equal_to_those_made_on_use(known):
    source = Numbered(70, known)
    kept = KeptPairs(source, torch.device("cpu"))
    assert len(kept) == 70 and source.made == 70
    at = [69, 0, 33, 33]
    found, expected = kept.batch(at), source.batch(at)
    for name in ("moving", "fixed", "truth", "known"):
        one, other = getattr(found, name), getattr(expected, name)
        assert (one is None) == (other is None) == (name in ("truth", "known") and not known)
        assert one is None or torch.equal(one, other)


def test_half_of_a_mixed_batch_is_real_and_its_loss_is_the_sum_of_both():
    pairs = MixedPairs(Numbered(9, False), Numbered(9, True))
    batch = pairs.draw(np.random.default_rng(1), 7)
    assert batch.truth is not None and batch.known is not None
    assert len(batch.moving) == 7 and len(batch.truth) == len(batch.known) == 3
    assert min(numbers(batch.moving)[:4]) >= 0 and max(numbers(batch.moving)[4:]) <= 0
    assert numbers(batch.truth) == [-n for n in numbers(batch.moving)[4:]]

    def real(u, part):
        assert part.truth is None and part.known is None
        return u.sum() + part.moving.sum()

    def synthetic(u, part):
        return u.sum() + part.truth.sum() - part.fixed.sum()

    u = torch.arange(7.0).view(7, 1, 1, 1).expand(7, 2, 6, 4)
    first = u[:4].sum() + batch.moving[:4].sum()
    second = u[4:].sum() + batch.truth.sum() - batch.fixed[4:].sum()
    assert float(mixed(real, synthetic, 0.25)(u, batch)) == pytest.approx(float(first + second / 4))
