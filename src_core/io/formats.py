"""Every file format in one table: its endings, what it holds, and who reads and writes it.

A newcomer is one file with functions and one row here; ``register`` adds a row from elsewhere.
Functions are imported when they are called, so the table itself costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from src_core.errors import ArgumentError
from src_core.io.file_format import FieldConvention, FileFormat, PointFormat

__all__ = [
    "NIFTI",
    "PNG",
    "convention_named",
    "ending_of",
    "field_conventions",
    "field_endings",
    "format_named",
    "format_of",
    "formats",
    "image_endings",
    "is_picture",
    "listed",
    "point_ending_of",
    "point_endings",
    "point_format_named",
    "register",
    "volume_file",
    "without_ending",
]


def _later(function: str) -> Callable[..., Any]:
    """``module.function`` of this package, imported when it is called."""
    module, _, name = function.rpartition(".")

    def call(*args: Any) -> Any:
        return getattr(import_module(f"src_core.io.{module}"), name)(*args)

    return call


_WRITE_ITK = _later("itk.write_itk_field")

NIFTI = FileFormat(
    "NIfTI",
    (".nii.gz", ".nii"),
    read_image=_later("nifti.read_nifti"),
    write_image=_later("nifti.write_nifti"),
    read_field=_later("nifti_fields.read_nifti_vectors"),
    header=_later("nifti_fields.nifti_header"),
    conventions=(
        FieldConvention(
            "itk",
            "ITK and ANTs",
            (".nii.gz", ".nii"),
            _later("nifti_fields.write_itk_nifti"),
            "lps",
            described=True,
        ),
        FieldConvention(
            "fsl",
            "FSL",
            (".nii.gz", ".nii"),
            _later("nifti_fields.write_fsl_nifti"),
            "fsl",
            described=True,
        ),
    ),
    read_shape=_later("nifti.read_shape"),
)
PNG = FileFormat(
    "PNG",
    (".png",),
    read_image=_later("picture.read_png"),
    write_image=_later("picture.write_png"),
    read_shape=_later("picture.read_shape"),
    picture=True,
)
_formats = [
    NIFTI,
    PNG,
    FileFormat(
        "TIFF",
        (".tif", ".tiff"),
        read_image=_later("picture.read_tiff"),
        write_image=_later("picture.write_tiff"),
        read_shape=_later("picture.read_shape"),
        picture=True,
    ),
    FileFormat(
        "MetaImage",
        (".mha", ".mhd"),
        read_image=_later("itk_images.read_itk_image"),
        read_shape=_later("itk_images.read_itk_shape"),
        read_field=_later("itk.read_itk_vectors"),
        header=_later("text_headers.metaimage_header"),
        check=_later("metaimage_data.check_metaimage"),
        conventions=(FieldConvention("mha", "ITK .mha", (".mha",), _WRITE_ITK, described=True),),
        extra="itk",
    ),
    FileFormat(
        "NRRD",
        (".nrrd", ".nhdr"),
        read_image=_later("itk_images.read_itk_image"),
        read_shape=_later("itk_images.read_itk_shape"),
        read_field=_later("itk.read_itk_vectors"),
        header=_later("text_headers.nrrd_header"),
        check=_later("itk_images.check_nrrd"),
        conventions=(FieldConvention("nrrd", "ITK .nrrd", (".nrrd",), _WRITE_ITK, described=True),),
        extra="itk",
    ),
    FileFormat(
        "ITK transform",
        (".h5", ".tfm"),
        read_field=_later("itk.read_itk_transform"),
        holds_field=_later("itk.holds_itk_transform"),
        extra="itk",
    ),
    FileFormat(
        "DICOM",
        (".dcm",),
        read_image=_later("dicom.reading.read_dicom"),
        read_shape=_later("dicom.reading.read_dicom_shape"),
        holds_folder=_later("dicom.reading.holds_dicom"),
        extra="itk",
    ),
]
#: Landmarks and surfaces; the first is that of points that came from no file.
_point_formats = [
    PointFormat(
        "table",
        "points",
        (".csv",),
        _later("point_tables.read_table"),
        _later("point_tables.write_table"),
    ),
    PointFormat(
        "Slicer FCSV",
        "points",
        (".fcsv",),
        _later("point_tables.read_fcsv"),
        _later("point_tables.write_table"),
    ),
    PointFormat(
        "Slicer markups",
        "points",
        (".mrk.json",),
        _later("markups.read_markups"),
        _later("markups.write_markups"),
    ),
    *(
        PointFormat(
            name, "surface", (f".{end}",), _later(f"{end}.read_{end}"), _later(f"{end}.write_{end}")
        )
        for name, end in (("VTK", "vtk"), ("VTK XML", "vtp"), ("STL", "stl"), ("PLY", "ply"))
    ),
]


def formats() -> tuple[FileFormat, ...]:
    """The table, those that were registered at its end."""
    return tuple(_formats)


def register(new: FileFormat) -> None:
    """Add a row to the table, for this process.

    Raises:
        ArgumentError: an ending is no ending or taken, or the name of a convention is taken.
    """
    taken = {ending for known in _formats for ending in known.endings}
    if wrong := [e for e in new.endings if e in taken or e != e.lower() or not e.startswith(".")]:
        raise ArgumentError(
            f"register() 'endings' must be new and lower case with their dot, got {wrong[0]!r}"
        )
    names = {convention.name for convention in field_conventions()}
    if wrong := [c.name for c in new.conventions if c.name in names]:
        raise ArgumentError(f"register() 'conventions' must have new names, got {wrong[0]!r}")
    _formats.append(new)


def ending_of(path: str | Path) -> str:
    """The known ending of a file's name, the longest that fits, as the table has it; else ''."""
    name = str(path).lower()
    fitting = [e for known in _formats for e in known.endings if name.endswith(e)]
    return max(fitting, key=len, default="")


