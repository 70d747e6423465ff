"""Verdicts as coloured labels: green, amber, red, each with a sign of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from src_core.generation.verdict import Grade

__all__ = ["BADGES", "MARKS"]

_STYLE = (
    "QLabel {{ background: {}; color: white; border-radius: 4px; padding: 1px 5px; }} "
    "QLabel:disabled {{ background: #7a7a7a; color: #d0d0d0; }}"
)

#: Style sheets by grade.
BADGES: Mapping[Grade, str] = {
    "good": _STYLE.format("#2e7d4f"),
    "caution": _STYLE.format("#8f6000"),
    "bad": _STYLE.format("#b3402e"),
}
#: What a text begins with, for those who do not see colours.
MARKS: Mapping[Grade, str] = {"good": "✓", "caution": "!", "bad": "✗"}
