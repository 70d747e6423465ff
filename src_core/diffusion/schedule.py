"""Level -> how far the velocity is integrated (paper eq. 9 and 11).

``n_ddf = clip(floor(2/3 t^1.3), 1, 200)`` and ``n_dvf = floor(t^0.6)`` in the release;
``tau = 2/3 t^1.3`` as a real number in the diffeomorphic schedule.
"""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field

from src_core.errors import ArgumentError

__all__ = ["DVF_POWER", "TAU_POWER", "Schedule"]

#: How fast the integration time, and the compositions of a training target, grow with the level.
TAU_POWER, DVF_POWER = 1.3, 0.6


class Schedule(BaseModel):
    """Which random fields are drawn, and how they grow with the level.

    Attributes:
        name: of the random field, as ``diffusion.kinds`` has it.
        settings: numbers of that field's own.
        levels: T, the highest level.
        sigma: standard deviation of the finest component, a fraction of the control field's side.
        control: voxels per side of the control grid.
        components: sizes of the Gaussian components, finest first (paper eq. 6).
        refine: the velocity is integrated on a grid this many times finer than the control grid.
        squarings: of scaling and squaring, the same at every level.
        disturbance: noise on the DVF while training, relative to sigma (paper 3.3).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "diffeomorphic"
    settings: dict[str, float] = Field(default_factory=dict)
    levels: int = Field(default=80, ge=1)
    sigma: float = Field(default=3.6e-5, gt=0)
    control: int = Field(default=64, ge=8)
    components: tuple[int, ...] = (64, 32, 16, 8)
    refine: int = Field(default=2, ge=1)
    squarings: int = Field(default=8, ge=0)
    disturbance: float = Field(default=0.08, ge=0)

    def tau(self, level: float) -> float:
        """Integration time of the velocity at a level, in DVF units."""
        return 2.0 / 3.0 * level**TAU_POWER

    def n_ddf(self, level: int) -> int:
        """Compositions of the DVF in the DDF of a level; 0 at level 0."""
        return min(max(math.floor(2 * level**TAU_POWER / 3), 1), 200) if level > 0 else 0

    def n_dvf(self, level: int) -> int:
        """Compositions of the DVF in the training target of a level."""
        return math.floor(level**DVF_POWER)

    def step_levels(self, level: int, steps: int) -> tuple[int, ...]:
        """Levels ``T' = t_0 > t_1 > ... > 0``, of ``steps`` equal steps, at most ``level``."""
        if steps < 1:
            raise ArgumentError(f"steps must be 1 or more, got {steps}, choose 1 to {level}")
        count = min(steps, level)
        return (*(round(level * (count - i) / count) for i in range(count)), 0)
