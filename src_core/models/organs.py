"""The organs of a model: their names, and the labels that mark them in labelled cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import ndimage

__all__ = ["Organ", "marked", "organs_of_labels"]


class Organ(BaseModel):
    """One organ, whole: with the cavities that lie in it.

    Attributes:
        name: in plain words.
        labels: values in label maps that are part of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    labels: tuple[int, ...] = Field(min_length=1)


def marked(labels: NDArray[Any], organs: Sequence[Organ]) -> NDArray[np.float32]:
    """Where each organ is in a label map (*shape): (K, *shape), 0 or 1."""
    return np.stack([np.isin(labels, organ.labels) for organ in organs]).astype(np.float32)


def organs_of_labels(labels: NDArray[Any], values: Iterable[int]) -> NDArray[np.float32]:
    """Each label of a map (*shape) as an organ, its holes filled: (K, *shape), 0 or 1."""
    filled = [ndimage.binary_fill_holes(labels == value) for value in values]
    return np.stack(filled).astype(np.float32)
