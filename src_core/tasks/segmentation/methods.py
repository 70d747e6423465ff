"""Methods of augmentation: a pose, a deformation and intensities, each by its name.

``bigaug`` is BigAug (Zhang et al., 2020, DOI 10.1109/TMI.2020.2973595), ``nnunet`` the default of
nnU-Net version 2 (Isensee et al., 2021, DOI 10.1038/s41592-020-01008-z). ``registered`` is an
oracle: its fields are between other training subjects, which no method for few labels has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from src_core.tasks.segmentation.options import MethodName

__all__ = ["METHODS", "FieldKind", "Method"]

#: Deformations of a case that are made once; BigAug draws its own at every step.
FieldKind = Literal["random", "elastic", "drdm", "keep", "registered"]


@dataclass(frozen=True)
class Method:
    """What is done to a slice, in the order of the attributes."""

    pose: Literal["none", "common", "bigaug", "nnunet"] = "none"
    field: FieldKind | None = None
    intensities: Literal["none", "nnunet", "bigaug"] = "none"


METHODS: dict[MethodName, Method] = {
    "none": Method(),
    "pose": Method("common"),
    "pose+intensities": Method("common", None, "nnunet"),
    "random": Method("common", "random", "nnunet"),
    "elastic": Method("common", "elastic", "nnunet"),
    "drdm": Method("common", "drdm", "nnunet"),
    "drdm+keep": Method("common", "keep", "nnunet"),
    "bigaug": Method("bigaug", None, "bigaug"),
    "nnunet": Method("nnunet", None, "nnunet"),
    "appearance": Method("none", None, "bigaug"),
    "drdm+appearance": Method("none", "drdm", "bigaug"),
    "registered": Method("common", "registered", "nnunet"),
}
