"""Displacement fields of any kind and format as displacements in LPS mm, with their kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import Grid
from src_core.errors import CommandName, DRDMError, InputError, OptionName, Phrase
from src_core.io.field_kinds import FieldKind, kind_named
from src_core.io.field_values import doubt, lps_displacements
from src_core.io.file_format import FileFormat
from src_core.io.foreign_files import refuse_foreign
from src_core.io.formats import NIFTI, format_named
from src_core.io.header_rules import decide
from src_core.io.headers import Verdict
from src_core.io.nifti_fields import check_finite, not_a_field
from src_core.io.options import FieldFormat
from src_core.io.reach import check_reachable

__all__ = ["FieldFile", "content_of", "holds_field", "read_field_file"]

_STATE = Phrase(
    "state what its values are: ", OptionName("field_kind"), " of ", CommandName("apply")
)


def content_of(path: str | Path) -> Verdict | None:
    """What a file holds, by its header; None where the header says nothing or cannot be read."""
    found = format_named(path) or NIFTI
    try:
        return decide(found.header(Path(path))) if found.header is not None else None
    except (DRDMError, OSError):
        return None


def holds_field(path: str | Path) -> bool:
    """Whether a file is a displacement field and no image, as far as its first bytes say.

    For a series of fields, one for each frame, it is false.
    """
    found = format_named(path) or NIFTI
    try:
        if found.header is None:
            return found.holds_field is not None and found.holds_field(Path(path))
        header = found.header(Path(path))
        return header.frames == 1 and decide(header).holds == "field"
    except (DRDMError, OSError):
        return False


@dataclass(frozen=True, eq=False)
class FieldFile:
    """A field as a file holds it.

    Attributes:
        displacement: (X, Y, Z, T, 3), float32, LPS mm; T = 1 for one field.
        grid: where it lies.
        kind: of the stored values; a forward one leads from the source to the new image.
    """

    displacement: NDArray[np.float32]
    grid: Grid
    kind: FieldKind


def read_field_file(
    path: str | Path, format: FieldFormat | None = None, kind: str | None = None
) -> FieldFile:
    """A field of any kind, one from the source to the new image included; as ``read_field``."""
    check_reachable(path)
    found = format_named(path)
    if found is None:
        refuse_foreign(path)
    if found is None or found.read_field is None:
        found = NIFTI
    path = Path(path)
    with found.required(path):
        chosen, certain = _kind_of(found, path, format, kind)
        if found.check is not None:
            found.check(path)
        values, grid = found.read_field(path)  # type: ignore[misc]
    check_finite(values, str(path))
    vectors = values if values.ndim == 5 else values[..., None, :]
    if not certain and (against := doubt(vectors, grid)):
        raise _unknown(against, path)
    u = lps_displacements(vectors, grid, chosen).astype(np.float32, copy=False)
    return FieldFile(u, grid, chosen)


def _kind_of(
    found: FileFormat, path: Path, format: FieldFormat | None, kind: str | None
) -> tuple[FieldKind, bool]:
    """The kind of a file's field, and whether it is stated, here or in the header."""
    if found.header is None:
        if kind is not None:
            raise InputError(
                f"a file of {found.name} says itself what it holds",
                where=str(path),
                option="field_kind",
                do="leave it out",
            )
        return kind_named("lps"), True
    header = found.header(path)
    if kind is not None:
        return kind_named(kind), True
    verdict = decide(header)
    own = [c.kind for c in found.conventions if c.name == format and c.kind]
    if own and (verdict.kind is None or "FSL" in (verdict.kind.axes, kind_named(own[0]).axes)):
        return kind_named(own[0]), True
    if verdict.holds != "field":
        do = _STATE if header.count > 1 else "give the field that a registration wrote"
        raise not_a_field(f"this is {verdict.what} ({verdict.why})", str(path), verdict.do or do)
    if verdict.kind is None:
        raise _unknown(verdict.why, path)
    return verdict.kind, verdict.certain


def _unknown(why: str, path: Path) -> InputError:
    return InputError(why, where=str(path), expected="a field of a known kind", do=_STATE)
