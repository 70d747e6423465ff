"""Which new cases are wanted: by how far they move, and by what became of their labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from src_core.errors import InputError, OptionName, Phrase

__all__ = ["Filters"]


@dataclass(frozen=True)
class Filters:
    """Bounds on a new case's metrics; what is None or False bounds nothing.

    Attributes:
        min_mm: smallest largest displacement.
        max_mm: largest displacement.
        max_volume_change: of any label, in % of what it was, more or less.
        keep_labels: refuse a case in which a label is lost.
        keep_whole: refuse a case in which a label is split.
        retries: further seeds, at the same level, before a case is given up.
    """

    min_mm: float | None = None
    max_mm: float | None = None
    max_volume_change: float | None = None
    keep_labels: bool = False
    keep_whole: bool = False
    retries: int = 0

    def __post_init__(self) -> None:
        for name in ("min_mm", "max_mm", "max_volume_change", "retries"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < float("inf"):
                raise InputError(f"{value} is not possible", option=name, expected="0 or more")
        if self.min_mm is not None and self.max_mm is not None and self.min_mm > self.max_mm:
            raise InputError(
                f"nothing moves between {self.min_mm:g} and {self.max_mm:g} mm",
                option="min_mm",
                expected=Phrase("less than ", OptionName("max_mm")),
            )

    def refused(self, metrics: Mapping[str, Any]) -> str:
        """What a case is refused for, in a few words; nothing where it is wanted."""
        if self.max_mm is not None and metrics["max_mm"] > self.max_mm:
            return "moves too far"
        if self.min_mm is not None and metrics["max_mm"] < self.min_mm:
            return "moves too little"
        if self.keep_labels and metrics["labels_lost"]:
            return "label lost"
        if self.keep_whole and metrics["labels_split"]:
            return "label split"
        changes = metrics["label_volume_change"].values()
        limit = self.max_volume_change
        if limit is not None and max(map(abs, changes), default=0.0) > limit:
            return "label volume changed too much"
        return ""
