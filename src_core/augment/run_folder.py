"""The folder of a run: its facts (``augment.json`` or ``pairs.json``), and its index."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from src_core.augment.jobs import Line
from src_core.augment.layouts import remove_partial
from src_core.augment.lock import locked
from src_core.augment.plan import Plan
from src_core.augment.products import Product
from src_core.datasets.run_folder import INDEX, MANIFEST
from src_core.errors import InputError, OptionName, Phrase
from src_core.io.case_files import write_json
from src_core.io.json_text import parse_json

__all__ = [
    "FAILURES",
    "INDEX",
    "MANIFEST",
    "MAY_CHANGE",
    "columns",
    "differing_facts",
    "make_folder",
    "opened_folder",
    "read_index",
    "row_of",
    "run_file",
]

FAILURES = "failures.csv"
#: Options that may differ when a run goes on.
MAY_CHANGE = Phrase(
    OptionName("per_case"),
    ", ",
    OptionName("workers"),
    ", ",
    OptionName("device"),
    " and ",
    OptionName("with_sources"),
    " may change",
)
_VERSION = 3
#: Facts that are written only where they are asked for.
_OPTIONAL_FACTS = ("spread", "like")
_FACTS = ("name", "subject", "split", "source", "source_labels")


def run_file(product: Product) -> str:
    """The file of a run's facts: ``augment.json`` or ``pairs.json``."""
    return f"{product.name}.json"


def columns(product: Product) -> tuple[str, ...]:
    """Of a run's index."""
    return (*product.files, *_FACTS, *product.numbers)


@contextmanager
def opened_folder(plan: Plan) -> Iterator[None]:
    """A run's folder, made, or found to be of the same run, and locked against others meanwhile.

    Raises:
        InputError: it is not empty (without resume), of another run, in use by one, or it
            cannot be written.
    """
    out = Path(plan.request.out)
    if out.exists() and not out.is_dir():
        raise InputError("this is a file", where=str(out), expected="a folder")
    product = plan.request.product
    resumed = plan.request.resume and (out / run_file(product)).is_file()
    if not resumed:
        make_folder(out)
    with locked(out):
        if resumed:
            _same_run(plan)
            remove_partial(out)
        facts = {product.name: _VERSION, **plan.facts, "per_case": plan.request.per_case}
        write_json(out / run_file(product), facts)
        yield


def differing_facts(plan: Plan) -> tuple[str, ...]:
    """Names of the facts in which the run in the folder differs from the plan; none without a run.

    A run that cannot be read differs in "everything".
    """
    path = Path(plan.request.out) / run_file(plan.request.product)
    try:
        found = parse_json(path.read_text(encoding="utf-8"))
        names = dict.fromkeys([*plan.facts, *_OPTIONAL_FACTS])
        return tuple(name for name in names if found.get(name) != plan.facts.get(name))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, AttributeError):
        return ("everything",)


def row_of(line: Line, plan: Plan) -> dict[str, Any]:
    """A row of the index for a line of the manifest."""
    request, metrics = plan.request, line["metrics"]
    layout = request.product.layouts[request.formats[0]]
    files = layout.files(line["name"], bool(line["source_labels"]), plan.style)
    joined = {name: " ".join(map(str, metrics[name])) for name in ("labels_lost", "labels_split")}
    return {
        **{name: metrics.get(name, "") for name in request.product.numbers},
        **joined,
        **{name: files.get(name, "") for name in request.product.files},
        **{name: line[name] for name in _FACTS},
    }


def read_index(out: Path) -> list[dict[str, str]]:
    """Rows of a run's index; none where there is no index yet."""
    path = Path(out) / INDEX
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def make_folder(out: Path) -> None:
    """The folder of a new run.

    Raises:
        InputError: it has content, or cannot be made.
    """
    if out.is_dir() and any(out.iterdir()):
        raise InputError(
            "the folder is not empty",
            where=str(out),
            expected="an absent or empty folder",
            do=Phrase(
                "choose another, or go on with the run in it by ", OptionName("resume", True)
            ),
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder cannot be made ({error.strerror or error})",
            where=str(out),
            do="choose another folder",
        ) from error


def _same_run(plan: Plan) -> None:
    if different := differing_facts(plan):
        raise InputError(
            f"the run in the folder differs in {', '.join(different).replace('_', ' ')}",
            where=str(plan.request.out),
            expected=Phrase("the same options; ", MAY_CHANGE),
            do="repeat it, or choose another folder",
        )
