"""A case as targets are tested on it, and what is measured of a case before or after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.datasets.reading import Entry
from src_core.evaluation.anatomy import Anatomy, shape_figures
from src_core.evaluation.cases import label_map, load_case
from src_core.evaluation.pose import pose_figures
from src_core.evaluation.segmenter import Segmenter
from src_core.generation.model_view import make_model_view
from src_core.generation.session import Session
from src_core.models.model import Model, ModelSpec

__all__ = ["SteeredCase", "load_steered", "measured"]


@dataclass(frozen=True, eq=False)
class SteeredCase:
    """A case, of a stack with a 2D model one slice.

    Attributes:
        name: of the case; ``subject`` the person it belongs to.
        session: the case prepared for the model.
    """

    name: str
    subject: str
    session: Session

    @property
    def case(self) -> Case:
        """The case itself."""
        return self.session.case

    @property
    def labels(self) -> NDArray[np.integer]:
        """Its label map (X, Y, Z)."""
        values = self.case.label_map
        assert values is not None
        return np.asarray(values)


def load_steered(entry: Entry, model: Model, labels: tuple[int, ...], choice: str) -> SteeredCase:
    """Read a case; of a cine its first frame, of a stack with a 2D model one slice.

    Args:
        choice: ``largest`` or ``middle`` slice.
    """
    read = load_case(entry, model.spec, labels, choice)
    whole, axis = read.view.case, read.view.axis
    session = Session(_part(whole, axis, read.slab), model)
    session.organs(0)  # found once, and no part of the time of a run
    return SteeredCase(entry.name, entry.subject, session)


def measured(
    case: Case, spec: ModelSpec, anatomy: Anatomy, segmenter: Segmenter | None
) -> dict[str, float]:
    """Shape measures of a case on the model's grid, as of a real one, and a segmenter's agreement.

    Args:
        case: one slice, or a volume.
        segmenter: None to leave agreement out.
    """
    view = make_model_view(case, spec)
    values = case.label_map
    assert values is not None
    plane = values if view.axis is None else values.take(0, view.axis)
    masks = [view.fit.image((plane == v).astype(np.float32)) for v in anatomy.labels]
    found = label_map(torch.cat(masks, 1), anatomy.labels)
    mm = view.fit.mm_per_pixel
    figures = {**shape_figures(found, anatomy, mm), **pose_figures(found, anatomy, mm)}
    if segmenter is not None:
        figures["agreement"] = segmenter.agreement(view.images(0), found)
    return figures


def _part(case: Case, axis: int | None, slab: int) -> Case:
    """The first frame of a case; with a slice axis one slice of it."""
    image, labels = case.image, case.label_map
    assert labels is not None
    image, labels = (v[..., 0] if v.ndim == 4 else v for v in (image, labels))
    affine = np.array(case.grid.affine)
    if axis is not None:
        image, labels = (v.take([slab], axis) for v in (image, labels))
        affine[:3, 3] += slab * affine[:3, axis]
    return Case.from_arrays(image, labels, affine=affine, name=case.name)
