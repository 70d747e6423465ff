"""Training samples (Algorithm 1): a posed image, deformed at a random level, and its velocity.

Sample i depends on (seed, i) alone, so a run resumes bit-exactly and any process can make any
sample. The pose and the deformation are one map, and the image is sampled once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from src_core.diffusion.kinds import random_field
from src_core.diffusion.random_field import Draws, generator, level_ddf
from src_core.fields import enlarge
from src_core.fields.sampling import identity, sample
from src_core.models.prediction import network_kind
from src_core.training.config import Augmentation, Stage, TrainConfig
from src_core.training.data import Store
from src_core.training.organs import draw_natural, organ_maps, varied

__all__ = ["Batch", "Draw", "draw_sample", "make_batch"]


@dataclass(frozen=True)
class Batch:
    """What one step learns from.

    Attributes:
        images: (B, 1, *size or *window) in 0..1.
        levels: (B,).
        targets: the outputs to learn.
        condition: (B, C); None for networks that take none.
        teacher: a teacher's outputs for the same, if there is one.
        organs: maps of organs (B, K, *n), 0 to 1, -1 where unknown; None where none are learnt.
    """

    images: Tensor
    levels: Tensor
    targets: Tensor
    condition: Tensor | None = None
    teacher: Tensor | None = None
    organs: Tensor | None = None


@dataclass(frozen=True)
class Draw:
    """Everything random about one sample.

    Attributes:
        velocity, disturbance: the numbers that the fields are made of.
        corner: the window's lowest, in pixels.
        natural: rates of natural variation; empty for none.
    """

    image: int
    level: int
    amplitude: float
    pose: np.ndarray
    shift: np.ndarray
    contrast: tuple[float, float, float, float]
    velocity: Draws
    disturbance: Draws
    corner: tuple[int, ...]
    condition: tuple[float, ...] = ()
    natural: np.ndarray = field(default_factory=lambda: np.zeros(0))


def draw_sample(
    config: TrainConfig, stage: Stage, shares: np.ndarray, index: int, ndim: int
) -> Draw:
    """Sample ``index``: which image, how posed, how deformed."""
    rng = np.random.default_rng([config.seed, index])
    deforming, source = random_field(config.schedule), generator(config.seed, index)
    kind = rng.random()
    amplitude = float(rng.random()) if kind < stage.weaker + stage.undeformed else 1.0
    amplitude = 0.0 if kind < stage.undeformed else amplitude
    pose, shift = _pose(config.augmentation, rng, ndim)
    return Draw(
        image=int(rng.choice(len(shares), p=shares)),
        level=int(rng.integers(stage.levels[0], stage.levels[1] + 1)),
        amplitude=amplitude,
        pose=pose,
        shift=shift,
        contrast=_contrast(config.augmentation, rng),
        velocity=deforming.draw(ndim, source),
        disturbance=deforming.draw(ndim, source),
        corner=_corner(config, rng, ndim),
        condition=network_kind(config.network).draw_condition(config.network, rng),
        natural=_natural(config, rng, ndim),
    )


def _natural(config: TrainConfig, rng: np.random.Generator, ndim: int) -> np.ndarray:
    if not config.natural.share:
        return np.zeros(0)
    return draw_natural(config.natural, rng, len(config.organs), ndim)


def _corner(config: TrainConfig, rng: np.random.Generator, ndim: int) -> tuple[int, ...]:
    if not config.window:
        return (0,) * ndim
    return tuple(int(n) for n in rng.integers(0, config.size - config.window + 1, ndim))


def _pose(settings: Augmentation, rng: np.random.Generator, ndim: int) -> tuple[np.ndarray, ...]:
    """A linear map and a shift (share of the side) from the deformed frame to the stored image."""
    limit = np.pi if rng.random() < settings.free_rotation else settings.rotation
    turn = _rotation(rng, rng.uniform(-limit, limit), ndim)
    flips = np.where(rng.random(ndim) < settings.flip, -1.0, 1.0)
    sides = rng.uniform(*settings.crop) * np.exp(rng.uniform(-1, 1, ndim) * settings.aspect)
    slack = np.clip(1 - sides, 0, None)
    shift = rng.uniform(-settings.translation, settings.translation, ndim)
    shift = shift + slack * rng.uniform(-0.3, 0.3, ndim)
    return turn * (sides * flips), shift


def _rotation(rng: np.random.Generator, angle: float, ndim: int) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    if ndim == 2:
        return np.array([[c, -s], [s, c]])
    x, y, z = (axis := rng.normal(size=3)) / np.linalg.norm(axis)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + s * k + (1 - c) * k @ k


def _contrast(
    settings: Augmentation, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Gain, offset, lower and upper threshold."""
    offset = rng.normal(0, settings.offset) if rng.random() < 0.5 else 0.0
    low = rng.uniform(0, 0.08) if rng.random() < settings.threshold else 0.0
    high = 1 - (rng.uniform(0, 0.3) if rng.random() < settings.threshold else 0.0)
    return rng.normal(1, settings.gain), offset, low, high


