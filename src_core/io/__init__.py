"""Files: cases, images and displacement fields in and out, and the folder of a run.

Names are imported when they are used, so that the table of formats alone loads no library.
"""

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
    from src_core.io.file_format import FieldConvention, FileFormat
    from src_core.io.folder import OutputFolder
    from src_core.io.formats import register, volume_file
    from src_core.io.options import FieldFormat
    from src_core.io.points import read_points, write_points
    from src_core.io.volumes import FileNames, read_case, write_image

_MODULES = {
    "FieldConvention": "file_format",
    "FieldFormat": "options",
    "FileFormat": "file_format",
    "FileNames": "volumes",
    "OutputFolder": "folder",
    "field_file": "fields",
    "holds_field": "fields",
    "is_fsl_name": "fields",
    "open_atomically": "atomic",
    "read_case": "volumes",
    "read_field": "fields",
    "read_field_series": "fields",
    "read_points": "points",
    "register": "formats",
    "volume_file": "formats",
    "write_field": "fields",
    "write_field_series": "fields",
    "write_image": "volumes",
    "write_points": "points",
    "write_scalar": "fields",
}

__all__ = [
    "FieldConvention",
    "FieldFormat",
    "FileFormat",
    "FileNames",
    "OutputFolder",
    "field_file",
    "holds_field",
    "is_fsl_name",
    "open_atomically",
    "read_case",
    "read_field",
    "read_field_series",
    "read_points",
    "register",
    "volume_file",
    "write_field",
    "write_field_series",
    "write_image",
    "write_points",
    "write_scalar",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
