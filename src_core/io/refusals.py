"""Errors of files with several values per voxel that are read as an image."""

from __future__ import annotations

from src_core.errors import CommandName, InputError, Phrase
from src_core.io.headers import Verdict

__all__ = ["AS_FIELD", "many_values"]

AS_FIELD = Phrase("give an image; a field goes to ", CommandName("apply"))


def many_values(verdict: Verdict, where: str) -> InputError:
    """The error of a file with several values per voxel that is read as an image."""
    field = verdict.holds == "field"
    return InputError(
        f"this is {'a displacement field: ' if field else ''}{verdict.what} ({verdict.why})",
        where=where,
        expected="one value per voxel, (X, Y, Z) or (X, Y, Z, T)",
        do=verdict.do or AS_FIELD,
    )