def make_batch(
    config: TrainConfig, store: Store, draws: list[Draw], device: torch.device | str = "cpu"
) -> Batch:
    """Deform and pose the drawn images.

    Args:
        store: all images on the model's grid.
        draws: one per item.
        device: where the batch is made.
    """
    schedule, ndim = config.schedule, store.images.dim() - 2
    amplitude = torch.tensor([d.amplitude for d in draws]).view(-1, *[1] * (ndim + 1)).to(device)
    deforming = random_field(schedule)
    clean = deforming.velocity(_stacked([d.velocity for d in draws], device)) * amplitude
    noise = deforming.velocity(_stacked([d.disturbance for d in draws], device)) * amplitude
    levels = torch.tensor([d.level for d in draws])
    tau = torch.tensor([schedule.tau(d.level) for d in draws])
    u = level_ddf(deforming, deforming.disturbed(clean, noise * schedule.disturbance), tau)
    u = enlarge(u, config.size // u.shape[-1])
    images = torch.stack([store.images[d.image] for d in draws]).to(device).float() / 255
    positions = _positions(u, draws, config.size)
    chosen, organs = [d.image for d in draws], None
    if store.organs is not None:
        if config.natural.share:
            positions = varied(positions, store.organs, chosen, [d.natural for d in draws])
        organs = organ_maps(store.organs, chosen, positions)
    positions = _windows(positions, draws, config.window)
    posed = sample(images, positions, config.recovery.image_mode, padding="zeros")
    condition = _condition(draws, device)
    kind = network_kind(config.network)
    targets = _windows(kind.target(config, clean, levels, condition), draws, config.window)
    return Batch(_recontrast(posed, draws), levels.to(device), targets, condition, organs=organs)


def _stacked(draws: list[Draws], device: torch.device | str) -> Draws:
    return tuple(torch.cat(numbers).to(device) for numbers in zip(*draws, strict=True))


def _condition(draws: list[Draw], device: torch.device | str) -> Tensor | None:
    """(B, C), None where C is 0."""
    return torch.tensor([d.condition for d in draws]).to(device) if draws[0].condition else None


def _positions(u: Tensor, draws: list[Draw], size: int) -> Tensor:
    centred = (identity(u.shape[2:], u) + u - (size - 1) / 2).flatten(2)
    pose = torch.from_numpy(np.stack([d.pose for d in draws])).to(u)
    shift = torch.from_numpy(np.stack([d.shift for d in draws])).to(u)[:, :, None]
    return (pose @ centred + shift * size + (size - 1) / 2).reshape(u.shape)


def _windows(fields: Tensor, draws: list[Draw], side: int) -> Tensor:
    """A window of each item, ``side`` pixels wide; all of it where that is 0."""
    if not side:
        return fields
    cut = [tuple(slice(n, n + side) for n in d.corner) for d in draws]
    return torch.stack(
        [field[(slice(None), *part)] for field, part in zip(fields, cut, strict=True)]
    )


def _recontrast(images: Tensor, draws: list[Draw]) -> Tensor:
    table = torch.tensor([d.contrast for d in draws]).to(images)
    gain, offset, low, high = (
        table[:, i].view(-1, *[1] * (images.dim() - 1)) for i in range(table.shape[1])
    )
    stretched = ((images - low) / (high - low)).clamp(0, 1)
    return (stretched * gain + offset).clamp(0, 1)
