"""Files: cases, images and displacement fields in and out, and the folder of a run."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from src_core.io.atomic import open_atomically
    from src_core.io.fields import (
        field_file,
        holds_field,
        is_fsl_name,
        read_field,
        read_field_series,
        write_field,
        write_field_series,
        write_scalar,
    )
    from src_core.io.folder import OutputFolder
    from src_core.io.options import FieldFormat
    from src_core.io.volumes import FileNames, read_case, write_image

__all__ = [
    "FieldFormat",
    "FileNames",
    "OutputFolder",
    "field_file",
    "holds_field",
    "is_fsl_name",
    "open_atomically",
    "read_case",
    "read_field",
    "read_field_series",
    "write_field",
    "write_field_series",
    "write_image",
    "write_scalar",
]

#: Modules of the names, which are imported when they are used.
_HOMES = {
    "atomic": ("open_atomically",),
    "fields": (
        "field_file",
        "holds_field",
        "is_fsl_name",
        "read_field",
        "read_field_series",
        "write_field",
        "write_field_series",
        "write_scalar",
    ),
    "folder": ("OutputFolder",),
    "options": ("FieldFormat",),
    "volumes": ("FileNames", "read_case", "write_image"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
