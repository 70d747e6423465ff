"""Files: cases, images and displacement fields in and out, and the folder of a run."""

from __future__ import annotations

from src_core.io.atomic import open_atomically
from src_core.io.fields import (
    FieldFormat,
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
