"""Which of the installed models an image fits, for another thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_drdm.layers.cases import Snapshot, make_case
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from pathlib import Path

    from src_core.cases.case import Case
    from src_core.models.image_fit import ImageFit
    from src_core.models.library import ModelEntry

__all__ = ["ModelFits", "model_fits"]


@dataclass(frozen=True)
class ModelFits:
    """Fits of one image by the model's file; models of another dimension are left out.

    Attributes:
        number: of the question that this answers.
        fits: by the model's file.
    """

    number: int
    fits: dict[Path, ImageFit]

    @property
    def best(self) -> Path | None:
        """The model that the image fits, with the largest score; None where it fits none."""
        fitting = {path: f.score for path, f in self.fits.items() if f.verdict == "fits"}
        return max(fitting, key=lambda path: fitting[path] or 0.0) if fitting else None


def model_fits(
    number: int, snapshot: Snapshot, entries: Sequence[ModelEntry]
) -> Iterator[ModelFits]:
    """Look at an image with every model of its dimension: its first frame, without labels."""
    first = snapshot.image[:1] if snapshot.image.ndim == 4 else snapshot.image
    path = None if snapshot.image.ndim == 4 else snapshot.image_path
    alone = replace(snapshot, image=first, image_path=path, labels=None, extras=(), colours=())
    found: dict[Path, ImageFit] = {}
    try:
        case = make_case(alone.copied()).case
        for entry in entries:
            if entry.spec.ndim == 2 or min(case.grid.shape) > 1:
                found[entry.path] = _fit(case, entry)
    except DRDMError:
        return  # what is wrong with the image, a run reports
    yield ModelFits(number, found)


def _fit(case: Case, entry: ModelEntry) -> ImageFit:
    import torch

    from src_core.generation import Session
    from src_core.models.checkpoint import load_file

    return Session(case, load_file(entry.path, torch.device("cpu"))).fit
