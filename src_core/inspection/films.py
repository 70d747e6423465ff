"""Films of one result: its recovery, a sweep over levels, source against result, a cine."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from src_core.cases.case import Case
from src_core.drawing.strips import PlaneStrip, PlaneValues
from src_core.errors import InputError
from src_core.generation.options import Options
from src_core.generation.proof import guarded
from src_core.generation.recovery import RecoveryStep
from src_core.generation.session import Session
from src_core.inspection.film_steps import FilmStep, framed, titled, two_panels
from src_core.inspection.part_view import Part, warp_part
from src_core.inspection.trajectory import Trajectory
from src_core.models.device import fixed_threads

__all__ = ["cine_film", "comparison_film", "level_film", "recovery_film"]

#: Frames from one recovery step to the next, and of what stands still.
_BETWEEN, _HOLD = 4, 12
#: Levels of a sweep, at most, besides 0.
_LEVELS = 24
#: Frames of each picture that flickers, and of a line that moves across.
_FLICKER, _WIPE = 7, 24


@dataclass(frozen=True, eq=False)
class _Panels:
    """The source, which stands still, beside what moves."""

    strip: PlaneStrip
    title: str

    def of(self, moving: Image.Image, words: str) -> Image.Image:
        """One frame."""
        return framed(two_panels(self.strip, self._source, titled(moving, words)), self.title)

    @property
    def _source(self) -> Image.Image:
        return titled(self.strip.of_case(self.strip.source, letters=True), "source")


def recovery_film(
    session: Session, options: Options, strip: PlaneStrip, trace: Trajectory | None = None
) -> Iterator[FilmStep]:
    """From the random field to the recovered one, moving in velocity between steps.

    Args:
        session: of the case.
        options: of the result.
        strip: how the source is drawn.
        trace: the run's steps, where they are known.

    Raises:
        InputError: level 0, which has no recovery.
    """
    if not options.level:
        raise InputError("level 0 is the image itself, which has no recovery", option="level")
    count = session.step_count(options) * _BETWEEN + 1
    before = 0
    if trace is None:
        trace, before = yield from _recovered(session, options, count)
    panels = _Panels(strip, f"{session.case.name}: level {options.level}, seed {options.seed}")
    for done, position in enumerate(np.linspace(0, trace.total, count).tolist(), start=1):
        u = trace.at(position) if done < count else _guarded(session, options, trace.last_steps)
        words = f"step {position:.1f} of {trace.total}" if position else "random field"
        if done == count:
            words = f"recovered in {trace.total} steps"
        frame = panels.of(_moved(session, strip, u), words)
        held = _HOLD if done in (1, count) else 1
        yield FilmStep(before + done, before + count, "drawing", (frame,) * held)


def level_film(session: Session, options: Options, strip: PlaneStrip) -> Iterator[FilmStep]:
    """Recovered anatomies of one seed from level 0 to the options' level, and back."""
    top = options.level
    levels = np.unique(np.linspace(0, top, min(top, _LEVELS) + 1).round().astype(int)).tolist()
    panels = _Panels(strip, f"{session.case.name}: seed {options.seed}, recovered at each level")
    frames: list[Image.Image] = []
    for done, level in enumerate(levels, start=1):
        chosen = options.model_copy(update={"level": level})
        picture = strip.of_case(session.case)
        if level:
            u = _guarded(session, chosen, session.ends(chosen))
            picture = _moved(session, strip, u)
        frames.append(panels.of(picture, f"level {level}"))
        ready = (frames[-1],) * (_HOLD if level in (0, top) else 1)
        yield FilmStep(done, len(levels), f"level {level}", ready)
    yield FilmStep(len(levels), len(levels), "drawing", tuple(reversed(frames[1:-1])))


def comparison_film(
    source: Case, new: Case, strip: PlaneStrip, title: str, wipe: bool
) -> Iterator[FilmStep]:
    """Source and result in the same place, in turn or on two sides of a line that moves."""
    before, after = strip.of_case(source, letters=True), strip.of_case(new, letters=True)
    if not wipe:
        pair = [(before, "source"), (after, "result")]
        frames = [framed(titled(p, words), title) for p, words in pair for _ in range(_FLICKER)]
        yield FilmStep(1, 1, "drawing", tuple(frames))
        return
    there = np.linspace(0, 1, _WIPE)
    for done, share in enumerate([*there, *there[::-1]], start=1):
        picture = titled(_wiped(before, after, float(share)), "left: result, right: source")
        yield FilmStep(done, 2 * _WIPE, "drawing", (framed(picture, title),))


def cine_film(source: Case, new: Case, strip: PlaneStrip, title: str) -> Iterator[FilmStep]:
    """The frames of source and result, side by side; a single one of either stands still.

    Raises:
        InputError: neither has several frames.
    """
    count = max(source.images[0].frames, new.images[0].frames)
    if count < 2:
        raise InputError(
            "there is one frame only", where=source.name, option="kind",
            expected="a cine, or a result made with a motion", do="choose another kind of film",
        )  # fmt: skip
    for t in range(count):
        pictures = [
            titled(strip.of_case(case, t, letters=True), words)
            for case, words in ((source, "source"), (new, "result"))
        ]
        frame = framed(two_panels(strip, *pictures), f"{title}, frame {t + 1} of {count}")
        yield FilmStep(t + 1, count, "drawing", (frame,))


def _recovered(
    session: Session, options: Options, later: int
) -> Generator[FilmStep, None, tuple[Trajectory, int]]:
    """The run itself (with targets, its last round), and how many steps it had.

    ``later`` is how much work on the film follows.
    """
    slabs: list[list[RecoveryStep]] = []
    total = 0
    for step in session.steps(options):
        if step.recovery.index == 0:
            slabs[step.slab :] = [[]]
        slabs[-1].append(step.recovery)
        total = step.total
        yield FilmStep(step.index + 1, total + later, "recovering")
    return Trajectory(session.view, slabs), total


def _guarded(session: Session, options: Options, ends: Sequence[RecoveryStep]) -> Tensor:
    """What is saved of the last steps: (slabs, D, *state)."""
    view = session.view
    with fixed_threads():
        kept = [guarded(view, end.flow, options.allow_folds, end.displacement) for end in ends]
    return torch.cat([one.displacement for one in kept])


def _moved(session: Session, strip: PlaneStrip, u: Tensor) -> Image.Image:
    """The planes of the session's case under a displacement."""
    case = session.case
    volumes = (case.images[0], *case.labels[:1])
    drawn: list[PlaneValues] = []
    for plane in strip.planes:
        fixed: list[int | None] = [None, None, None]
        fixed[plane.axis] = plane.index
        part = Part((fixed[0], fixed[1], fixed[2]), 0)
        image, *labels = warp_part(session.view, u, part, volumes)
        drawn.append((plane.values(image), plane.values(labels[0]) if labels else None))
    return strip.of_values(drawn)


def _wiped(before: Image.Image, after: Image.Image, share: float) -> Image.Image:
    """The result to the left of a line, the source to the right of it."""
    picture, x = before.copy(), round(share * before.width)
    picture.paste(after.crop((0, 0, x, after.height)))
    if 0 < x < before.width:
        picture.paste("#ffe45c", (x - 1, 0, x + 1, before.height))
    return picture
