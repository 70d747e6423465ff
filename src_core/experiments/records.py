"""Records of an experiment: the figures of one sample, under keys in the experiment's own words.

An evaluation has the keys row, level, steps and seed; a segmentation task method, subjects and
seed. A trial is measured, and written, as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from src_core.errors import ArgumentError

__all__ = ["Key", "Record", "StageProgress", "Trial", "TrialKey"]

#: The value of a key.
Key = str | int
#: The values of a trial's keys, in their order.
TrialKey = tuple[Any, ...]

_RESERVED = {"case", "subject", "figures"}


@dataclass(frozen=True)
class Record:
    """Figures of one sample; ``record["level"]`` is the value of its key ``level``.

    Attributes:
        case: what was measured; ``subject`` the person it belongs to.
        keys: the conditions, by name; ``seed`` numbers repeated measurements.
        figures: measure -> number, NaN where it does not exist.

    Raises:
        ArgumentError: a key has the name of another attribute.
    """

    case: str
    subject: str
    keys: Mapping[str, Key]
    figures: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if taken := _RESERVED & self.keys.keys():
            raise ArgumentError(f"Record() 'keys' must not hold {min(taken)}, an attribute")

    def __getitem__(self, name: str) -> Any:
        return self.keys[name]


@dataclass(frozen=True)
class Trial:
    """What is measured and written at a time: a case at a level, or a training and its tests.

    Attributes:
        keys: identify it among the experiment's trials.
    """

    keys: Mapping[str, Key]
    records: tuple[Record, ...]

    @property
    def key(self) -> TrialKey:
        """The values of its keys, in their order."""
        return tuple(self.keys.values())


@dataclass(frozen=True)
class StageProgress:
    """Progress of a stage of a run: ``done`` of ``total``, and a few words on the last."""

    stage: str
    done: int
    total: int
    words: str = ""
