"""Many seeds at several levels: what each makes of one image, in pictures and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from src_core.cases.case import Case
from src_core.drawing.strips import PlaneStrip
from src_core.errors import InputError
from src_core.fields.label_changes import label_metrics
from src_core.fields.measures import measure_field
from src_core.generation.metrics import displacement_metrics, longest_side
from src_core.generation.options import Options
from src_core.generation.run import Finishing, finish
from src_core.generation.session import Session
from src_core.inspection.options import GalleryOptions
from src_core.models.device import fixed_threads
from src_core.models.model import Model

__all__ = ["Gallery", "GalleryEntry", "GalleryStep", "gallery_steps"]


@dataclass(frozen=True, eq=False)
class GalleryEntry:
    """One new case.

    Attributes:
        level: of the deformation.
        seed: of the draws.
        picture: its planes.
        metrics: largest and mean displacement, smallest determinant, certificate, what became of
            labels, by the names of ``metrics.json``.
    """

    level: int
    seed: int
    picture: Image.Image
    metrics: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Gallery:
    """All new cases, the levels one after the other.

    Attributes:
        strip: how source and new cases are drawn.
        entries: the new cases.
        model: name of the model that recovered them.
        slices: with a 2D model on a stack, ``shared`` or ``each``.
    """

    strip: PlaneStrip
    entries: tuple[GalleryEntry, ...]
    model: str
    slices: str = "shared"

    @property
    def source(self) -> Case:
        """The case that they are made from."""
        return self.strip.source

    @property
    def levels(self) -> tuple[int, ...]:
        """Deformation levels, in order."""
        return tuple(dict.fromkeys(entry.level for entry in self.entries))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Random seeds, in order."""
        return tuple(dict.fromkeys(entry.seed for entry in self.entries))

    def at_level(self, level: int) -> list[GalleryEntry]:
        """The new cases of one level."""
        return [entry for entry in self.entries if entry.level == level]


@dataclass(frozen=True)
class GalleryStep:
    """One recovery step was done: ``done`` of ``total`` over all new cases."""

    done: int
    total: int
    words: str


def gallery_steps(
    case: Case, model: Model, options: Options, chosen: GalleryOptions, strip: PlaneStrip
) -> Iterator[GalleryStep | Gallery]:
    """Progress as it comes, then the gallery; stop taking values to cancel.

    Args:
        case: what is deformed.
        model: the model that recovers.
        options: of every new case; its level and seed are replaced.
        chosen: levels and seeds.
        strip: how the case is drawn.

    Raises:
        InputError: a level that the model does not have, or case and model do not fit.
    """
    highest = model.spec.schedule.levels
    if not chosen.levels or max(chosen.levels) > highest:
        given = ", ".join(map(str, chosen.levels)) or "none"
        raise InputError(
            f"the levels {given} do not exist", option="levels", expected=f"0 to {highest}"
        )
    session = Session(case, model, options.slices, options.region, options.guide)
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.seeds)
    wanted = [(level, seed) for level in chosen.levels for seed in seeds]
    entries: list[GalleryEntry] = []
    for done, (level, seed) in enumerate(wanted):
        words = f"level {level}, seed {seed}"
        yield GalleryStep(done, len(wanted), words)
        one = options.model_copy(update={"level": level, "seed": seed})
        steps = session.steps(one)
        while True:
            try:
                next(steps)
            except StopIteration as finished:
                ends = finished.value
                break
            yield GalleryStep(done, len(wanted), words)
        made = _made(session, one, ends)
        entries.append(GalleryEntry(level, seed, strip.of_case(made[0]), made[1]))
    yield GalleryStep(len(wanted), len(wanted), "drawing")
    yield Gallery(strip, tuple(entries), model.spec.name, options.slices)


def _made(session: Session, options: Options, ends: Any) -> tuple[Case, dict[str, Any]]:
    """A new case and its numbers; its inverse is not computed."""
    for value in finish(session, options, ends):
        if isinstance(value, Finishing) and value.what == "inverse":
            break
    assert isinstance(value, Finishing)
    warped, field = value.case, value.displacement
    assert warped is not None and field is not None
    view = session.view
    with fixed_threads():
        found = measure_field(view.saved(field))
    return warped, {
        **displacement_metrics(field, longest_side(view)),
        "min_det": found.proof.min_det,
        "certified": found.proof.certified,
        **label_metrics(session.case, warped, found.jacobian),
    }
