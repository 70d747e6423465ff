"""``table1.csv``, ``measures.csv`` and other tables, and the lines that a shell prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from src_core.evaluation.spread import KINDS
from src_core.evaluation.summary import TABLE1
from src_core.experiments.files import write_csv

__all__ = ["shown_coverage", "shown_law", "shown_measures", "shown_table", "write_tables"]

_MEASURES = ("row", "level", "steps", "measure", "mean", "sd", "se", "n")
_SHOWN = (
    "max %",
    "mean %",
    "central‰",
    "strict‰",
    "ndv‰",
    "sdlogj",
    "guard",
    "removed %",
    "ellipse",
    "agree",
    "shapes",
)
#: What the printed table of the law has, of each level; ``law.csv`` has all.
_LAW_KINDS, _LAW_LINES = ("size", "wall", "elongation", "angle"), 12
_MANIFOLD_HEAD = "".join(f"{name:>10}" for name in ("uneven", "precision", "recall"))


def write_tables(folder: Path, summary: dict[str, Any]) -> None:
    """Write every table of a summary that is not empty."""
    _write(folder / "table1.csv", [_flat(row) for row in summary["table1"]])
    _write(folder / "measures.csv", summary["measures"], _MEASURES)
    _write(folder / "paper.csv", summary["at_the_papers_magnitudes"])
    _write(folder / "paired.csv", summary["plausibility"].get("paired", []))
    found = summary["coverage"]
    _write(folder / "coverage.csv", [*found.get("spread", []), *found.get("walls", [])])
    _write(folder / "manifold.csv", found.get("manifold", []))
    _write(folder / "law.csv", summary["law"])
    _write(folder / "steps.csv", summary["steps"].get("losses", []))


def shown_table(summary: dict[str, Any]) -> list[str]:
    """Lines of the main table: magnitudes, folds, guard, removed energy, shapes."""
    measures = {
        (m["row"], m["level"], m["steps"], m["measure"]): m["mean"] for m in summary["measures"]
    }
    distances = {(p["row"], p["level"]): p for p in summary["plausibility"].get("rows", [])}
    lines = [f"level {'row':24} steps" + "".join(f"{name:>10}" for name in _SHOWN)]
    for row in summary["table1"]:
        key = row["row"], row["level"], row["steps"]
        plausible = distances.get(key[:2], {})
        cells = [
            *(_number(row[name]["mean"], 2 if i < 2 else 3) for i, name in enumerate(TABLE1)),
            _number(measures.get((*key, "ndv")), 3),
            _number(measures.get((*key, "sdlogj")), 3),
            _number(row.get("guard_scale", {}).get("mean"), 4),
            _number(_percent(measures.get((*key, "removed"))), 1),
            _number(_ellipse(measures, key), 3),
            _number(plausible.get("agreement"), 3),
            _number(plausible.get("distances", {}).get("all shapes"), 3),
        ]
        head = f"{row['level']:>5} {row['row']:24} {row['steps'] or '':>5}"
        lines.append(head + "".join(f"{cell:>10}" for cell in cells))
    return lines


def shown_coverage(summary: dict[str, Any]) -> list[str]:
    """Lines of the spread over seeds, its ratio to real subjects, precision and recall."""
    found = summary["coverage"]
    if not found:
        return []
    uneven = {(w["row"], w["level"]): w["relative"] for w in reversed(found["walls"])}
    near = {(m["row"], m["level"]): m for m in found["manifold"]}
    lines = [
        f"spread over seeds (by that between {found['subjects']} real subjects), unevenness of the "
        "first wall by the undeformed, precision and recall of shapes",
        f"level {'row':24}" + "".join(f"{name:>14}" for name in KINDS) + _MANIFOLD_HEAD,
    ]
    for row in found["means"]:
        key = row["row"], row["level"]
        cells = [f"{_with_ratio(row, kind):>14}" for kind in KINDS]
        values = uneven.get(key), near[key]["precision"], near[key]["recall"]
        cells += [f"{_number(value, 2):>10}" for value in values]
        lines.append(f"{row['level']:>5} {row['row']:24}" + "".join(cells))
    still = next((m for m in found["manifold"] if m["row"] == "undeformed"), None)
    if still is not None:
        both = [_number(still[name], 2) or "none" for name in ("precision", "recall")]
        lines.append(f"undeformed: precision {both[0]}, recall {both[1]}")
    return lines


def shown_law(summary: dict[str, Any]) -> list[str]:
    """Lines of the law of variety: sizes, walls, elongations and angles, some of each level."""
    columns = ("sigma_T", "measured", "kept", "s", "training", "forecast", "real", "offered")
    lines = []
    for level in dict.fromkeys(line["level"] for line in summary["law"]):
        shown = [r for r in summary["law"] if r["level"] == level and r["kind"] in _LAW_KINDS]
        for row in shown[:_LAW_LINES]:
            cells = "".join(f"{_number(row[name], 3):>10}" for name in columns)
            lines.append(f"{level:>5} {row['measure']:22}{row['unit']:>5}{cells}")
    head = f"level {'law of variety':22}{'':5}" + "".join(f"{name:>10}" for name in columns)
    return [head, *lines] if lines else []


def shown_measures(summary: dict[str, Any]) -> list[str]:
    """Lines below the table: drift, sensitivity, comparisons, steps, and what is absent."""
    known = {(m["row"], m["level"], m["steps"], m["measure"]): m for m in summary["measures"]}
    steps, lines = summary["plan"]["steps"][0], []
    for name in ("drift", "drift_single_levels"):
        lines += [_line(name, m) for k, m in known.items() if k[2:] == (steps, name)]
    names = ["organ_slope"] if summary["labels"] else [f"mode_{i}" for i in (1, 2, 3)]
    for name in ("shared", *names, "sensitivity_median", "sensitivity_worst_of_all", "residual"):
        for level in summary["plan"]["levels"]:
            found = known.get(("recovered", level, steps, name))
            lines += [_line(name, found)] if found else []
    lines += [_verdict(v) for v in summary["plausibility"].get("verdicts", [])]
    lines += [f"absent: {name}, {why}" for name, why in summary["absent"].items()]
    if summary["steps"]:
        fewest = summary["steps"]["fewest"]
        lines.append(f"fewest steps that lose no more than their error: {fewest}")
    return lines


def _with_ratio(row: dict[str, Any], kind: str) -> str:
    digits = {"position": 1, "angle": 1}.get(kind, 3)
    ratio = _number(row[f"{kind}_ratio"], 2)
    return _number(row[kind], digits) + (f" ({ratio})" if ratio else "")


def _line(name: str, measure: dict[str, Any]) -> str:
    error = "" if measure["se"] is None else f" ± {measure['se']:.2g}"
    return f"{name}, level {measure['level']}: {measure['mean']:.3g}{error}"


def _verdict(values: dict[str, Any]) -> str:
    parts = [f"level {values['level']}, recovered against {values['against']}:"]
    if values["agreement"] is not None:
        low, high = values["agreement_low"], values["agreement_high"]
        parts.append(f"agreement {values['agreement']:+.3f} ({low:+.3f} to {high:+.3f}),")
    if values["ellipse"] is not None:
        low, high = values["ellipse_low"], values["ellipse_high"]
        parts.append(f"ellipse {values['ellipse']:+.3f} ({low:+.3f} to {high:+.3f}),")
    return " ".join([*parts, f"nearer to real ones in {values['nearer']} of {values['shapes']}"])


def _ellipse(measures: dict[Any, float], key: tuple[str, int, int]) -> float | None:
    """Ellipse agreement of the first wall with what it encloses, else of the first label."""
    found = {k[3]: v for k, v in measures.items() if k[:3] == key and k[3].startswith("ellipse")}
    walls = [v for k, v in found.items() if "+" in k]
    return next(iter([*walls, *found.values()]), None)


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _number(value: float | None, digits: int) -> str:
    return "" if value is None or not isfinite(value) else f"{value:.{digits}f}"


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return dict(_flattened(row))


def _flattened(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from ((f"{name}_{part}", v) for part, v in value.items())
        else:
            yield name, value


def _write(path: Path, rows: Sequence[dict[str, Any]], names: Sequence[str] = ()) -> None:
    if not rows:
        path.unlink(missing_ok=True)
        return
    columns = list(names) or list(dict.fromkeys(name for row in rows for name in row))
    write_csv(path, columns, ([row.get(name, "") for name in columns] for row in rows))
