"""A pose and intensities with ``RandDRDM``: keys agree, and traces replay and undo them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_core.transforms import Deformation, Live
from tests.support.loops import untouched
from tests.support.posed import always

pytest.importorskip(
    "monai", reason='needs MONAI: pip install "napari-drdm[monai]"', exc_type=ImportError
)

from monai.data import DataLoader, Dataset, decollate_batch

from tests.support.monai_samples import middle, randomly, sample


def test_keys_move_together_and_a_seed_repeats_them(maker: Live) -> None:
    with untouched():
        one, same, other = (
            randomly(maker, seed, pose="small", intensity="nnunet")(sample()) for seed in (1, 1, 2)
        )
    for key in ("image", "label"):
        assert torch.equal(one[key], same[key]) and not torch.equal(one[key], other[key])
    bare = randomly(maker, 1, pose="small")(sample())
    agree = (middle(bare["image"]) > 50) == middle(bare["label"]).bool()
    assert agree.float().mean() > 0.98
    assert torch.equal(bare["label"], one["label"])


def test_without_them_nothing_changes(maker: Live) -> None:
    plain, none = (
        randomly(maker)(sample()),
        randomly(maker, pose="none", intensity=None)(sample()),
    )
    assert torch.equal(plain["image"], none["image"])
    trace = none["image"].applied_operations[-1]["extra_info"]["deformation"]
    assert not {"pose", "intensities"} & trace.keys()


def test_a_trace_replays_what_was_drawn(maker: Live) -> None:
    for seed in range(5):
        given = sample()
        new = randomly(maker, seed, pose="nnunet", intensity="nnunet")(given)
        trace = new["image"].applied_operations[-1]["extra_info"]["deformation"]
        kept = Deformation.from_dict(trace)
        placed = kept.on(kept.grid)
        again = placed.image(given["image"].as_tensor(), change=kept.changed)
        assert torch.equal(again, new["image"].as_tensor())
        assert torch.equal(placed.labels(given["label"].as_tensor()), new["label"].as_tensor())


def test_the_inverse_undoes_the_pose(maker: Live) -> None:
    transform = randomly(maker, pose=always(flip="x", shift=2, scale=(0.95, 1)))
    given = sample()
    new = transform(given)
    back = transform.inverse(new)
    lost, moved = ((middle(a["image"]) - middle(given["image"])).abs().mean() for a in (back, new))
    assert lost < 0.5 < 2 < moved


def test_each_channel_has_intensities_of_its_own(maker: Live) -> None:
    given = sample()
    twice = {**given, "image": torch.cat([given["image"], given["image"]])}
    made = [randomly(maker, seed, intensity="nnunet")(twice)["image"] for seed in range(12)]
    assert any(not torch.equal(one[0], one[1]) for one in made)
    nearest = randomly(maker, intensity="nnunet", mode=("nearest", "label"))(given)["image"]
    values = np.unique(given["image"].numpy())
    assert np.isin(nearest.numpy(), [*values, 0]).all()


def test_a_batch_keeps_the_numbers_of_each_sample(maker: Live) -> None:
    transform = randomly(maker, pose="small", intensity="nnunet")
    data = Dataset([sample() for _ in range(3)], transform)
    (batch,) = DataLoader(data, batch_size=3)
    items = decollate_batch(batch)
    poses = [
        tuple(np.asarray(i["image"].applied_operations[-1]["extra_info"]["deformation"]["pose"]))
        for i in items
    ]
    assert len(set(poses)) == 3 and all(len(numbers) == 10 for numbers in poses)
    trace = items[1]["image"].applied_operations[-1]["extra_info"]["deformation"]
    kept = Deformation.from_dict(trace)
    again = kept.on(kept.grid).image(sample()["image"].as_tensor(), change=kept.changed)
    assert torch.equal(again, items[1]["image"].as_tensor())
