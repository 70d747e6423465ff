"""Files of other programs that are not read, by their names, and what to do with each."""

from __future__ import annotations

from pathlib import Path

from src_core.errors import InputError

__all__ = ["FOREIGN", "advice_for", "refuse_foreign"]

_WARP = "nib.save(nib.Nifti1Image(u, affine_of_the_image), 'u.nii.gz'), then state its kind"

#: Endings, what such a file is, and what to do with it.
FOREIGN: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        (".head", ".brik", ".brik.gz"),
        "this is an AFNI dataset",
        "convert it to NIfTI: 3dAFNItoNIFTI -prefix OUT.nii.gz IN+tlrc",
    ),
    (
        (".m3z",),
        "this is a morph of FreeSurfer",
        "convert it to a field of ITK, .nii.gz: mri_warp_convert",
    ),
    (
        (".mgz", ".mgh"),
        "this is a volume or warp of FreeSurfer",
        "convert a volume by mri_convert, a warp by mri_warp_convert (for ITK), to .nii.gz",
    ),
    (
        (".lta", ".xfm"),
        "this is a linear transform",
        "convert it to a displacement field on the image's grid, or resample the image by it",
    ),
    (
        (".mat",),
        "this is a matrix or linear transform",
        "make a displacement field of it: antsApplyTransforms -r IMAGE -t IN.mat -o [OUT.nii.gz,1]"
        " (ANTs), or convertwarp (FSL)",
    ),
    (
        (".mif", ".mif.gz", ".mih"),
        "this is a file of MRtrix",
        "convert it to .nii.gz: mrconvert; a warp holds positions in RAS mm",
    ),
    ((".mnc",), "this is a MINC file", "convert it to .nii.gz: mnc2nii"),
    (
        (".npz", ".npy"),
        "this is a NumPy array, which has no place in space",
        f"save it as NIfTI: {_WARP}",
    ),
    (
        (".txt",),
        "this is a text file, as of parameters of elastix",
        "let it write the field: transformix -def all -tp IN.txt -out FOLDER",
    ),
    ((".bval", ".bvec"), "these are directions of diffusion", "give the image itself"),
)


def advice_for(path: str | Path) -> tuple[str, str] | None:
    """What a file of another program is, by its name, and what to do with it; None if unknown."""
    name = str(path).lower()
    return next((row[1:] for row in FOREIGN if name.endswith(row[0])), None)


def refuse_foreign(path: str | Path) -> None:
    """Refuse a file by its name, if it is known to be that of another program.

    Raises:
        InputError: it is.
    """
    found = advice_for(path)
    if found is not None and Path(path).exists():
        what, do = found
        raise InputError(what, where=str(path), expected="a NIfTI file, or one of ITK's", do=do)
