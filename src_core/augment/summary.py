"""``summary.html``: how a run went, on one page without scripts, beside its contact sheet."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from src_core.augment.contact_sheet import SHEET
from src_core.augment.jobs import Line
from src_core.augment.label_spread import LabelSpread, VolumeTally
from src_core.augment.manifest import lines
from src_core.augment.population_report import population_html
from src_core.augment.products import CASES, Product
from src_core.augment.run_folder import FAILURES, INDEX, MANIFEST, run_file
from src_core.cases.synthetic import SYNTHETIC
from src_core.generation.verdict import fit_warning
from src_core.io import open_atomically
from src_core.io.json_text import parse_json

__all__ = ["SUMMARY", "save_summary"]

SUMMARY = "summary.html"
_BARS = 20
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em;
color-scheme:light dark}table{border-collapse:collapse;margin:1em 0}td,th{padding:.2em .8em;
text-align:right;border-bottom:1px solid #8884}td:first-child,th:first-child{text-align:left}
img{max-width:100%}svg{display:block;margin:.5em 0 1em}"""


@dataclass
class _Tally:
    """What the page reports, gathered line by line."""

    states: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    levels: list[float] = field(default_factory=list)
    reach: list[float] = field(default_factory=list)
    certified: int = 0
    unfit: set[str] = field(default_factory=set)
    smallest: float = math.inf
    cases: set[str] = field(default_factory=set)
    changes: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    volumes: VolumeTally = field(default_factory=VolumeTally)

    def add(self, line: Line) -> None:
        self.states[line["state"]] += 1
        self.refused.update(line["refused"])
        if line["state"] != "made":
            return
        metrics = line["metrics"]
        self.volumes.add(line)
        self.cases.add(line["case"])
        self.levels.append(metrics["level"])
        self.reach.append(metrics["max_mm"])
        if fit_warning(metrics):
            self.unfit.add(line["case"])
        self.certified += bool(metrics["certified"])
        self.smallest = min(self.smallest, metrics["min_det"])
        for label, change in metrics["label_volume_change"].items():
            self.changes[label].append(change)


def save_summary(out: Path, failed: int = 0, product: Product = CASES) -> Path:
    """Write a run's page from its manifest.

    Args:
        out: of the run.
        failed: how many are missing.
        product: what was made.
    """
    tally = _Tally()
    for line in lines(out):
        tally.add(line)
    spread = tally.volumes.spread() if product is CASES else None
    population = population_html(Path(out)) if product is CASES else ""
    path = Path(out) / SUMMARY
    sheet = (path.parent / SHEET).is_file()
    with open_atomically(path) as file:
        asked = _asked(path.parent, product)
        page = _page(tally, spread, failed, product.noun, asked, sheet, population)
        file.write(page.encode())
    return path


def _asked(out: Path, product: Product) -> str:
    """The request of the run in one line; nothing where its file cannot be read."""
    try:
        facts = parse_json((out / run_file(product)).read_text(encoding="utf-8"))
        words = [f"model {facts['model']}", f"levels {_range(facts['levels'])}"]
        words += [f"between {_range(facts['between'])}"] if "between" in facts else []
        return f"{facts['dataset']}: {', '.join(words)}, seed {facts['seed']}"
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _range(levels: list[int] | dict[str, float]) -> str:
    return ", ".join(levels) if isinstance(levels, dict) else " to ".join(map(str, levels))


def _page(
    tally: _Tally,
    spread: LabelSpread | None,
    failed: int,
    noun: str,
    asked: str,
    sheet: bool,
    population: str,
) -> str:
    made = tally.states["made"]
    counts = [(noun, made), ("made from", len(tally.cases)), ("failed", failed)]
    counts += [("rejected", tally.states["rejected"])]
    proof = f"{tally.certified} of {made} have no folds (says nothing about plausibility)"
    proof += f", smallest determinant {tally.smallest:.3f}" if made else ""
    parts = [
        f"<h1>{made} {noun}</h1>",
        f"<p><strong>{SYNTHETIC}</strong></p>",
        f"<p>{escape(asked)}.</p>" if asked else "",
        _table(("", "count"), counts),
        f"<p>{proof}.</p>",
        _unfit(tally),
        f"<p><strong>Warning: {escape(spread.warning)}.</strong></p>"
        if spread and spread.warning
        else "",
        f'<p><img src="{SHEET}" alt="some cases, each before what was made of it"></p>'
        if sheet
        else "",
        _bars("Level", tally.levels),
        _bars("Largest displacement, mm", tally.reach),
        _changes(tally),
        f"<p>Standard deviation of their sizes: {spread.text}.</p>" if spread else "",
        population,
        _seeds(tally.refused),
        f'<p>All of them: <a href="{INDEX}">{INDEX}</a>, <a href="{MANIFEST}">{MANIFEST}</a>'
        + (f'; failures: <a href="{FAILURES}">{FAILURES}</a>' if failed else "")
        + ".</p>",
    ]
    body = "\n".join(part for part in parts if part)
    head = f'<meta charset="utf-8"><title>{made} {noun}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en">{head}\n{body}\n</html>\n'


def _unfit(tally: _Tally) -> str:
    """The sources that may not fit the model, if any."""
    if not tally.unfit:
        return ""
    names = escape(", ".join(sorted(tally.unfit)))
    return f"<p><strong>Warning: these may not fit the model: {names}.</strong></p>"


def _changes(tally: _Tally) -> str:
    if not tally.changes:
        return ""
    rows = [
        (label, f"{sum(v) / len(v):+.1f} %", f"{min(v):+.1f} %", f"{max(v):+.1f} %")
        for label, v in sorted(tally.changes.items(), key=lambda item: int(item[0]))
    ]
    return "<h2>Volume of labels</h2>" + _table(("label", "mean", "least", "most"), rows)


def _seeds(refused: Counter[str]) -> str:
    if not refused:
        return ""
    return "<h2>Rejected seeds</h2>" + _table(("why", "seeds"), sorted(refused.items()))


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines_ = [_row("th", head), *(_row("td", row) for row in rows)]
    return f"<table>{''.join(lines_)}</table>"


def _row(tag: str, cells: Sequence[object]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"


def _bars(title: str, values: Sequence[float]) -> str:
    """A histogram of at most twenty bars."""
    if not values:
        return ""
    low, high = math.floor(min(values)), math.floor(max(values)) + 1
    width = max(1, math.ceil((high - low) / _BARS))
    counts = Counter(int((value - low) // width) for value in values)
    bars = range(math.ceil((high - low) / width))
    most = max(counts.values())
    drawn = "".join(
        f'<rect x="{24 * b}" y="{80 - 80 * counts[b] / most:.1f}" width="22" '
        f'height="{80 * counts[b] / most:.1f}" fill="#4f8df7">'
        f"<title>{low + b * width} to {low + (b + 1) * width}: {counts[b]}</title></rect>"
        for b in bars
    )
    text = f'<text y="96" font-size="12" fill="currentColor">{low}</text>'
    end = 24 * len(bars)
    text += (
        f'<text x="{end}" y="96" font-size="12" text-anchor="end" fill="currentColor">'
        f"{low + len(bars) * width}</text>"
    )
    svg = f'<svg width="{end}" height="100" role="img" aria-label="{escape(title)}">'
    return f"<h2>{escape(title)}</h2>{svg}{drawn}{text}</svg>"
