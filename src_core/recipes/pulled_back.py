"""Fields of files as displacements from the new image to its source, those of models inverted."""

from __future__ import annotations

from pathlib import Path

from src_core.cases.grid import Grid
from src_core.errors import InputError
from src_core.fields.inverse_of_saved import invert_field
from src_core.fields.planes import Field, in_plane_axis
from src_core.fields.saved import SavedField
from src_core.io.field_files import FieldFile, read_field_file

__all__ = ["pulled_back"]


def pulled_back(
    path: str | Path, format: str | None = None, kind: str | None = None
) -> tuple[Field, Grid]:
    """A field as ``src_core.io.read_field`` gives it; one from the source is inverted on its grid.

    Raises:
        InputError: as ``read_field``, but for such a field.
    """
    found = read_field_file(path, format, kind)
    return _single(found, path), found.grid


def _single(found: FieldFile, path: str | Path) -> Field:
    if found.displacement.shape[3] > 1:
        raise InputError(
            f"the file has a field for each of {found.displacement.shape[3]} frames",
            where=str(path),
            expected="one field",
            do="take one of its frames",
        )
    u = found.displacement[..., 0, :]
    if not found.kind.forward:
        return u
    return invert_field(SavedField(u, found.grid, in_plane_axis(u, found.grid))).displacement
