"""A pose and intensities drawn in plain PyTorch: replayed, undone, and what ``generate`` makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from src_core.errors import InputError
from src_core.generation import generate
from src_core.transforms import Bank, Deformation, Live, deform, make_bank, random_deform
from tests.support import tiny
from tests.support.deformations import case_of, numbers
from tests.support.loops import ball, scan, untouched
from tests.support.posed import always


def tensors(channels: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    image = torch.from_numpy(np.stack([ball() + 7 * c for c in range(channels)]))
    return image, (image[:1] > 50).to(torch.uint8)


def drawn(maker: Any, seed: int = 1, channels: int = 1, **options: Any) -> Any:
    image, labels = tensors(channels)
    given = {"affine": tiny.OBLIQUE, **options}
    return random_deform(image, labels, source=maker, generator=numbers(seed), **given)


def test_the_same_generator_draws_the_same(maker: Live) -> None:
    asked = {"pose": "small", "intensity": "nnunet"}
    with untouched():
        one, same, other = (drawn(maker, seed, **asked) for seed in (1, 1, 2))
    assert torch.equal(one.image, same.image) and torch.equal(one.labels, same.labels)
    assert one.deformation.pose == same.deformation.pose != other.deformation.pose
    bare = drawn(maker)
    assert bare.deformation.pose is None and bare.deformation.intensities == ()
    assert np.array_equal(bare.deformation.u, one.deformation.u)
    assert (one.deformation.level, one.deformation.seed) == (
        bare.deformation.level,
        bare.deformation.seed,
    )


def test_it_is_what_generate_makes(maker: Live) -> None:
    source = scan()
    new = drawn(maker, pose=always(flip="x"))
    pose = new.deformation.pose
    made = generate(
        case_of(source),
        maker.loaded(),
        level=new.deformation.level,
        seed=new.deformation.seed,
        steps=maker.steps,
    )
    whole = new.deformation.field()
    image = torch.from_numpy(source.image)[None]
    again = deform(image, Deformation.of_field(whole, source.grid, 1, 1), affine=tiny.OBLIQUE)
    assert torch.allclose(again, new.image, atol=2e-3)
    bare = Deformation.of_field(made.displacement, source.grid, 1, 1)
    posed = Deformation(bare.u, bare.grid, bare.axis, 0, 1, 1, pose)
    assert torch.allclose(deform(image, posed, affine=tiny.OBLIQUE), new.image, atol=0.05)


def test_replay_by_recorded_numbers_is_exact(maker: Live) -> None:
    image, labels = tensors(2)
    for seed in range(6):
        new = drawn(maker, seed, 2, pose="nnunet", intensity="nnunet")
        kept = Deformation.from_dict(new.deformation.as_dict())
        assert torch.equal(deform(image, kept, affine=tiny.OBLIQUE), new.image)
        assert torch.equal(deform(labels, kept, affine=tiny.OBLIQUE, mode="labels"), new.labels)
        assert len(kept.intensities) == 2


def test_a_flip_is_exact(maker: Live) -> None:
    image, labels = tensors()
    flip = always(flip="xy", rotation_probability=0, scale_probability=0, shift=0)
    still = drawn(replace(maker, levels=(0, 0)), pose=flip)
    assert torch.allclose(still.image, image.flip(1, 2), atol=1e-4)  # float32 positions
    assert torch.equal(still.labels, labels.flip(1, 2))
    whole = (10 * image).short()
    moved = deform(whole, still.deformation, affine=tiny.OBLIQUE)
    assert torch.equal(moved, whole.flip(1, 2))
    new, bare = drawn(maker, pose=flip), drawn(maker)
    assert torch.allclose(new.image, bare.image.flip(1, 2), atol=1e-3)
    assert (new.labels == bare.labels.flip(1, 2)).float().mean() > 0.9999


@pytest.mark.parametrize("flip", ["", "x", "xy"])
def test_a_pose_is_undone(maker: Live, flip: str) -> None:
    image, _ = tensors()
    new = drawn(maker, pose=always(flip=flip, shift=2, scale=(0.95, 1.0)))
    back = deform(new.image, new.deformation, affine=tiny.OBLIQUE, inverse=True)
    middle = (slice(None), slice(10, -10), slice(14, -14))
    lost, moved = ((a - image)[middle].abs().mean() for a in (back, new.image))
    assert lost < 0.3 < 1 < moved


def test_a_crop_shows_the_same_anatomy(maker: Live) -> None:
    image, labels = tensors()
    new = drawn(maker, pose=always(flip="y", shift=2))
    whole = deform(image, new.deformation, affine=tiny.OBLIQUE)
    shift = np.eye(4)
    shift[:3, 3] = [3, 2, 0]
    crop = deform(image[:, 3:, 2:], new.deformation, affine=tiny.OBLIQUE @ shift)
    inner = (slice(None), slice(8, -8), slice(10, -10))
    assert torch.allclose(crop[inner], whole[:, 3:, 2:][inner], atol=0.02)
    assert labels.any() and crop.shape != whole.shape


def test_a_bank_draws_a_new_pose_each_time(maker: Live, tmp_path: Path) -> None:
    stored = list(make_bank({"a": case_of(scan())}, tmp_path / "bank", maker, per_case=1))
    assert [one.state for one in stored] == ["made"]
    bank = Bank(tmp_path / "bank")
    some = [drawn(bank, seed, name="a", pose="small") for seed in range(3)]
    assert len({one.deformation.seed for one in some}) == 1
    assert len({one.deformation.pose for one in some}) == 3


def test_labels_and_other_modes_keep_their_intensities(maker: Live) -> None:
    image, _ = tensors()
    new = next(
        made
        for made in (drawn(maker, seed, intensity="nnunet") for seed in range(20))
        if made.deformation.intensities[0].changes
    )
    bare = deform(image, new.deformation, affine=tiny.OBLIQUE, intensities=False)
    assert not torch.allclose(new.image, bare, atol=0.1)
    assert set(new.labels.unique().tolist()) <= {0, 1}
    whole = (image * 2).short()
    stored = deform(whole, new.deformation, affine=tiny.OBLIQUE)
    floats = deform(whole.float(), new.deformation, affine=tiny.OBLIQUE)
    assert stored.dtype == torch.int16 and torch.equal(stored, floats.round().short())


def test_an_unknown_pose_is_an_error(maker: Live) -> None:
    with pytest.raises(InputError, match="large is not possible, pose"):
        drawn(maker, pose="large")
