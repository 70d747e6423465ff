"""Displacement fields: composing, flowing, inverting, and what they do to volume."""

from __future__ import annotations

from src_core.fields.algebra import (
    compose,
    enlarge,
    exponential,
    magnitude,
    power,
    squarings_for,
)

__all__ = ["compose", "enlarge", "exponential", "magnitude", "power", "squarings_for"]
