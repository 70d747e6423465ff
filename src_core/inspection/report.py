"""One result on one page that needs no other file: pictures, numbers, recipe and model card."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from src_core.cases.synthetic import SYNTHETIC
from src_core.drawing.maps import ARROWS_SENTENCE, JACOBIAN_SENTENCE
from src_core.drawing.pages import html_page, html_picture, html_table, save_page
from src_core.drawing.planes import length_unit, orientation_text
from src_core.drawing.strips import PlaneStrip
from src_core.inspection.case_figure import CaseResult, case_figure, figure_bytes
from src_core.inspection.film_steps import strip_of
from src_core.inspection.label_table import label_rows
from src_core.inspection.options import PlaneOptions
from src_core.models.checkpoint import read_spec
from src_core.models.library import list_models
from src_core.models.model import Card

__all__ = ["CardFound", "find_card", "report_page", "save_report"]

#: Pixels of a plane's longest side in the pictures of intensities.
_SIDE = 800


@dataclass(frozen=True)
class CardFound:
    """What is known of the model that made a result; no card where its file was not found."""

    name: str
    sha256: str
    card: Card | None


def find_card(recipe: Mapping[str, Any]) -> CardFound:
    """The card of the very file that a recipe names."""
    from src_core.io.hashing import sha256_file

    wanted = recipe["model"]
    files = [Path(wanted["file"])] if wanted["file"] else []
    files += [entry.path for entry in list_models() if entry.name == wanted["name"]]
    for file in files:
        if file.is_file() and sha256_file(file) == wanted["sha256"]:
            return CardFound(wanted["name"], wanted["sha256"], read_spec(file).card)
    return CardFound(wanted["name"], wanted["sha256"], None)


def save_report(
    result: CaseResult,
    path: Path,
    options: PlaneOptions | None = None,
    names: Mapping[int, str] | None = None,
    changed: Sequence[str] = (),
) -> Path:
    """Write the page of a result, whole or not at all.

    Args:
        result: that is reported.
        path: of the page, ``.html``.
        options: which planes are shown.
        names: of labels, by value.
        changed: names of arrays that are not what the recipe recorded.

    Raises:
        InputError: there are no such planes, or the file cannot be written.
    """
    strip = strip_of(result.source, options or PlaneOptions(), _SIDE)
    return save_page(path, report_page(result, strip, find_card(result.recipe), names, changed))


def report_page(
    result: CaseResult,
    strip: PlaneStrip,
    model: CardFound,
    names: Mapping[int, str] | None = None,
    changed: Sequence[str] = (),
) -> str:
    """The page, as HTML."""
    m, name = result.metrics, result.source.name
    title = f"{name}: level {m['level']}, seed {m['seed']}"
    figure = case_figure(result, strip, 4 if len(strip.planes) > 1 else 2)
    picture = html_picture(
        figure_bytes(figure, SYNTHETIC),
        "Source, new image, displacement, Jacobian determinant",
        960,
    )
    sentences = (
        ARROWS_SENTENCE,
        JACOBIAN_SENTENCE,
        _planes_text(strip),
        orientation_text(strip.source),
    )
    labels = label_rows(result.source, m, names or {}, strip.colours)
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="notice">{SYNTHETIC}</p>',
        f"<p>A new anatomy of <b>{escape(name)}</b>, made by napari-drdm with the model "
        f"<b>{escape(model.name)}</b>.</p>",
        *_warnings(m, changed),
        picture,
        *(f'<p class="quiet">{escape(sentence)}</p>' for sentence in sentences),
        '<div class="columns"><div>',
        "<h2>Numbers</h2>",
        html_table(("measure", "value"), [*map(_escaped, _numbers(m, length_unit(result.source)))]),
        "</div><div>",
        *(["<h2>Labels</h2>", labels] if labels else []),
        "</div></div>",
        "<h2>Model</h2>",
        html_table((), [*map(_escaped, _model_rows(model))]),
        "<h2>Recipe</h2>",
        '<p class="quiet">Saved as recipe.json; <code>drdm replay recipe.json</code> makes this '
        "result again and compares the bits.</p>",
        f"<pre>{escape(_recipe_text(result.recipe))}</pre>",
    ]
    return html_page(f"DRDM report: {title}", body)


def _recipe_text(recipe: Mapping[str, Any]) -> str:
    """JSON with each list of numbers on one line."""
    text = json.dumps(recipe, indent=2)
    return re.sub(r"\[\s+([^][{}\"]*?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", text)


def _planes_text(strip: PlaneStrip) -> str:
    where = ", ".join(f"{'xyz'[p.axis]} = {p.index}" for p in strip.planes)
    whole = all(
        strip.source.grid.shape[a] == last - first
        for plane in strip.planes
        for a, (first, last) in zip((plane.across, plane.down), plane.box, strict=True)
    )
    word = "Slice" if len(strip.planes) == 1 else "Planes"
    return f"{word} {where} (voxels){'' if whole else ', around the labels'}."


def _warnings(m: Mapping[str, Any], changed: Sequence[str]) -> Iterator[str]:
    lines = []
    if not m.get("certified", True):
        lines.append("Not certified: the map may fold.")
    if m.get("labels_lost"):
        lines.append(f"Labels lost: {', '.join(map(str, m['labels_lost']))}.")
    if changed:
        lines.append(f"Changed since the result was made: {', '.join(changed)}.")
    for line in lines:
        yield f'<p class="warning">{escape(line)}</p>'


def _numbers(m: Mapping[str, Any], unit: str) -> Iterator[tuple[str, str]]:
    yield "level, seed, steps", f"{m['level']}, {m['seed']}, {m['steps']}"
    for which in ("max", "mean"):
        percent = m.get(f"{which}_percent")
        share = "" if percent is None else f" ({percent:.1f} % of the longer side)"
        yield f"{which} displacement", f"{m[f'{which}_mm']:.2f} {unit}{share}"
    yield "smallest det J (a bound)", f"{m['min_det']:.3f}"
    proof = "no folds (says nothing about plausibility)" if m["certified"] else "not certified"
    yield "certificate", proof
    yield "cells without certificate", f"{m['strict_folding_permille']:.3g} ‰"
    yield "guard (1: nothing was taken back)", f"{m['guard_scale']:.3f}"
    if m.get("inverse_error_voxels") is not None:
        yield "error of the inverse, 99th percentile", f"{m['inverse_error_voxels']:.1e} voxel"
    for target in m.get("targets", ()):
        reached = "reached" if target["within"] else "not reached"
        yield (
            f"target {target['target']}",
            f"asked {target['asked']:.4g}, got {target['got']:.4g} {target['unit']}, {reached}",
        )
    yield "computed on", f"{m['device']}, {m['seconds']:.1f} s" if "seconds" in m else m["device"]


def _model_rows(model: CardFound) -> Iterator[tuple[str, str]]:
    yield "name", model.name
    if model.card is None:
        yield "card", "not found: the model's file is not here, or has changed"
    else:
        card = model.card
        facts = {"what": card.title, "licence": card.licence, "trained on": card.data,
                 "limits": card.limits, "cite": card.citation}  # fmt: skip
        yield from ((name, text) for name, text in facts.items() if text)
    yield "SHA-256", model.sha256[:16] + "…"


def _escaped(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(escape, cells))
