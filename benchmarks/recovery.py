"""What a model recovers on slices of patients it never saw, before any guard.

    python -m benchmarks.recovery cardiac-sax --data acdc --out figures

Displacements in % of the side; folds in permille on the enlarged field, by central differences and
strictly; removed = energy taken away; shared = energy common to two seeds; ell = Dice of the left
epicardium with the ellipse of its moments; drift = mean displacement made of no deformation.
"no network" is the random field of the lower level that moves as much on average: the row to beat.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.cases import Subject, add_data_options, load_subjects, recovered
from src_core.evaluation import (
    displacement_percent,
    ellipse_agreement,
    removed_energy,
    shared_share,
)
from src_core.evaluation.baseline import equal_mean_flow
from src_core.fields import certify, enlarge, folding_permille, magnitude
from src_core.generation.run import start_flow
from src_core.library import load_model
from src_core.model import Model

FIELDS = ("random", "recovered", "no network")
COLUMNS = ("max", "mean", "central", "strict", "ell", "removed", "shared", "drift")
DRIFT_LEVEL = 70


@dataclass(frozen=True, eq=False)
class Run:
    """One field of one case and seed: ``u`` is (2, *state), state voxels."""

    subject: str
    level: int
    seed: int
    field: str
    u: NDArray[np.float32]
    figures: dict[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments ask for, print the table, write it and the pictures."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    model = load_model(options.model, "cpu")
    subjects = load_subjects(options.data, options.cases, model)
    runs, seconds = [], 0.0
    for index, subject in enumerate(subjects):
        started = time.perf_counter()
        made = list(measure_subject(model, subject, index, options))
        seconds += sum(run.figures.pop("seconds", 0.0) for run in made)
        runs += made
        print(f"{index + 1}/{len(subjects)} {subject.name} {time.perf_counter() - started:.1f} s")
    count = sum(run.field == "recovered" for run in runs)
    report = {
        "model": model.spec.name,
        "sha256": model.sha256,
        "cases": [subject.name for subject in subjects],
        "seeds": options.seeds,
        "steps": options.steps,
        "ms_per_case": 1000 * seconds / count,
        "rows": [*_rows(runs, options.levels)],
        "runs": [_told_run(run) for run in runs],
    }
    print_table(report)
    if options.out:
        _write(report, runs, subjects, options)


def measure_subject(
    model: Model, subject: Subject, index: int, options: argparse.Namespace
) -> Iterator[Run]:
    """The undeformed case and its drift, then every level, seed and kind of field."""
    still = torch.zeros(1, 2, model.spec.state, model.spec.state)
    yield _run(subject, still, 0, 0, "undeformed")
    start = start_flow(model, 1, index, level=DRIFT_LEVEL).scaled(0)
    drift = recovered(model, subject.views, start, DRIFT_LEVEL, options.steps)
    yield _run(subject, drift, DRIFT_LEVEL, 0, "drift")
    for level in options.levels:
        for seed in range(1, options.seeds + 1):
            yield from _three_fields(model, subject, level, (seed, index), options.steps)


@torch.inference_mode()
def _three_fields(
    model: Model, subject: Subject, level: int, seeds: tuple[int, int], steps: int
) -> Iterator[Run]:
    flow = start_flow(model, *seeds, level=level)
    yield _run(subject, flow.displacement(), level, seeds[0], "random")
    started = time.perf_counter()
    u = recovered(model, subject.views, flow, level, steps)
    seconds = time.perf_counter() - started
    yield _run(subject, u, level, seeds[0], "recovered", seconds=seconds)
    lower = equal_mean_flow(flow, float(magnitude(u).mean()))
    yield _run(subject, lower.displacement(), level, seeds[0], "no network")


def _run(subject: Subject, u: Tensor, level: int, seed: int, field: str, **more: float) -> Run:
    largest, mean = displacement_percent(u[0])
    whole = enlarge(u.double(), subject.views.shape[-1] // u.shape[-1])
    _, masks = subject.warped(u)
    figures = {
        "max": largest,
        "mean": mean,
        "central": float(folding_permille(whole)),
        "strict": certify(whole)[0].strict_folding_permille,
        "ell": ellipse_agreement(masks[0, 2] > 0.5),
        **more,
    }
    return Run(subject.name, level, seed, field, u[0].numpy(), figures)


def _rows(runs: list[Run], levels: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Lines of the table, means over cases and seeds."""
    yield _means("undeformed", 0, _chosen(runs, "undeformed"))
    drift = _means("drift", DRIFT_LEVEL, _chosen(runs, "drift"))
    yield {**drift, "drift": drift["mean"]}
    for level in levels:
        random = _chosen(runs, "random", level)
        for field in FIELDS:
            these = _chosen(runs, field, level)
            energy = {"removed": removed_energy(_stack(random), _stack(these))}
            yield {**_means(field, level, these), **energy, **_shared(these)}


