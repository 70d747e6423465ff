"""The scale of a case beside the scales that a model was trained on, mm per pixel of its grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.drawing.planes import length_unit
from src_core.models.fit import Fit
from src_core.models.model import ModelSpec

__all__ = ["ScaleFit", "scale_fit", "scale_metrics", "scale_warning"]

#: How far beyond the scales of its training a model is still used, as a factor.
_TOLERANCE = 1.25


@dataclass(frozen=True)
class ScaleFit:
    """The scale of a case beside the scales a model was trained on, mm per pixel of its grid."""

    here: float
    low: float
    high: float

    @property
    def fits(self) -> bool:
        """Whether it is at most a quarter beyond them."""
        return self.low / _TOLERANCE <= self.here <= self.high * _TOLERANCE

    def facts(self) -> dict[str, Any]:
        """For ``metrics["scale"]``, mm per pixel of the model's grid."""
        return {"here": self.here, "trained": [self.low, self.high], "fits": self.fits}


def scale_fit(grid: Grid, spec: ModelSpec) -> ScaleFit | None:
    """How the scale of a case on a grid fits a model; None where the model does not state its own.

    The scale is that of the model's grid over the whole case.
    """
    if spec.mm_per_pixel is None:
        return None
    keep = [a for a in range(3) if spec.ndim == 3 or a != grid.slice_axis]
    shape, spacing = tuple(grid.shape[a] for a in keep), tuple(grid.spacing[a] for a in keep)
    return ScaleFit(Fit(shape, spacing, spec.size).mm_per_pixel, *spec.mm_per_pixel)


def scale_warning(case: Case, spec: ModelSpec) -> str:
    """One line where a case's scale is more than a quarter beyond the model's training, else ''.

    A spacing that is unknown is reported and not judged.
    """
    scale = scale_fit(case.grid, spec)
    if scale is not None and length_unit(case) == "px":
        return (
            f"the spacing of {case.name} is unknown, its scale was not compared with the training"
        )
    if scale is None or scale.fits:
        return ""
    return (
        f"{case.name} has {scale.here:.2f} mm per model pixel, {spec.name} was trained on "
        f"{scale.low:.2f} to {scale.high:.2f}, its anatomy may look too "
        f"{'small' if scale.here > scale.high else 'large'}"
    )


def scale_metrics(case: Case, spec: ModelSpec) -> dict[str, Any]:
    """``metrics["scale"]`` where a known spacing is beyond the model's training, else nothing."""
    scale = scale_fit(case.grid, spec)
    if scale is None or scale.fits or length_unit(case) == "px":
        return {}
    return {"scale": scale.facts()}
