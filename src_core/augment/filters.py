"""Which new cases are wanted: by how far they move, and by what became of their labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from src_core.errors import InputError, OptionName, Phrase
from src_core.errors.options import Display, option_class

__all__ = ["Filters"]

_PANEL = "Filters"


@option_class
class Filters:
    """Bounds on a new case's metrics; what is None or False bounds nothing."""

    min_mm: Annotated[
        float | None, Display(label="Moves at least", panel=_PANEL, none="any", unit="mm")
    ] = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Reject a new case whose largest displacement is less, in mm.",
    )
    max_mm: Annotated[
        float | None, Display(label="Moves at most", panel=_PANEL, none="any", unit="mm")
    ] = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Reject a new case whose largest displacement is more, in mm.",
    )
    max_volume_change: Annotated[
        float | None, Display(label="Volumes", panel=_PANEL, none="any", unit="%")
    ] = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Reject a new case in which the volume of a label changes by more, in %.",
    )
    keep_labels: Annotated[bool, Display(panel=_PANEL)] = Field(
        default=False, description="Reject a new case that loses a label."
    )
    keep_whole: Annotated[bool, Display(panel=_PANEL)] = Field(
        default=False, description="Reject a new case in which a label is split."
    )
    retries: Annotated[int, Display(panel=_PANEL)] = Field(
        default=0,
        ge=0,
        description="Further seeds to try, at the same levels, for a case that is rejected.",
    )

    def __post_init__(self) -> None:
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
