"""The models and devices there are; looking for them imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from src_core.models.library import ModelEntry

__all__ = ["ModelsFound", "find_models", "find_models_later"]


@dataclass(frozen=True)
class ModelsFound:
    """Models, and devices as (the engine's name, words)."""

    models: list[ModelEntry]
    devices: list[tuple[str, str]]


def find_models() -> ModelsFound:
    """The models and devices there are."""
    from napari_drdm.runs.devices import devices
    from src_core.models.library import list_models

    return ModelsFound(list_models(), [(d.name, d.words) for d in devices()])


def find_models_later() -> Iterator[ModelsFound]:
    """The same as a generator, for another thread."""
    yield find_models()
