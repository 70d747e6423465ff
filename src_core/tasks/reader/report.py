"""The files of a reader test: ``results.json``, ``results.csv`` (all answers) and ``table.md``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, fields, replace
from math import isfinite
from pathlib import Path
from typing import Any

from src_core.experiments.files import plain, write_csv, write_json, write_text
from src_core.experiments.groups import groups_of, values_of
from src_core.experiments.records import Record
from src_core.experiments.statistics import finite_mean
from src_core.tasks.reader.all_answers import AllAnswers, read_all_answers
from src_core.tasks.reader.answers import Answer
from src_core.tasks.reader.options import KINDS, ReaderRequest
from src_core.tasks.reader.tables import accuracy_rows, agreement_rows, score_rows

__all__ = ["tables_text", "write_report"]

Row = Mapping[str, Any]
#: Heading of a column, and the text of its cell.
_Column = tuple[str, Callable[[Row], str]]
_MEASURED = ("mean_mm", "max_mm", "noise_kept", "outside")


def write_report(request: ReaderRequest, records: Sequence[Record]) -> dict[str, Any]:
    """Write everything that follows from the answers; returns the report.

    Args:
        request: with the folder, files of further answers and the kind of interval.
        records: of the pictures.

    Raises:
        InputError: answers cannot be read, or are to another test.
    """
    answered = read_all_answers(request.out, request.answers)
    report: dict[str, Any] = plain(
        {
            "task": "reader",
            "test": answered.plan.test,
            "mode": answered.plan.mode,
            "questions": len(answered.plan.questions),
            "readers": {r: len(answered.answers[r]) for r in answered.readers},
            "interval": request.interval,
            "pictures": picture_rows(records),
            "accuracy": [],
            "scores": [],
            "agreement": agreement_rows(answered),
        }
    )
    name, rows = (
        ("scores", score_rows) if answered.plan.mode == "score" else ("accuracy", accuracy_rows)
    )
    report[name] = plain(rows(answered, request.interval)) if answered.readers else []
    write_json(request.out / "results.json", report)
    _write_answers(request.out / "results.csv", answered)
    write_text(request.out / "table.md", tables_text(report))
    return report


def picture_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Of each kind: number of pictures, and means of what deformations do to them."""
    rows = []
    groups = groups_of(records, ("kind",), None).values()
    for group in sorted(groups, key=lambda one: KINDS.index(one.keys["kind"])):
        known = {name for record in group.records for name in record.figures}
        means = {
            name: finite_mean(values_of(group.records, name)) if name in known else float("nan")
            for name in _MEASURED
        }
        rows.append({**group.keys, "pictures": len(group.records), **means})
    return rows


def tables_text(report: Row) -> str:
    """All tables in Markdown."""
    pictures = _table(_PICTURES, report["pictures"])
    if not report["readers"]:
        return f"{pictures}\nNo answers yet, {report['questions']} questions.\n"
    score = report["mode"] == "score"
    parts = [_table(_SCORES, report["scores"]) if score else _table(_ACCURACY, report["accuracy"])]
    parts.append(_table(_AGREEMENT, report["agreement"]))
    unfinished = {r: n for r, n in report["readers"].items() if n < report["questions"]}
    if unfinished:
        counts = ", ".join(f"{r} {n}" for r, n in unfinished.items())
        parts.append(f"Not finished (of {report['questions']} questions): {counts}.\n")
    return "\n".join(part for part in [*parts, pictures] if part)


def _table(columns: Sequence[_Column], rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    lines = ["| " + " | ".join(head for head, _ in columns) + " |"]
    lines.append("| --- " * len(columns) + "|")
    lines += ["| " + " | ".join(cell(row) for _, cell in columns) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _text(name: str) -> Callable[[Row], str]:
    return lambda row: str(row[name]).replace("|", "\\|")


def _number(name: str, digits: int, scale: float = 1.0) -> Callable[[Row], str]:
    return lambda row: _digits(row[name], digits, scale)


def _between(
    name: str, low: str, high: str, digits: int, scale: float = 1.0
) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        value, *ends = (_digits(row[n], digits, scale) for n in (name, low, high))
        return f"{value} ({' to '.join(ends)})" if all(ends) else value

    return cell


def _digits(value: float | None, digits: int, scale: float) -> str:
    return "" if value is None or not isfinite(value) else f"{scale * value:.{digits}f}"


def _p(row: Row) -> str:
    value = row["p"]
    if value is None or not isfinite(value):
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


_PICTURES: tuple[_Column, ...] = (
    ("kind", _text("kind")),
    ("pictures", _text("pictures")),
    ("mean displacement, mm", _number("mean_mm", 2)),
    ("largest, mm", _number("max_mm", 1)),
    ("noise kept, %", _number("noise_kept", 0, 100)),
    ("from beyond the image, %", _number("outside", 1, 100)),
)
_ACCURACY: tuple[_Column, ...] = (
    ("reader", _text("reader")),
    ("kind", _text("kind")),
    ("answers", _text("questions")),
    ("found the real one, %", _between("accuracy", "low", "high", 0, 100)),
    ("p (guessing)", _p),
    ("median seconds", _number("seconds", 1)),
)
_SCORES: tuple[_Column, ...] = (
    ("reader", _text("reader")),
    ("kind", _text("kind")),
    ("answers", _text("images")),
    ("mean score", _between("score", "low", "high", 2)),
    ("score 4 or 5, %", _between("judged_real", "judged_low", "judged_high", 0, 100)),
    ("area, real against it", _between("area", "area_low", "area_high", 2)),
    ("median seconds", _number("seconds", 1)),
)
_AGREEMENT: tuple[_Column, ...] = (
    ("readers", _text("readers")),
    ("kappa of", _text("measure")),
    ("questions", _text("questions")),
    ("same answer, %", _number("same", 0, 100)),
    ("kappa", _between("kappa", "low", "high", 2)),
)


def _write_answers(path: Path, answered: AllAnswers) -> None:
    """Every answer, with kinds and correctness by the key, whatever the readers' files hold."""
    rows = []
    for reader in answered.readers:
        for answer in answered.answers[reader].values():
            real = answered.real[answer.item]
            right = str(int(answer.answer == real)) if real else ""
            rows.append(astuple(replace(answer, kind=answered.kinds[answer.item], correct=right)))
    write_csv(path, [field.name for field in fields(Answer)], rows)
