"""Deformations generated on demand by a model (paper, Algorithm 2): random field, recovery, guard.

No inverse, no measures, no files, which a training loop does not need. And few steps: three end
within about a sixth of the field that eight end with (``benchmarks.live_steps``), in half the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from src_core.cases.case import Case
from src_core.cases.header import header_for
from src_core.cases.volume import Image, LabelMap
from src_core.errors import InputError
from src_core.fields import cell_bounds
from src_core.generation import Options, Session, make_options
from src_core.generation.model_view import ModelView
from src_core.generation.proof import FLOOR, guarded
from src_core.generation.recovery import RecoveryStep
from src_core.models.device import fixed_threads
from src_core.models.library import DEFAULT_MODEL, load_model
from src_core.models.model import Model
from src_core.steering.targets import Target
from src_core.transforms.deformation import Deformation
from src_core.transforms.scan import Below, Scan
from src_core.transforms.scan_sessions import ScanSessions

__all__ = ["Live"]

_SEEDS = 2**31
# More than a field's rounding in its file can change of a determinant.
_ROUNDING = 0.01


@dataclass(frozen=True)
class Live:
    """Draws a level and a seed, and generates.

    It holds names and numbers alone, so it is easily sent to other processes, which load the model
    once each.

    Attributes:
        model: a name or a file.
        levels: smallest and largest level, both included.
        steps: of the recovery; None for the model's default, as ``drdm generate`` takes them.
        slices: with a 2D model, one deformation for all slices ("shared"), or one "each".
        device: of the network; with a loader's workers, best the CPU.
        allow_folds: leave out the guard.
        condition: one number for each that the model takes; None for their defaults.
        variety: how much of the new size, orientation and position of organs is kept, 0 to 1;
            None for the model's own. A model that finds no organs takes the scan's labels.
        targets: what every new anatomy is to be, such as ``volume 3 x1.3``; those of labels need
            the scan's.
    """

    model: str | Path = DEFAULT_MODEL
    levels: tuple[int, int] = (30, 70)
    steps: int | None = 3
    slices: Literal["shared", "each"] = "shared"
    device: str = "cpu"
    allow_folds: bool = False
    condition: tuple[float, ...] | None = None
    variety: float | None = None
    targets: tuple[str, ...] = ()

    def __call__(self, scan: Scan, below: Below) -> Deformation:
        """A deformation of an image at a level and seed that ``below`` draws."""
        low, high = self.levels
        level = low + below(high - low + 1)
        return self.make(scan, level, below(_SEEDS))

    def make(
        self, scan: Scan, level: int, seed: int, targets: Sequence[Target] = ()
    ) -> Deformation:
        """The deformation of a level and seed, with further targets if any.

        Raises:
            InputError: no such model or level, or an image that the model cannot take.
        """
        model = self.loaded()
        options = make_options(
            model.spec.schedule.levels,
            level=level,
            seed=seed,
            steps=self.steps,
            slices=self.slices,
            allow_folds=self.allow_folds,
            condition=self.condition,
            variety=self.variety,
            targets=(*self.targets, *targets),
        )
        session = _sessions.get(scan, model, options.slices, _case)
        u = _guarded(session, session.ends(options), options).numpy()
        size, axis = model.spec.size, session.view.axis
        return Deformation(u, scan.grid, axis, size, level, seed)

    def loaded(self) -> Model:
        """The model, loaded once in each process."""
        return _loaded(str(self.model), self.device)


_sessions = ScanSessions()


@lru_cache(maxsize=4)
def _loaded(name: str, device: str) -> Model:
    return load_model(name, device)


def _case(scan: Scan) -> Case:
    values = scan.image
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError(
            "the image has voxels that are NaN or infinite",
            where=scan.name or "image",
            expected="finite values",
        )
    if values.min() == values.max():
        values = np.zeros_like(values)  # an empty slice has no intensity range
    header = header_for(scan.grid, values.dtype, values.shape)
    labels: tuple[LabelMap, ...] = ()
    if scan.labels is not None:
        kept = header_for(scan.grid, scan.labels.dtype, scan.labels.shape)
        labels = (LabelMap(scan.labels, kept),)
    return Case((Image(values, header),), labels, scan.grid, scan.name or "image")


@torch.inference_mode()
def _guarded(session: Session, ends: Sequence[RecoveryStep], options: Options) -> torch.Tensor:
    spec = session.model.spec
    if not ends:
        return torch.zeros(1, spec.ndim, *[spec.state] * spec.ndim)
    if options.allow_folds:
        return torch.cat([end.displacement for end in ends])
    with fixed_threads():
        return torch.cat([_certified(session.view, end) for end in ends])


def _certified(view: ModelView, end: RecoveryStep) -> torch.Tensor:
    """What the guard leaves of a map; one that is far from folding it leaves as it is."""
    bounds = cell_bounds(view.displacement(end.displacement.double()), FLOOR)[0]
    if float(bounds.min()) > FLOOR + _ROUNDING:
        return end.displacement
    return guarded(view, end.flow, u=end.displacement).displacement
