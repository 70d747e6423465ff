"""What a file holds, decided from its header alone: a field and of which kind, an image, labels.

The one table of such rules: the first that answers decides. ``docs/formats.md`` has a row for each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

from src_core.io.field_kinds import kind_named
from src_core.io.headers import Header, Verdict

__all__ = ["RULES", "decide", "is_fsl_name"]

_FSL_NAME = re.compile(r"(^|[^a-z])(fsl|fnirt)([^a-z]|$)")
_FIELD_NAME = re.compile(
    r"(^|[^a-z])(fsl|fnirt|ddf|disp|dvf|field|warp|warpfield|displacements?|deformation)([^a-z]|$)"
)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
_VECTOR, _DISPLACEMENT, _LABEL, _TENSOR, _FNIRT = 1007, 1006, 1002, 1005, 2006
_COEFFICIENTS, _TOPUP = (2007, 2008, 2009), (2016, 2017)
_NIFTYREG = ("ras-positions", "ras")
_VECTOR_AXES = ("vector", "2-vector", "3-vector", "4-vector")
_COLOUR = ("rgb-color", "rgba-color", "3-color", "4-color", "hsv-color", "xyz-color")


Rule = Callable[[Header], Verdict | None]


def _field(kind: str, why: str, certain: bool = True) -> Verdict:
    found = kind_named(kind)
    return Verdict("field", found.words, why, found, certain=certain)


def _unstated(why: str) -> Verdict:
    return Verdict("field", "vectors of an unknown kind", why)


def _nifti_labels(header: Header) -> Verdict | None:
    if header.intent == _LABEL:
        return Verdict("labels", "labels", "intent 1002")
    return None


def _nifti_tensors(header: Header) -> Verdict | None:
    if header.intent == _TENSOR:
        why = "intent 1005"
        return Verdict("other", "symmetric matrices, as of diffusion tensors", why)
    return None


def _fnirt_coefficients(header: Header) -> Verdict | None:
    if header.intent not in _COEFFICIENTS:
        return None
    do = "turn them into a field: fnirtfileutils"
    return Verdict("other", "FNIRT's coefficients", f"intent {header.intent}", do=do)


def _topup(header: Header) -> Verdict | None:
    if header.intent not in _TOPUP:
        return None
    do = "let topup write a warp (dfout)"
    return Verdict("other", "topup's coefficients", f"intent {header.intent}", do=do)


def _niftyreg(header: Header) -> Verdict | None:
    if not header.intent_name.startswith("NREG_"):
        return None
    number = int(header.intent_p1) if math.isfinite(header.intent_p1) else -1
    why = f"intent name {header.intent_name}, type {number}"
    if header.intent_name == "NREG_TRANS" and number in range(len(_NIFTYREG)):
        return _field(_NIFTYREG[number], why)
    what = "a grid of control points or velocities of NiftyReg"
    do = "turn it into a field: reg_transform -ref IMAGE -def IN OUT"
    return Verdict("other", what, why, do=do)


def _spm_mapping(header: Header) -> Verdict | None:
    if header.intent_name == "Mapping":
        return _field("ras-positions", "intent name Mapping, as SPM writes y_ files")
    return None


def _spm_velocities(header: Header) -> Verdict | None:
    if not header.vectors or header.description.lower() not in ("flow field", "velocity"):
        return None
    do = "turn them into a deformation (y_) by SPM's Deformations utility"
    return Verdict("other", "velocities of SPM", f"description {header.description}", do=do)


def _afni_warp(header: Header) -> Verdict | None:
    if header.labels.lower().startswith("x_delta~y_delta~z_delta"):
        return _field("lps", "AFNI's sub-bricks x_delta, y_delta, z_delta")
    return None


def _fnirt_warp(header: Header) -> Verdict | None:
    if header.intent == _FNIRT and header.vectors:
        return _field("fsl", "intent 2006 of FNIRT")
    return None


def _displacement_intent(header: Header) -> Verdict | None:
    if header.intent == _DISPLACEMENT and header.vectors:
        return _field("ras", "intent 1006")
    return None


def _one_value(header: Header) -> Verdict | None:
    if header.count == 1 or not (header.vectors or header.stacked or header.format != "NIfTI"):
        return Verdict("image", "an image", "one value per voxel")
    return None


def _other_count(header: Header) -> Verdict | None:
    if header.vectors and (header.format == "NIfTI" or header.count == header.ndim):
        return None
    why = f"{header.count} values per voxel in {header.ndim}D"
    return Verdict("other", "channels of an image", why)


def _integers(header: Header) -> Verdict | None:
    several = header.stacked or header.intent == _VECTOR or header.format != "NIfTI"
    if header.floating or not several:
        return None
    return Verdict("other", "colours or channels", f"{header.count} integers per voxel")


def _first_axis(header: Header) -> Verdict | None:
    return _by_name(header) if header.first else None


def _fsl_name(header: Header) -> Verdict | None:
    if header.format == "NIfTI" and header.intent == 0 and is_fsl_name(header.name):
        return _field("fsl", "the file's name")
    return None


def _vector_intent(header: Header) -> Verdict | None:
    if header.intent == _VECTOR:
        return _field("lps", "intent 1007, as ITK and ANTs write it", certain=False)
    return None


def _fifth_axis(header: Header) -> Verdict | None:
    if header.stacked:
        return _field("lps", "vectors along the fifth axis, as ITK reads them", certain=False)
    return None


def _name_alone(header: Header) -> Verdict | None:
    return _by_name(header) if header.format == "NIfTI" else None


def _by_name(header: Header) -> Verdict:
    if header.intent == 0 and _FIELD_NAME.search(header.name):
        return _unstated("its name is that of a field, its header does not say of which kind")
    return Verdict("image", "an image with frames", "nothing says that it is a field")


def _slicer_segments(header: Header) -> Verdict | None:
    if not any(key.startswith("segment0_") for key in header.keys):
        return None
    if header.count == 1:
        return Verdict("labels", "labels", "3D Slicer's segments in the header")
    do = "export them from 3D Slicer as one label map"
    why = "3D Slicer's segments in the header"
    return Verdict("other", f"overlapping segments in {header.count} layers", why, do=do)


def _slicer_sequence(header: Header) -> Verdict | None:
    if header.count == 1 or "axis 0 index type" not in header.keys:
        return None
    do = "export its frames from 3D Slicer, or as one NIfTI file with time"
    return Verdict("other", f"a sequence of {header.count} frames", "3D Slicer's keys", do=do)


def _diffusion(header: Header) -> Verdict | None:
    if not header.keys.get("modality", "").lower().startswith("dwmri"):
        return None
    do = "convert the series to NIfTI, and give one volume of it"
    return Verdict("other", f"{header.count} diffusion-weighted images", "modality DWMRI", do=do)


def _colour_axis(header: Header) -> Verdict | None:
    if header.axis in _COLOUR:
        return Verdict("other", "a colour image", f"the axis of kind {header.axis}")
    return None


def _slicer_field(header: Header) -> Verdict | None:
    stated = header.keys.get("displacement field type", "").lower()
    known = {"resampling": "lps", "modeling": "modeling"}
    if stated in known and not _other_frame(header):
        return _field(known[stated], f"displacement field type {stated}")
    return None


def _nrrd_axes(header: Header) -> Verdict | None:
    if header.format != "NRRD":
        return None
    if header.axis not in _VECTOR_AXES:
        named = header.axis or "unknown"
        return Verdict("other", f"{header.count} values per voxel", f"an axis of kind {named}")
    if _other_frame(header):
        return _unstated("its vectors are in other axes than LPS, or do not say in which")
    return _field(
        "lps", f"{header.count} floating-point numbers along an axis of kind {header.axis}", False
    )


def _other_frame(header: Header) -> bool:
    """Whether vectors may be in axes that ITK does not take them for."""
    frame = [float(n) for n in _NUMBER.findall(header.keys.get("measurement frame", ""))]
    turned = frame not in ([], [1, 0, 0, 1], [1, 0, 0, 0, 1, 0, 0, 0, 1])
    space = header.keys.get("space", "").lower()
    return turned or space not in ("", "left-posterior-superior", "lps")


def _meta_vectors(header: Header) -> Verdict | None:
    return _field("lps", f"{header.count} floating-point numbers per voxel, as of ITK", False)


#: In this order; the first that answers decides.
RULES: tuple[Rule, ...] = (
    _nifti_labels,
    _nifti_tensors,
    _fnirt_coefficients,
    _topup,
    _niftyreg,
    _spm_mapping,
    _spm_velocities,
    _afni_warp,
    _fnirt_warp,
    _displacement_intent,
    _slicer_segments,
    _slicer_sequence,
    _diffusion,
    _one_value,
    _colour_axis,
    _integers,
    _other_count,
    _first_axis,
    _fsl_name,
    _vector_intent,
    _fifth_axis,
    _name_alone,
    _slicer_field,
    _nrrd_axes,
    _meta_vectors,
)


def decide(header: Header) -> Verdict:
    """What a file with this header holds."""
    return next(verdict for rule in RULES if (verdict := rule(header)) is not None)


def is_fsl_name(path: str | Path) -> bool:
    """Whether a file's name says ``fsl`` or ``fnirt`` as a word: ``warp_fsl.nii.gz``."""
    return _FSL_NAME.search(Path(path).name.lower()) is not None