def _chosen(runs: list[Run], field: str, level: int | None = None) -> list[Run]:
    return [run for run in runs if run.field == field and level in (None, run.level)]


def _means(field: str, level: int, runs: list[Run]) -> dict[str, Any]:
    names = runs[0].figures
    means = {name: float(np.nanmean([run.figures[name] for run in runs])) for name in names}
    return {"level": level, "field": field, **means}


def _stack(runs: list[Run]) -> NDArray[np.float32]:
    return np.stack([run.u for run in runs])


def _shared(runs: list[Run]) -> dict[str, float]:
    """The share common to two seeds of one case, over all pairs; nothing with one seed."""
    seeds = sorted({run.seed for run in runs})
    of_seed = {seed: _stack([run for run in runs if run.seed == seed]) for seed in seeds}
    pairs = [shared_share(of_seed[a], of_seed[b]) for a, b in combinations(seeds, 2)]
    return {"shared": float(np.mean(pairs))} if pairs else {}


def print_table(report: dict[str, Any]) -> None:
    """The rows of a report, and what a recovery took."""
    print(f"\n{report['model']} {report['sha256'][:12]}: {len(report['cases'])} cases x ", end="")
    print(f"{report['seeds']} seeds, {report['steps']} steps")
    print(f"{'level':>5} {'field':12}" + "".join(f"{name:>9}" for name in COLUMNS))
    for row in report["rows"]:
        told = "".join(f"{_told(name, row.get(name)):>9}" for name in COLUMNS)
        print(f"{row['level']:5} {row['field']:12}{told}")
    print(f"{report['ms_per_case']:.0f} ms a recovered case, one thread")


def _told(name: str, figure: float | None) -> str:
    if figure is None:
        return ""
    if name in ("removed", "shared"):
        return f"{100 * figure:.1f} %"
    return f"{figure:.3f}" if name in ("ell", "strict") else f"{figure:.2f}"


def _write(
    report: dict[str, Any], runs: list[Run], subjects: list[Subject], options: argparse.Namespace
) -> None:
    from benchmarks.picture import picture_grid

    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1)
    (options.out / "recovery.json").write_text(text + "\n", encoding="utf-8")
    for level in options.levels:
        fields = {name: _chosen(runs, name, level)[:: options.seeds] for name in FIELDS}
        fields = {"undeformed": _chosen(runs, "undeformed"), **fields}
        shown = {k: [torch.from_numpy(r.u)[None] for r in v] for k, v in fields.items()}
        picture_grid(subjects, shown, options.out / f"recovery-level{level}.png")


def _told_run(run: Run) -> dict[str, Any]:
    where = {"case": run.subject, "level": run.level, "seed": run.seed, "field": run.field}
    return {**where, **run.figures}


def _levels(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_options(parser)
    parser.add_argument("--seeds", type=int, default=2, help="random fields a case")
    parser.add_argument("--levels", type=_levels, default=[48, 70], help="with commas: 48,70")
    parser.add_argument("--out", type=Path, help="folder for recovery.json and the pictures")
    return parser


if __name__ == "__main__":
    main()
