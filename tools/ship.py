"""Make a trained model ready to ship: half-precision weights, measured figures on its card.

    python tools/ship.py RUN/cardiac-sax.safetensors resources/cardiac-sax.safetensors
    drdm evaluate resources/cardiac-sax.safetensors DATASET --out FIGURES
    python tools/ship.py resources/cardiac-sax.safetensors resources/cardiac-sax.safetensors

The second call of it takes ``--evaluation FIGURES/evaluation.json --said "20 ACDC patients"``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from src_core.models.checkpoint import load_file, save_model

LIMIT = 4_000_000
LEVELS = (30, 48, 70, "30:70")


def main() -> None:
    """Write the model and say how large it is; more than 4 MB is an error."""
    options = _parser().parse_args()
    model = load_file(options.model, torch.device("cpu"))
    changes: dict[str, Any] = {}
    if options.evaluation:
        report = json.loads(options.evaluation.read_text(encoding="utf-8"))
        kept = {k: v for k, v in model.spec.card.figures.items() if k in ("samples", "images")}
        changes["figures"] = kept | {"measured on": options.said} | figures(report)
    if options.command:
        changes["command"] = options.command
    if options.data:
        changes["data"] = options.data
    if options.citation:
        changes["citation"] = options.citation
    card = model.spec.card.model_copy(update=changes)
    settings = ("steps", "redundancy", "variety", "stretch")
    given = {name: value for name in settings if (value := getattr(options, name)) is not None}
    recovery = model.spec.recovery.model_copy(update=given)
    spec = model.spec.model_copy(update={"card": card, "recovery": recovery})
    path = save_model(options.out, spec, model.network, torch.float16, model.statistics)
    print(f"{path} {path.stat().st_size} bytes")
    if path.stat().st_size > LIMIT:
        raise SystemExit(f"{path} is larger than {LIMIT} bytes")


def figures(report: dict[str, Any]) -> dict[str, str]:
    """The lines of a card: what recovery removed, how round walls are, drift, folds."""
    found = {(m["row"], m["level"], m["measure"]): m["mean"] for m in report["measures"]}
    rows = {(r["row"], r["level"]): r for r in report["plausibility"]["rows"]}
    told = {}
    for level in (n for n in LEVELS if ("recovered", n) in rows):
        names = ("recovered", "no network", "random")
        shown = {name: rows[name, level] for name in names if (name, level) in rows}
        if ("recovered", level, "removed") in found:
            told[f"removed energy, level {level}"] = f"{found['recovered', level, 'removed']:.1%}"
        for key, name in (("agreement", "agreement of a segmenter"), ("shapes", "shape distance")):
            values = [_value(row, key) for row in shown.values()]
            if None not in values:
                parts = [f"{n} {v:.3f}" for n, v in zip(shown, values, strict=True)]
                told[f"{name}, level {level}"] = ", ".join(parts)
        told[f"strict folds before the guard, level {level}"] = (
            f"{found['recovered', level, 'strict']:.3f} permille"
        )
    told |= _coverage(report.get("coverage", {}))
    drift = [v for (row, _, name), v in found.items() if (row, name) == ("drift", "drift")]
    return {**told, "drift from level 70": f"{drift[0]:.2f} % of the side"} if drift else told


def _coverage(report: dict[str, Any]) -> dict[str, str]:
    """Spread over seeds of the recovered row, beside that between real subjects."""
    kinds = {"log": "{:.3f}", "mm": "{:.1f} mm", "deg": "{:.1f} degrees"}
    lines = {}
    for row in report.get("spread", []):
        if row["row"] == "recovered" and row["unit"] in kinds and row["real"]:
            value, form = row["within_source"], kinds[row["unit"]]
            lines[f"spread of {row['measure']}, level {row['level']}"] = (
                f"{form.format(value)}, between subjects {form.format(row['real'])}"
            )
    for row in report.get("manifold", []):
        if row["row"] == "recovered":
            lines[f"precision and recall of shapes, level {row['level']}"] = (
                f"{row['precision']:.2f} and {row['recall']:.2f}"
            )
    return lines


def _value(row: dict[str, Any], key: str) -> float | None:
    return row["distances"]["all shapes"] if key == "shapes" else row["agreement"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--evaluation", type=Path, help="evaluation.json")
    parser.add_argument("--said", default="", help="what the evaluation was run on")
    parser.add_argument("--command", default="", help="what made the model, all stages")
    parser.add_argument("--citation", default="")
    parser.add_argument("--steps", type=int, help="the default number of jumps")
    parser.add_argument("--redundancy", type=float)
    parser.add_argument("--variety", type=float, help="0 to 1, of models with organs")
    parser.add_argument("--stretch", type=float, help="0 to 1, share that is left")
    parser.add_argument("--data", default="", help="what it was trained on")
    return parser


if __name__ == "__main__":
    main()
