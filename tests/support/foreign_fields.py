"""One map in space, and the field files that other programs write of it, by their definitions.

``onto(x)`` says where the content of a place x comes from, RAS mm; no axis and no sign of it
resembles another, so that a field read in other axes is some mm away.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from src_core.cases.grid import Grid

__all__ = ["GRIDS", "PROGRAMS", "SHAPE", "lps", "onto", "places", "pulled", "save_nifti", "voxels"]

SHAPE = (13, 10, 8)
Array = NDArray[Any]


def _oblique(flip: float) -> NDArray[np.float64]:
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", (12, -25, 40), degrees=True).as_matrix()
    affine[:3, :3] = turn * [flip * 1.6, 1.1, 2.7]
    affine[:3, 3] = 31, -17, 55
    return affine


def _permuted() -> NDArray[np.float64]:
    affine = np.zeros((4, 4))
    affine[1, 0], affine[2, 1], affine[0, 2], affine[3, 3] = 1.2, -1.4, 3.0, 1
    affine[:3, 3] = -40, 9, 100
    return affine


GRIDS = {
    "oblique": Grid(SHAPE, _oblique(1)),
    "oblique, flipped": Grid(SHAPE, _oblique(-1)),
    "axes swapped": Grid(SHAPE, _permuted()),
}


def places(grid: Grid) -> Array:
    """Voxels of a grid, (X, Y, Z, 3), RAS mm."""
    return nib.affines.apply_affine(grid.affine, np.moveaxis(np.indices(grid.shape), 0, -1))


def onto(x: Array) -> Array:
    """Where the content of places (..., 3) comes from, RAS mm."""
    a, b, c = np.moveaxis(x, -1, 0)
    shift = [2.5 + np.sin(b / 9), -1.4 + 0.8 * np.cos(a / 7), 0.9 + 0.5 * np.sin((a + c) / 8)]
    return x + np.stack(shift, axis=-1)


def voxels(grid: Grid, x: Array) -> Array:
    """Places (..., 3), RAS mm, in voxels of a grid."""
    return nib.affines.apply_affine(np.linalg.inv(grid.affine), x)


def lps(grid: Grid) -> Array:
    """The field as the engine holds it: (X, Y, Z, 3), LPS mm."""
    x = places(grid)
    return (onto(x) - x) * [-1, -1, 1]


def pulled(image: Array, grid: Grid) -> tuple[Array, Array]:
    """SciPy's image at the places that content comes from, and where those lie inside."""
    at = np.moveaxis(voxels(grid, onto(places(grid))), -1, 0)
    last = np.array(image.shape).reshape(3, 1, 1, 1) - 1
    inside = ((at > 0.01) & (at < last - 0.01)).all(axis=0)
    return map_coordinates(image, at, order=1, mode="nearest"), inside


def save_nifti(path: Path, values: Array, grid: Grid, intent: int = 0, **entries: Any) -> Path:
    """A float32 NIfTI file by nibabel alone; entries are those of its header."""
    image = nib.Nifti1Image(values.astype(np.float32), grid.affine)
    image.header["intent_code"] = intent
    for key, value in entries.items():
        image.header[key] = value
    nib.save(image, path)
    return path


def _stacked(values: Array) -> Array:
    return values[:, :, :, None]


def _fsl_mm(grid: Grid, at: Array) -> Array:
    """Voxels in FSL's coordinates, x from the other end where the axes are right-handed."""
    mm = at * np.asarray(grid.spacing)
    if np.linalg.det(grid.affine) > 0:
        mm[..., 0] = (grid.shape[0] - 1) * grid.spacing[0] - mm[..., 0]
    return mm


def _spm(folder: Path, grid: Grid) -> Path:
    values = _stacked(onto(places(grid)))
    words = {"intent_name": b"Mapping", "descrip": b"Deformation field"}
    return save_nifti(folder / "y_t1.nii", values, grid, 1007, **words)


def _niftyreg(number: int) -> Callable[[Path, Grid], Path]:
    def write(folder: Path, grid: Grid) -> Path:
        x = places(grid)
        values = _stacked(onto(x) - (x if number == 1 else 0))
        words = {"intent_name": b"NREG_TRANS", "intent_p1": number}
        return save_nifti(folder / "res.nii.gz", values, grid, 1007, **words)

    return write


def _itk(folder: Path, grid: Grid) -> Path:
    return save_nifti(folder / "1Warp.nii.gz", _stacked(lps(grid)), grid, 1007)


def _displacement(folder: Path, grid: Grid) -> Path:
    x = places(grid)
    return save_nifti(folder / "d.nii.gz", onto(x) - x, grid, 1006)


def _afni(folder: Path, grid: Grid) -> Path:
    image = nib.Nifti1Image(lps(grid).astype(np.float32), grid.affine)
    words = (
        '<?xml version="1.0" ?>\n<AFNI_attributes>\n<AFNI_atr ni_type="String" ni_dimen="1"\n'
        ' atr_name="BRICK_LABS" >\n "x_delta~y_delta~z_delta"\n</AFNI_atr>\n</AFNI_attributes>\n'
    )
    image.header.extensions.append(nib.nifti1.Nifti1Extension(4, words.encode()))
    nib.save(image, folder / "anat_WARP.nii.gz")
    return folder / "anat_WARP.nii.gz"


def _fnirt(absolute: bool) -> Callable[[Path, Grid], Path]:
    def write(folder: Path, grid: Grid) -> Path:
        x = places(grid)
        here, there = (_fsl_mm(grid, voxels(grid, p)) for p in (x, onto(x)))
        return save_nifti(folder / "w.nii.gz", there - (0 if absolute else here), grid, 2006)

    return write


#: What each program writes for the map, where its header says so.
PROGRAMS: dict[str, Callable[[Path, Grid], Path]] = {
    "SPM y_": _spm,
    "NiftyReg deformation": _niftyreg(0),
    "NiftyReg displacement": _niftyreg(1),
    "ITK and ANTs": _itk,
    "intent 1006": _displacement,
    "AFNI": _afni,
    "FSL, relative": _fnirt(absolute=False),
    "FSL, absolute": _fnirt(absolute=True),
}
