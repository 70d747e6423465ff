"""Measures of a model on one case: recovery, drift, sensitivity and residual correction."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from src_core.diffusion.flow import Flow
from src_core.diffusion.random_field import generator
from src_core.evaluation.cases import EvaluatedCase
from src_core.evaluation.measures import displacement_percent
from src_core.fields import magnitude
from src_core.generation.recovery import RecoveryStep, Variety, deformed_images, recovery_steps
from src_core.generation.session import find_organs, start_flow
from src_core.models.model import Model

__all__ = ["NOISE", "drift", "drift_level", "recovered", "residual", "sensitivity"]

#: Standard deviation of the noise on the random field, voxels of the model's image.
NOISE = 1e-5
_DRIFT_LEVEL = 70


def recovered(
    model: Model, case: EvaluatedCase, start: Flow, level: int, steps: int
) -> RecoveryStep:
    """The last state of a recovery, with the model's own variety."""
    count, variety = min(steps, level), _variety(model, case)
    *_, last = recovery_steps(model, case.images, start, level, count, variety=variety)
    return last


def _variety(model: Model, case: EvaluatedCase) -> Variety | None:
    share = model.spec.recovery.variety
    organs = _organs(model, case) if share else None
    return None if organs is None else Variety(share, organs)


@lru_cache(maxsize=1)
def _organs(model: Model, case: EvaluatedCase) -> Tensor | None:
    """Of the case that is measured: its levels, seeds and rows share them."""
    return find_organs(model, case.view, case.slab, case.images)


def drift_level(model: Model) -> int:
    """The level where the recovery of an undeformed case starts: 70, or the model's highest."""
    return min(_DRIFT_LEVEL, model.spec.schedule.levels)


def drift(model: Model, case: EvaluatedCase, steps: int) -> Tensor:
    """The recovered DDF of an undeformed case: (1, D, *state), state voxels; ideally zero."""
    level = drift_level(model)
    start = start_flow(model, 0, case.code, level=level).scaled(0)
    return recovered(model, case, start, level, steps).displacement


@torch.inference_mode()
def residual(model: Model, case: EvaluatedCase, u: Tensor, level: int) -> float:
    """Mean length of ``tau(level) v``, in % of the side, with v predicted on the warped case.

    On a model's own output it is what the model would correct further at that level.
    """
    velocity = model.predict(deformed_images(model, case.images, u), level)
    return displacement_percent((velocity * model.spec.schedule.tau(level))[0])[1]


def sensitivity(
    model: Model, case: EvaluatedCase, start: Flow, before: Tensor, level: int, steps: int
) -> dict[str, float]:
    """Change of a recovered DDF for Gaussian noise on the random field.

    The noise is composed as a last flow before recovery; the rest of the run is the same.

    Args:
        before: the recovered DDF without noise, (1, D, *state), state voxels.

    Returns:
        Its median and its worst length over the grid, voxels of the model's image.
    """
    factor = model.spec.size / model.spec.state
    noise = torch.randn(before.shape, generator=generator(2, case.code)) * (NOISE / factor)
    after = recovered(model, case, start.followed_by(noise), level, steps).displacement
    change = magnitude(after - before) * factor
    return {
        "sensitivity_median": float(change.median()),
        "sensitivity_worst": float(change.max()),
    }
