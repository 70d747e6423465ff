"""How much of the organs' change a network asks back: the slope of its organ part on the true one.

An organ part is the least-squares part of a velocity that scales each label, its holes filled, and
turns and shifts all of them; 1 where all of it is taken back, 0 where it is kept.
"""

from __future__ import annotations

from torch import Tensor

from src_core.diffusion.flow import Flow
from src_core.diffusion.grids import crop
from src_core.diffusion.organs import organ_part
from src_core.evaluation.cases import EvaluatedCase
from src_core.experiments.groups import Group
from src_core.experiments.statistics import Mean, ratio_of
from src_core.fields import enlarge
from src_core.fields.sampling import warp
from src_core.generation.recovery import deformed_images
from src_core.models.model import Model

__all__ = ["organ_figures", "organ_slope", "regression"]

_CROSS, _ENERGY = "organ_cross", "organ_energy"


def organ_figures(model: Model, case: EvaluatedCase, start: Flow, level: int) -> dict[str, float]:
    """``organ_energy`` and ``organ_cross`` of one call of the network at a random field.

    Args:
        model: whose network is asked.
        case: nothing is measured without labels.
        start: the random field, the labels being deformed with the image.
        level: where it stands.
    """
    state = model.spec.state
    organs = case.view.label_shares(case.slab, state)
    if organs is None:
        return {}
    u = start.displacement()
    seen = deformed_images(model, case.images, u)
    predicted = model.predict(seen, level) * model.spec.schedule.tau(level)
    velocity = crop(start.random)
    factor = state // velocity.shape[-1]
    true = -(enlarge(velocity, factor) if factor > 1 else velocity)
    cross, energy = regression(predicted, true, warp(organs, u, padding="zeros"))
    return {_CROSS: cross, _ENERGY: energy}


def regression(predicted: Tensor, true: Tensor, organs: Tensor) -> tuple[float, float]:
    """Mean product of both organ parts, and mean square of the true one, in (% of the side)^2.

    Args:
        predicted, true: (1, D, *state), state voxels.
        organs: (1, K, *state), 0 to 1.
    """
    percent = 100 / true.shape[-1]
    found, wanted = (organ_part(v, organs).double() * percent for v in (predicted, true))
    return float((found * wanted).sum(1).mean()), float(wanted.square().sum(1).mean())


def organ_slope(group: Group) -> dict[str, Mean]:
    """``organ_slope`` of a group: the sum of the products by that of the squares; {} without."""
    known = [r for r in group.records if _ENERGY in r.figures]
    if not known:
        return {}
    parts, wholes = ([r.figures[name] for r in known] for name in (_CROSS, _ENERGY))
    return {"organ_slope": ratio_of(parts, wholes, [r.subject for r in known])}
