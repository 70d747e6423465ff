"""Layers back to files: the reverse of the reader, where the viewer shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_drdm.layers.derived import is_synthetic
from napari_drdm.layers.field_layers import field_in
from napari_drdm.layers.geometry import known_affine, layer_affine
from src_core.cases.case import Case
from src_core.cases.synthetic import mark_synthetic, synthetic_note
from src_core.errors import InputError
from src_core.io import FieldFormat, is_fsl_name, volume_file, write_field, write_image
from src_core.io.formats import format_named

__all__ = ["write_fsl_field", "write_itk_field", "write_layer"]


def write_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write an image or labels layer; where it lies is kept, in mm.

    Raises:
        InputError: the layer is no image of 2 to 4 axes, or the file cannot be written.
    """
    values = np.asarray(data)
    if attributes.get("rgb"):
        raise InputError(
            "this is a colour image",
            where=str(attributes.get("name", "")),
            expected="one value per voxel",
            do="split its channels first",
        )
    place = {"scale": (1.0,) * values.ndim, **attributes}
    known = known_affine(attributes.get("metadata", {}), values.ndim)
    case = Case.from_arrays(values.T, affine=layer_affine(place, known))
    if is_synthetic(attributes.get("metadata", {})):
        case = mark_synthetic(case)
    name = _file_name(path)
    write_image(Path(name), case.image, case.images[0], case.grid)
    return [name]


def write_itk_field(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write the dense field behind arrows as ITK and ANTs apply it; as FSL's if the name says so.

    Raises:
        InputError: there is no field behind the arrows, or the file cannot be written.
    """
    return _write_field(path, attributes, "fsl" if is_fsl_name(path) else "itk")


def write_fsl_field(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write the dense field behind arrows as a relative warp of FSL.

    Raises:
        InputError: there is no field behind the arrows, or the file cannot be written.
    """
    return _write_field(path, attributes, "fsl")


def _write_field(path: str, attributes: dict[str, Any], format: FieldFormat) -> list[str]:
    field = field_in(attributes.get("metadata", {}))
    if field is None:
        raise InputError(
            "this layer holds arrows only",
            where=str(attributes.get("name", "")),
            expected="a layer opened from a displacement field",
            do="save it as CSV",
        )
    name = _file_name(path)
    note = synthetic_note() if is_synthetic(attributes.get("metadata", {})) else ""
    write_field(name, field.displacement, field.grid, format, note)
    return [name]


def _file_name(path: str) -> str:
    """The name, as the engine's own format where it has no ending that an image is written in."""
    found = format_named(path)
    return path if found and found.write_image and not found.picture else volume_file(path)
