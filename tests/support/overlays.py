"""A viewer model with an image, labels and a smooth displacement, for overlays and readouts."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_drdm.overlays import LayerField, View
from napari_drdm.overlays.kinds import KINDS

__all__ = [
    "ALL",
    "OBLIQUE",
    "SCALE",
    "SHAPE",
    "TURN",
    "blocks",
    "field_of",
    "opened",
    "picture",
    "views",
    "wave",
]


SHAPE = (26, 40, 34)  # Z, Y, X


SCALE = (4.0, 1.2, 1.5)


TURN = np.array([[0.8, -0.36, 0.48], [0.6, 0.48, -0.64], [0.0, 0.8, 0.6]])
OBLIQUE = np.eye(4)
OBLIQUE[:3] = np.column_stack([TURN * SCALE[::-1], [31.0, -12.0, 7.5]])


ALL = set(KINDS)


def wave(at: np.ndarray, most: float = 2.5) -> np.ndarray:
    """A smooth field, voxels, along X, Y, Z of voxels (..., 3)."""
    x, y, z = np.moveaxis(at, -1, 0)
    return most * np.stack(
        [np.sin(y / 7 + z / 9), 0.8 * np.cos(x / 6 - z / 8), 0.6 * np.sin(x / 9 + y / 8)], -1
    )


def picture(shape=SHAPE) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 900, shape).astype(np.int16)


def blocks(shape=SHAPE) -> np.ndarray:
    labels = np.zeros(shape, np.uint8)
    labels[..., 8:20, 6:22] = 3
    labels[..., 12:16, 10:18] = 9
    return labels


def opened(shape=SHAPE, scale=SCALE, **placed) -> tuple[ViewerModel, Image, Labels]:
    viewer = ViewerModel()
    placed = {"scale": scale[-len(shape) :], **placed}
    image = viewer.add_image(picture(shape), name="head", **placed)
    return viewer, image, viewer.add_labels(blocks(shape), name="head labels", **placed)


def field_of(moment) -> LayerField:
    return LayerField(moment.layer_case, moment.displacement)


def views(shape=SHAPE) -> list[View]:
    cuts = [View(tuple({0, 1, 2} - {a}), ((a, shape[a] // 3),)) for a in range(3)]
    return [*cuts, View((2, 0), ((1, 7),)), View((0, 1, 2), (), (5, 20, 11))]