def without_ending(path: str | Path) -> str:
    """A file's name without its known ending; the whole name without one."""
    name = Path(path).name
    return name[: len(name) - len(ending_of(name))]


def format_named(path: str | Path) -> FileFormat | None:
    """The format of a file by its name."""
    ending = ending_of(path)
    return next((known for known in _formats if ending in known.endings), None)


def format_of(path: str | Path) -> FileFormat | None:
    """The format of a file by its name, or of a folder by its content."""
    if not os.path.isdir(path):
        return format_named(path)
    for_folders = [(known, known.holds_folder) for known in _formats if known.holds_folder]
    found = (known for known, holds in for_folders if holds(Path(path)))
    return next(found, for_folders[0][0])  # whose reader says what is wrong with the folder


def is_picture(path: str | Path) -> bool:
    """Whether a name is that of a picture, whose spacing is not in the file."""
    found = format_named(path)
    return found is not None and found.picture


def image_endings(pictures: bool = True) -> tuple[str, ...]:
    """Endings of files that are a whole image."""
    return tuple(
        ending
        for known in _formats
        if known.read_image and not known.holds_folder and (pictures or not known.picture)
        for ending in known.endings
    )


def field_endings() -> tuple[str, ...]:
    """Endings of files that may be a displacement field."""
    return tuple(ending for known in _formats if known.read_field for ending in known.endings)


def field_conventions() -> tuple[FieldConvention, ...]:
    """Ways to write a displacement field: the choices of ``--field-format``."""
    return tuple(convention for known in _formats for convention in known.conventions)


def convention_named(name: str) -> FieldConvention:
    """The convention of a name.

    Raises:
        ArgumentError: there is none.
    """
    known = {convention.name: convention for convention in field_conventions()}
    if name not in known:
        raise ArgumentError(f"a field's format must be of {', '.join(known)}, got {name!r}")
    return known[name]


def volume_file(name: str) -> str:
    """The file name of a volume that the engine writes: ``image.nii.gz``."""
    return name + NIFTI.endings[0]


def listed() -> str:
    """All formats that images are read from, for messages."""
    each = [
        f"{known.name} ({', '.join(known.endings)}{', a folder' if known.holds_folder else ''})"
        for known in _formats
        if known.read_image
    ]
    return " or ".join([", ".join(each[:-1]), each[-1]])


def point_format_named(path: str | Path) -> PointFormat | None:
    """The format of landmarks or a surface by the file's name."""
    ending = point_ending_of(path)
    return next((known for known in _point_formats if ending in known.endings), None)


def point_ending_of(path: str | Path) -> str:
    """The known ending of a file of landmarks or a surface, as the table has it; else ''."""
    name = str(path).lower()
    return next((e for known in _point_formats for e in known.endings if name.endswith(e)), "")


def point_endings(kind: str | None = None) -> tuple[str, ...]:
    """Endings of files with landmarks or surfaces, or of one kind of them."""
    return tuple(e for known in _point_formats if kind in (None, known.kind) for e in known.endings)
