"""``drdm evaluate``: Table 1 of the paper and more, with rows that need no network."""

from __future__ import annotations

from src_core.cli.report import print_json, tell
from src_core.cli.requests import follow, request_verb
from src_core.evaluation.options import EvaluationRequest

__all__ = ["HELP", "evaluate"]

HELP = """Measure a model: folding, removed energy, drift, stability, plausibility of shapes.

Example: drdm evaluate cardiac-sax acdc.csv --cases 20 --out figures
"""


def _evaluate(request: EvaluationRequest, json: bool) -> None:
    from src_core.evaluation.prepare import prepare
    from src_core.evaluation.run import run
    from src_core.evaluation.tables import shown_coverage, shown_law, shown_measures, shown_table

    prepared = prepare(request)
    for line in prepared.notes:
        tell(f"note: {line}")
    follow(run(prepared))
    report = prepared.report
    if json:
        print_json(report)
        return
    lines = [*shown_table(report), *shown_coverage(report), *shown_law(report)]
    for line in (*lines, *shown_measures(report), f"written to {request.out}"):
        print(line)


evaluate = request_verb(EvaluationRequest, ("model", "dataset"), _evaluate)
