"""Validation of a model while it is trained: a small table, and pictures of what it recovers.

The cases, seeds and levels are the same every time. Nothing here draws from a generator that the
training uses, so a run with and without it ends in the same bits.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from src_core.diffusion.flow import Flow
from src_core.drawing.figures import new_figure
from src_core.fields import certify, enlarge, magnitude
from src_core.generation.recovery import deformed_images, recovery_steps
from src_core.generation.session import start_flow
from src_core.io import open_atomically
from src_core.models.model import Model
from src_core.training.config import Validation
from src_core.training.tables import append_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Row", "Validator"]

TABLE, PICTURES = "validation.csv", "pictures"
_SEED = 2**40


@dataclass(frozen=True)
class Row:
    """One level, means over the cases.

    Attributes:
        max, mean: of the recovered displacement, % of the side.
        strict: cells without certificate before any guard, permille.
        removed: share of the random displacements' energy that recovery took away.
        drift: mean displacement made of an undeformed image, % of the side.
    """

    samples: int
    level: int
    max: float
    mean: float
    strict: float
    removed: float
    drift: float


class Validator:
    """Measures and pictures a model in a run's folder, within its share of the time.

    Args:
        names: of the cases.
        images: (N, 1, *size) in 0..1, one of each case.
        out: the run's folder.
    """

    def __init__(self, settings: Validation, names: list[str], images: Tensor, out: Path) -> None:
        self.settings, self.names, self.images, self.out = settings, names, images, out
        self._spent = self._last = 0.0

    def validate(self, model: Model, samples: int, trained: float, last: bool) -> None:
        """Append to the table and draw, where it costs no more than its share of the time.

        Args:
            trained: seconds of training so far.
            last: the training is over, so validate whatever it costs.
        """
        if not last and self._spent + self._last > self.settings.time * trained:
            return
        started = time.perf_counter()
        fields = [self._fields(model, level) for level in self._levels(model)]
        append_rows(self.out / TABLE, [vars(_row(model, samples, f)) for f in fields])
        self._draw(model, samples, fields[:1] + fields[-1:] if fields[1:] else fields)
        self._last = time.perf_counter() - started
        self._spent += self._last

    def _levels(self, model: Model) -> list[int]:
        highest = model.spec.schedule.levels
        return sorted({min(level, highest) for level in self.settings.levels})

    def _fields(self, model: Model, level: int) -> _Fields:
        random, recovered, still = [], [], []
        for case in range(len(self.images)):
            flow = start_flow(model, _SEED, case, level=level)
            random.append(flow.displacement())
            recovered.append(self._recovered(model, case, flow, level))
            still.append(self._recovered(model, case, flow.scaled(0), level))
        return _Fields(level, torch.cat(random), torch.cat(recovered), torch.cat(still))

    def _recovered(self, model: Model, case: int, flow: Flow, level: int) -> Tensor:
        image, steps = self.images[case : case + 1], model.spec.recovery.steps
        *_, last = recovery_steps(model, image, flow, level, steps)
        return last.displacement

    def _draw(self, model: Model, samples: int, fields: list[_Fields]) -> None:
        """A row a case: undeformed, then random and recovered at the lowest and highest level."""
        columns = 1 + 2 * len(fields)
        size = 2 * columns, 2.15 * len(self.images)
        figure, axes = new_figure(len(self.images), columns, size)
        for case, row in enumerate(axes):
            image = self.images[case : case + 1]
            _show(row[0], image, self.names[case])
            for f, (left, right) in zip(fields, row[1:].reshape(-1, 2), strict=True):
                _show(left, _warped(model, image, f.random[case]), f"random {f.level}")
                _show(right, _warped(model, image, f.recovered[case]), f"recovered {f.level}")
        figure.suptitle(f"{model.spec.name} after {samples} samples")
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=80)
        (self.out / PICTURES).mkdir(exist_ok=True)
        with open_atomically(self.out / PICTURES / f"{samples:09d}.png") as file:
            file.write(picture.getvalue())


@dataclass(frozen=True, eq=False)
class _Fields:
    """At one level: random, recovered, and recovered from no deformation: (N, D, *state) each."""

    level: int
    random: Tensor
    recovered: Tensor
    still: Tensor


def _row(model: Model, samples: int, fields: _Fields) -> Row:
    u = fields.recovered
    percent = 100 / u.shape[-1]
    whole = enlarge(u.double(), model.spec.size // u.shape[-1])
    folds = [certificate.strict_folding_permille for certificate in certify(whole)]
    return Row(
        samples=samples,
        level=fields.level,
        max=percent * float(magnitude(u).flatten(1).amax(1).mean()),
        mean=percent * float(magnitude(u).mean()),
        strict=sum(folds) / len(folds),
        removed=1 - float(u.square().sum() / fields.random.square().sum()),
        drift=percent * float(magnitude(fields.still).mean()),
    )


def _warped(model: Model, image: Tensor, u: Tensor) -> Tensor:
    return deformed_images(model, image, u[None])


def _show(axes: Axes, image: Tensor, title: str) -> None:
    """The image, or the middle slice of a volume."""
    plane = image[0, 0] if image.dim() == 4 else image[0, 0, :, :, image.shape[-1] // 2]
    axes.imshow(plane.T.numpy(), cmap="gray", vmin=0, vmax=1)
    axes.set_title(title, fontsize=8)
    axes.set_axis_off()
