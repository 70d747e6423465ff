"""A run over a data set: what is reported before, during and after it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import typer

from src_core.cli.failures import FAILED, in_shell, resumable, terminable
from src_core.cli.report import print_json, progress, tell

if TYPE_CHECKING:
    from src_core.augment import Made, Plan, Request
    from src_core.models.model import Model

__all__ = ["carry_out"]

_STATES = ("made", "kept", "rejected", "failed")
_TITLES = {"augment": "augmenting", "pairs": "pairing"}


def carry_out(request: Request, json: bool, *, model: str, device: str) -> None:
    """Plan a request, run it and report the result."""
    from src_core.augment import make_plan
    from src_core.models.library import load_model

    loaded = load_model(model, device)
    plan = make_plan(request, loaded)
    _announce(plan)
    _close(plan, _follow(plan, loaded), json)


def _announce(plan: Plan) -> None:
    from src_core.augment.disk import free_bytes, size_text

    whole, free = plan.bytes_each * len(plan.jobs), free_bytes(plan.request.out)
    what = f"{len(plan.jobs)} {plan.request.product.noun} of {plan.cases}"
    tell(f"{what}, at most {size_text(whole)} before compression")
    if whole > free:
        tell(f"warning: {size_text(free)} are free, the run stops when the disk is full")
    for note in plan.notes:
        tell(f"note: {note}")


def _follow(plan: Plan, model: Model) -> dict[str, Any]:
    """Run the plan; counts by state, and each message once for each case."""
    from src_core.augment import augment

    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    reported: dict[tuple[str, str], Made] = {}
    with resumable(), terminable(), progress(_TITLES[plan.request.product.name]) as advance:
        for done, made in enumerate(augment(plan, model), start=1):
            counts[made.state] += 1
            refused.update(made.refused)
            if made.message and made.state != "rejected":
                _report_once(made, reported)
            advance(done, len(plan.jobs), made.job.name)
    failures = [
        {"case": case, "why": why} for (case, why), m in reported.items() if m.state == "failed"
    ]
    return {**{s: counts[s] for s in _STATES}, "refused": dict(refused), "failures": failures}


def _report_once(made: Made, reported: dict[tuple[str, str], Made]) -> None:
    if reported.setdefault((made.job.case, made.message), made) is made:
        failed = f"failed: {made.job.case}: " if made.state == "failed" else "warning: "
        tell(failed + in_shell(made.message))


def _close(plan: Plan, summary: dict[str, Any], json: bool) -> None:
    """Draw the sheet, report the result, and exit with 1 if something is missing."""
    from src_core.augment.contact_sheet import save_sheet
    from src_core.augment.label_spread import label_warning
    from src_core.augment.population_report import population_of_run
    from src_core.augment.run_folder import FAILURES, INDEX, MANIFEST
    from src_core.augment.summary import save_summary

    request, there = plan.request, summary["made"] + summary["kept"]
    out, noun = request.out, request.product.noun
    sheet = save_sheet(out, request.spacing) if there else None
    page = save_summary(out, summary["failed"], request.product)
    warning = label_warning(out, request.product)
    population = population_of_run(out)
    if json:
        files = {"index": INDEX, "manifest": MANIFEST, "summary": page.name}
        shown = None if sheet is None else str(sheet)
        named = {k: str(out / f) for k, f in files.items()}
        found = {"population": population} if population else {}
        print_json({**summary, **named, "sheet": shown, "warning": warning, **found})
    else:
        print(", ".join(f"{name} {summary[name]}" for name in ("made", "kept", "failed")))
        _show_refused(summary, noun)
        _show_population(population)
        print(f"written to {out}: {INDEX}, {page.name}" + (f", {sheet.name}" if sheet else ""))
    if warning:
        tell(f"warning: {warning}")
    if summary["failed"]:
        tell(f"error: {summary['failed']} {noun} are missing, see {out / FAILURES}")
        raise typer.Exit(FAILED)


def _show_population(report: dict[str, Any]) -> None:
    """How many targets were reached; distances of new cases and plain seeds to the real ones."""
    if report.get("targets"):
        share = 100 * report["targets_within"]
        print(f"{share:.0f} % of {report['targets']} targets are within their tolerances")
    for name, measure in report.get("measures", {}).items():
        if measure.get("new_to_real") is not None:
            distances = f"{measure['new_to_real']:.3f} from the real cases"
            if measure.get("plain_to_real") is not None:
                distances += f", the same seeds without targets {measure['plain_to_real']:.3f}"
            print(f"{name}: {distances}")


def _show_refused(summary: dict[str, Any], noun: str) -> None:
    """The seeds that the filters rejected, by reason, if any."""
    if refused := summary["refused"]:
        whys = ", ".join(f"{why} {count}" for why, count in sorted(refused.items()))
        seeds, rejected = sum(refused.values()), summary["rejected"]
        print(f"rejected {seeds} seeds: {whys}; {noun} rejected {rejected}")
