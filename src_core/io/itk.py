"""Displacement fields in ITK's other formats, by SimpleITK where it is installed.

Vector images (.mha, .mhd, .nrrd, .nhdr) and transforms (.h5, .tfm); vectors are LPS mm, as ITK
and ANTs write them. Those in one file, .mha and .nrrd, are written too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.errors import InputError
from src_core.io.atomic import replacing

__all__ = [
    "holds_itk_transform",
    "itk_grid",
    "read_itk_transform",
    "read_itk_vectors",
    "simpleitk",
    "write_itk_field",
]

_TRANSFORM = re.compile(rb"TransformGroup|#Insight Transform File")
_INVERSE = re.compile(rb"Inverse(DisplacementField|BSpline|ThinPlateSplineKernel)Transform")
_HEADER = 1 << 14


def simpleitk() -> Any:
    """SimpleITK, imported when it is needed."""
    import SimpleITK

    return SimpleITK


def holds_itk_transform(path: Path) -> bool:
    """Whether the first bytes of a file are those of a transform."""
    with path.open("rb") as file:
        return _TRANSFORM.search(file.read(_HEADER)) is not None


def read_itk_vectors(path: Path) -> tuple[NDArray[np.float64], Grid]:
    """A vector image.

    Returns:
        (X, Y, Z, 3) as the file holds it, and its grid; a 2D field has one slice.

    Raises:
        InputError: it cannot be read, or holds no vectors.
    """
    return _read(path, simpleitk().ReadImage)


def read_itk_transform(path: Path) -> tuple[NDArray[np.float64], Grid]:
    """The displacement field of a transform, its other parts included, as ``read_itk_vectors``.

    Raises:
        InputError: it cannot be read, or holds no displacement field.
    """
    read = simpleitk().ReadTransform
    return _read(path, lambda where: _sampled(read(where), where))


def _read(path: Path, read: Callable[[str], Any]) -> tuple[NDArray[np.float64], Grid]:
    where = str(path)
    if not path.is_file():
        raise InputError("no such file", where=where, expected="a displacement field")
    try:
        field = read(where)
    except RuntimeError as error:
        raise _unreadable(path) from error
    return _values(field, where), itk_grid(field)


def _unreadable(path: Path) -> InputError:
    with path.open("rb") as file:
        inverse = _INVERSE.search(file.read(_HEADER)) is not None
    return InputError(
        "this is an inverse transform of 3D Slicer, which ITK does not know"
        if inverse
        else "ITK cannot read the file",
        where=str(path),
        expected="a complete vector image or transform",
        do="convert it to a displacement field in 3D Slicer (Transforms > Convert)"
        if inverse
        else "write it again from the tool that made it",
    )


def write_itk_field(path: Path, u: NDArray[Any], grid: Grid, description: str = "") -> None:
    """Write (X, Y, Z, 3), LPS mm, as a vector image, .mha or .nrrd, float32.

    Raises:
        InputError: the grid is sheared, or it cannot be written.
    """
    sitk = simpleitk()
    if grid.sheared:
        raise InputError(
            "the grid is sheared, which ITK cannot hold",
            where=str(path),
            expected="axes at right angles",
            do="write .nii.gz",
        )
    field = sitk.GetImageFromArray(u.transpose(2, 1, 0, 3).astype(np.float32), isVector=True)
    field.SetSpacing(grid.spacing)
    field.SetDirection((RAS_TO_LPS[:, None] * grid.direction).ravel().tolist())
    field.SetOrigin((RAS_TO_LPS * grid.affine[:3, 3]).tolist())
    if description:
        field.SetMetaData("Description", description)
    with replacing(path, path.suffix) as partial:
        try:
            sitk.WriteImage(field, str(partial), useCompression=True)
        except RuntimeError as error:
            raise OSError("ITK reports an error") from error


def _sampled(transform: Any, where: str) -> Any:
    """A transform as a field, on the grid of the displacement field in it that acts first."""
    sitk = simpleitk()
    parts = [transform]
    if transform.GetTransformEnum() == sitk.sitkComposite:
        whole = sitk.CompositeTransform(transform)
        whole.FlattenTransform()
        parts = [whole.GetNthTransform(i) for i in range(whole.GetNumberOfTransforms())]
    fields = [part for part in parts if part.GetTransformEnum() == sitk.sitkDisplacementField]
    if not fields:
        raise InputError(
            "the transform has no displacement field in it",
            where=where,
            expected="a displacement field, alone or among other transforms",
            do="write the transform as a displacement field on the image's grid",
        )
    own = sitk.DisplacementFieldTransform(fields[-1]).GetDisplacementField()
    if len(parts) == 1:
        return own
    return sitk.TransformToDisplacementField(
        transform,
        sitk.sitkVectorFloat64,
        own.GetSize(),
        own.GetOrigin(),
        own.GetSpacing(),
        own.GetDirection(),
    )


def _values(field: Any, where: str) -> NDArray[np.float64]:
    sitk = simpleitk()
    ndim, count = field.GetDimension(), field.GetNumberOfComponentsPerPixel()
    if ndim not in (2, 3) or count not in (ndim, 3):
        raise InputError(
            f"the image has {ndim} axes and {count} values per voxel",
            where=where,
            expected="a displacement field in mm, one vector per voxel",
            do="give the field that a registration wrote",
        )
    stored = np.asarray(sitk.GetArrayFromImage(field), dtype=np.float64)
    planes = stored[None] if ndim == 2 else stored
    u = np.zeros((*planes.shape[2::-1], 3))
    u[..., :count] = planes.transpose(2, 1, 0, 3)
    return u


def itk_grid(field: Any) -> Grid:
    """Where an image of SimpleITK lies; further axes are left out, missing ones are one voxel."""
    ndim = field.GetDimension()
    n = min(ndim, 3)
    lps = np.eye(4)
    axes = np.reshape(field.GetDirection(), (ndim, ndim)) * field.GetSpacing()
    lps[:n, :n], lps[:n, 3] = axes[:n, :n], field.GetOrigin()[:n]
    x, y, z = (*field.GetSize(), 1)[:3]
    return Grid((x, y, z), np.diag([*RAS_TO_LPS, 1.0]) @ lps)
