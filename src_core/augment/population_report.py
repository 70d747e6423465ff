"""Wanted, got and real distributions of the shapes of a run, and how far they are apart.

A distance is Wasserstein's between the logarithms of a measure: 0.1 is about 10 % in size.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import wasserstein_distance

from src_core.augment.cohort import COHORT
from src_core.augment.jobs import Line
from src_core.augment.manifest import lines
from src_core.io.case_files import write_json
from src_core.io.json_text import parse_json

__all__ = ["POPULATION", "PopulationTally", "population_html", "population_of_run"]

POPULATION = "population.json"
#: Distributions of the page: name, colour, and whether it is filled.
_SHOWN = (("real", "#999999"), ("wanted", "#e69f00"), ("new", "#0072b2"), ("plain", "#d55e00"))
_WORDS = {
    "real": "the other data set",
    "wanted": "wanted",
    "new": "new cases",
    "plain": "the same seeds without targets",
    "source": "sources",
}
_WIDTH, _HEIGHT, _BARS = 480, 90, 24


@dataclass
class PopulationTally:
    """Measures of a run's new cases, gathered line by line of a manifest."""

    values: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    limited: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wanted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    within: dict[str, float] = field(default_factory=dict)
    outcomes: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, out: Path) -> PopulationTally:
        """Of the manifest of a run."""
        tally = cls()
        for line in lines(Path(out)):
            tally.add(line)
        return tally

    def add(self, line: Line) -> None:
        """One line; measures are known of those with a population."""
        if line["state"] != "made":
            return
        self.outcomes += line["metrics"].get("targets", [])
        found = line.get("population")
        if not found:
            return
        self.within[line["case"]] = found["within_reach"]
        for measure, value in found["wanted"].items():
            self.values[measure]["wanted"].append(value)
            self.wanted[measure] += 1
            self.limited[measure] += measure in found["limited"]
        for name, shapes in found["shapes"].items():
            for measure, value in shapes.items():
                if value:
                    self.values[measure][name].append(value)


def population_of_run(out: Path) -> dict[str, Any]:
    """What is reported of a run's targets, and kept as ``population.json``; empty without any.

    ``measures`` has for each measure the number of new cases, the share whose draw the source
    limited, and distances of new cases, plain seeds and sources to the real ones; ``targets`` and
    ``targets_within`` the number of targets and the share that was reached.
    """
    return _report(PopulationTally.of(out), _real(Path(out)), Path(out))


def population_html(out: Path) -> str:
    """A section of the page about the run; empty without a population."""
    tally, real = PopulationTally.of(out), _real(Path(out))
    report = _report(tally, real, Path(out))
    if not report:
        return ""
    heading = "Population" if report["measures"] else "Targets"
    parts = [f"<h2>{heading}</h2>", f"<p>{escape(_reached(report))}</p>"]
    parts += [_table(report)] if report["measures"] else []
    for name in report["measures"]:
        parts.append(_histogram(name, {**tally.values[name], "real": real.get(name, [])}))
    return "\n".join(parts)


def _report(tally: PopulationTally, real: Mapping[str, list[float]], out: Path) -> dict[str, Any]:
    if not tally.values and not tally.outcomes:
        return {}
    report = {
        "measures": {name: _measure(name, tally, real) for name in sorted(tally.values)},
        "targets": len(tally.outcomes),
        "targets_within": _share([bool(o["within"]) for o in tally.outcomes]),
        "within_reach": tally.within,
    }
    write_json(out / POPULATION, report)
    return report


def _measure(name: str, tally: PopulationTally, real: Mapping[str, list[float]]) -> dict[str, Any]:
    values, others = tally.values[name], real.get(name, [])
    found: dict[str, Any] = {"new_cases": len(values["new"])}
    if tally.wanted[name]:
        found["limited"] = tally.limited[name] / tally.wanted[name]
        found["to_wanted"] = _distance(values["new"], values["wanted"])
    if others:
        found["real_cases"] = len(others)
        for group in ("new", "plain", "source"):
            if values[group]:
                found[f"{group}_to_real"] = _distance(values[group], others)
    return found


def _real(out: Path) -> dict[str, list[float]]:
    """Measures of the cohort's cases, those that are known."""
    path = out / COHORT
    if not path.is_file():
        return {}
    known = parse_json(path.read_text(encoding="utf-8"))
    columns = zip(*known["values"], strict=True)
    return {
        name: [v for v in column if v]
        for name, column in zip(known["measures"], columns, strict=True)
    }


def _distance(first: Sequence[float], second: Sequence[float]) -> float | None:
    if not first or not second:
        return None
    return float(wasserstein_distance(np.log(first), np.log(second)))


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _reached(report: Mapping[str, Any]) -> str:
    within, count = report["targets_within"], report["targets"]
    text = f"{100 * within:.0f} % of {count} targets are within their tolerances." if count else ""
    shares = list(report["within_reach"].values())
    if shares and min(shares) < 1:
        text += (
            f" A source can reach {100 * sum(shares) / len(shares):.0f} % of the real cases on "
            "average; what it cannot reach was not drawn."
        )
    return text.strip()


def _table(report: Mapping[str, Any]) -> str:
    heads = ("measure", "new cases", "limited by the source", "distance to wanted",
             "new to real", "plain seeds to real", "sources to real")  # fmt: skip
    rows = [
        (
            name,
            str(m["new_cases"]),
            "" if m.get("limited") is None else f"{100 * m['limited']:.0f} %",
            *(_three(m.get(k)) for k in
              ("to_wanted", "new_to_real", "plain_to_real", "source_to_real")),
        )
        for name, m in report["measures"].items()
    ]  # fmt: skip
    cells = [_row("th", heads), *(_row("td", row) for row in rows)]
    return f"<table>{''.join(cells)}</table>"


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _three(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _histogram(name: str, groups: Mapping[str, Sequence[float]]) -> str:
    """Shares of the cases in bars of equal factors, a line for each distribution."""
    shown = [(g, colour, np.log(groups[g])) for g, colour in _SHOWN if groups.get(g)]
    if not shown:
        return ""
    every = np.concatenate([logs for _, _, logs in shown])
    low, high = float(every.min()), float(every.max())
    edges = np.linspace(low, max(high, low + 1e-6), _BARS + 1)
    shares = [np.histogram(logs, edges)[0] / len(logs) for _, _, logs in shown]
    most = max(float(s.max()) for s in shares)
    drawn = "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{_steps(s / most)}">'
        f"<title>{_WORDS[group]}</title></polyline>"
        for (group, colour, _), s in zip(shown, shares, strict=True)
    )
    ends = "".join(
        f'<text x="{x}" y="{_HEIGHT + 14}" font-size="12" text-anchor="{side}" '
        f'fill="currentColor">{math.exp(value):.3g}</text>'
        for x, side, value in ((0, "start", low), (_WIDTH, "end", high))
    )
    legend = ", ".join(
        f'<span style="color:{colour}">{_WORDS[group]}</span>' for group, colour, _ in shown
    )
    svg = f'<svg width="{_WIDTH}" height="{_HEIGHT + 18}" role="img" aria-label="{escape(name)}">'
    return f"<h3>{escape(name)}</h3><p>{legend}</p>{svg}{drawn}{ends}</svg>"


def _steps(shares: Any) -> str:
    width = _WIDTH / len(shares)
    points = []
    for i, share in enumerate(shares):
        y = _HEIGHT - (_HEIGHT - 4) * float(share)
        points += [f"{i * width:.0f},{y:.1f}", f"{(i + 1) * width:.0f},{y:.1f}"]
    return " ".join(points)
