"""A deformation that grows along time: ``phi_t = exp(g_t w_0) o ... o exp(g_t w_k)``, g_0 = 0.

The growth g scales the velocities, before they are exponentiated, so every frame's map is a
diffeomorphism; the first is the identity, and a loop comes back to it one frame after the last.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.point_set import PointSet
from src_core.cases.synthetic import SYNTHETIC, mark_synthetic, synthetic_note
from src_core.errors import InputError, OptionName, Phrase
from src_core.fields.label_changes import label_metrics
from src_core.fields.measures import lengths
from src_core.fields.planes import Field
from src_core.fields.warp_frames import frame_of, warp_frames
from src_core.generation.drawn_case import refuse_changes
from src_core.generation.metrics import displacement_metrics, longest_side
from src_core.generation.options import Options, make_options
from src_core.generation.proof import guarded, prove
from src_core.generation.recipe import make_recipe
from src_core.generation.recovery import RecoveryStep
from src_core.generation.run import determinant
from src_core.generation.save import with_inputs
from src_core.generation.scale import scale_metrics
from src_core.generation.session import Session, Step
from src_core.io import OutputFolder, volume_file, write_field_series
from src_core.io.case_files import save_case, write_json
from src_core.io.points import write_points
from src_core.models.device import fixed_threads
from src_core.models.model import Model

__all__ = [
    "Motion",
    "Series",
    "generate_series",
    "growth",
    "save_series",
    "save_series_files",
    "series_steps",
]

Motion = Literal["ramp", "loop"]


@dataclass(frozen=True, eq=False)
class Series:
    """A series in time, deformed more or less from frame to frame.

    Attributes:
        source: the case it was made from.
        case: warped images and labels, (X, Y, Z, T).
        displacements: (X, Y, Z, T, 3), float32, LPS mm, the field of each frame.
        metrics: at the frame that moves most; the smallest determinant is over all.
        recipe: what makes the same series again.
        points: landmarks and surfaces of the source, moved, by the names of their files.
    """

    source: Case
    case: Case
    displacements: NDArray[np.float32]
    metrics: dict[str, Any]
    recipe: dict[str, Any]
    points: Mapping[str, PointSet] = field(default_factory=dict)


def growth(frames: int, motion: Motion) -> tuple[float, ...]:
    """Share of the velocity at each frame: a ramp ends at 1, a loop is at 1 in the middle.

    Raises:
        InputError: fewer than two frames.
    """
    if frames < 2:
        raise InputError(
            f"{frames} frames cannot move", option="frames", expected="2 or more, or a cine"
        )
    if motion == "ramp":
        return tuple(t / (frames - 1) for t in range(frames))
    return tuple((1 - math.cos(2 * math.pi * t / frames)) / 2 for t in range(frames))


def generate_series(
    case: Case, model: Model, motion: Motion = "loop", frames: int | None = None, **options: Any
) -> Series:
    """A deformed cine, or frames made of one volume; options are those of ``Options``.

    Raises:
        InputError: an option is out of range, or the cine has another number of frames.
    """
    chosen = make_options(model.spec.schedule.levels, **options)
    *_, last = series_steps(case, model, chosen, motion, frames)
    assert isinstance(last, Series)
    return last


def series_steps(
    case: Case, model: Model, options: Options, motion: Motion, frames: int | None = None
) -> Iterator[Step | Series]:
    """Steps as they come, then the series; stop taking values to cancel."""
    started = time.perf_counter()
    refuse_changes(options, "series in time")
    shares = growth(_frames(case, frames), motion)
    session = Session(case, model, options.slices, options.region, options.guide)
    ends = yield from session.steps(options)
    with fixed_threads():
        series = _finished(session, options, ends, shares)
    recipe = {**series.recipe, "motion": motion, "frames": len(shares)}
    metrics = {**series.metrics, "motion": motion, "seconds": time.perf_counter() - started}
    yield replace(series, recipe=recipe, metrics=metrics)


def save_series(series: Series, folder: Path | str, *, overwrite: bool = False) -> Path:
    """Write image, labels, displacement (a field for each frame), recipe and metrics, all or none.

    Raises:
        InputError: the folder has content (without ``overwrite``) or cannot be written.
    """
    with OutputFolder(folder, overwrite) as place:
        save_series_files(series, place)
    return Path(folder)


def save_series_files(series: Series, place: Path) -> None:
    """The files of ``save_series``, into a folder that the caller makes appear."""
    save_case(series.case, place, series.source)
    write_field_series(
        place / volume_file("displacement"),
        series.displacements,
        series.source.grid,
        synthetic_note(),
    )
    for name, points in series.points.items():
        write_points(place / name, points)
    write_json(place / "recipe.json", with_inputs(series.source, series.recipe, place))
    write_json(place / "metrics.json", series.metrics)


@torch.inference_mode()
def _finished(
    session: Session, options: Options, ends: Sequence[RecoveryStep], shares: Sequence[float]
) -> Series:
    case, view, folds = session.case, session.view, options.allow_folds
    strongest = [guarded(view, end.flow, folds, end.displacement) for end in ends]
    fields: list[Field] = []
    proofs, scales = [], []
    for share in shares:
        kept = [guarded(view, s.flow.scaled(share), folds) for s in strongest if share]
        own = (
            view.field(torch.cat([slab.displacement for slab in kept]))
            if kept
            else np.zeros((*case.grid.shape, 3), np.float32)
        )
        fields.append(own)
        proofs.append(prove(view.distinct(own)))
        scales += [one.scale * slab.scale for one, slab in zip(strongest, kept, strict=False)]
    warped = warp_frames(
        case, fields, interpolation=options.interpolation, labels=options.label_interpolation
    )
    warped = mark_synthetic(warped)
    longest = [lengths(u)[0] for u in fields]
    peak = int(np.argmax(longest))
    jacobian = determinant(view, view.distinct(fields[peak]))
    metrics = {
        **displacement_metrics(fields[peak], longest_side(view)),
        "min_det": min(proof.min_det for proof in proofs),
        "max_det": float(jacobian.max()),
        "strict_folding_permille": max(proof.strict_folding_permille for proof in proofs),
        "certified": all(proof.certified for proof in proofs),
        "guard_scale": min(scales, default=1.0),
        "frame_max_mm": longest,
        **label_metrics(frame_of(case, peak), frame_of(warped, peak), jacobian),
        "level": options.level,
        "seed": options.seed,
        "steps": session.step_count(options),
        "model": session.model.spec.name,
        "notice": SYNTHETIC,
        "device": str(session.model.device),
    }
    if options.level:
        metrics["fit"] = session.fit.facts()
        metrics |= scale_metrics(case, session.model.spec)
    displacements = np.stack(fields, axis=3)
    outputs = {"displacement": displacements}
    recipe = make_recipe(case, warped, session.model, options, session.step_count(options), outputs)
    return Series(case, warped, displacements, metrics, recipe)


def _frames(case: Case, wanted: int | None) -> int:
    own = max(volume.frames for volume in (*case.images, *case.labels))
    if own > 1 and wanted not in (None, own):
        raise InputError(
            f"{wanted} frames are requested, the cine has {own}",
            where=case.name,
            expected="a single volume, or the cine's own frames",
            do=Phrase("leave out ", OptionName("frames")),
        )
    if any(v.frames not in (1, own) for v in (*case.images, *case.labels)):
        raise InputError(
            "the images have different numbers of frames",
            where=case.name,
            expected="one frame, or all the same",
        )
    return own if own > 1 else wanted or 1
