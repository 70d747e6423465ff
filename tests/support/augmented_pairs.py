"""Requests for pairs of a data set, and what a run of them leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from src_core.augment import Request

__all__ = ["FILES", "FORMATS", "request"]


def request(dataset: Path, out: Path, **values: Any) -> Request:
    asked = {"per_case": 2, "levels": (20, 40), "between": (30, 70), **values}
    return Request(dataset, out, **asked)


FORMATS = ("pairs", "nifti", "learn2reg")


FILES = (
    "moving.nii.gz",
    "fixed-labels.nii.gz",
    "displacement.nii.gz",
    "inverse.nii.gz",
    "recipe.json",
)
