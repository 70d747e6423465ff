"""Displacement fields: composing, flowing, inverting, and what they do to volume."""

from __future__ import annotations

from src_core.fields.algebra import (
    compose,
    enlarge,
    exponential,
    magnitude,
    smooth,
    squarings_for,
)
from src_core.fields.cells import determinant
from src_core.fields.certificate import Certificate, cell_bounds, certify, combined
from src_core.fields.extended import PartwiseField
from src_core.fields.inverse import Inverse, invert, invert_parts
from src_core.fields.jacobian import folding_permille, jacobian_determinant

__all__ = [
    "Certificate",
    "Inverse",
    "PartwiseField",
    "cell_bounds",
    "certify",
    "combined",
    "compose",
    "determinant",
    "enlarge",
    "exponential",
    "folding_permille",
    "invert",
    "invert_parts",
    "jacobian_determinant",
    "magnitude",
    "smooth",
    "squarings_for",
]
