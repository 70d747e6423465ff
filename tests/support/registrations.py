"""Windows, boxes and a network that answers the same everywhere, for tests of registration."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from src_core.tasks.registration.window import InputWindow, WindowedCase

__all__ = ["WINDOW", "Constant", "box", "places", "smooth_image", "tensor", "windowed_case"]


WINDOW = InputWindow(32, 0.5)


def places(side: int) -> np.ndarray:
    return np.indices((side, side)).astype(np.float64)


def smooth_image(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 0.5 + 0.25 * np.sin(x / 6) + 0.2 * np.cos(y / 5 + x / 9)


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def windowed_case(
    name: str, shapes: list[np.ndarray], window: InputWindow, mm: float = 2.5
) -> WindowedCase:
    """Slices of which each label is a mask (K, size, size), 0..1."""
    shares = (255 * np.stack(shapes)).astype(np.uint8)
    images = np.zeros((len(shapes), 1, window.side, window.side), np.uint8)
    first = (window.side - window.size) // 2
    inner = slice(first, first + window.size)
    images[:, :, inner, inner] = shares.max(axis=1, keepdims=True)
    return WindowedCase(name, name, images, shares, mm)


def box(at: tuple[int, int], size: tuple[int, int], side: int = 32) -> np.ndarray:
    mask = np.zeros((1, side, side), np.float32)
    mask[0, at[0] : at[0] + size[0], at[1] : at[1] + size[1]] = 1
    return mask


class Constant(nn.Module):
    """Answers one displacement, voxels, whatever the images are."""

    def __init__(self, *u: float) -> None:
        super().__init__()
        self.u = nn.Parameter(torch.tensor(u).view(1, -1, 1, 1))

    def forward(self, both: torch.Tensor) -> torch.Tensor:
        return self.u.expand(len(both), -1, *both.shape[2:])
