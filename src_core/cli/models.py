"""``drdm models``: which there are, what they are, adding and removing one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from src_core.cli.options import group, with_options
from src_core.cli.report import print_json, show_table, tell
from src_core.models.options import ImportOptions

__all__ = ["models"]

models = typer.Typer(
    help="Trained models: list, info, import, remove, add-fit, fit.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
_EXAMPLES = "Example: "


@models.command("list", epilog=_EXAMPLES + "drdm models list")
def list_(json: _Json = False) -> None:
    """The models that ship and those you imported."""
    from src_core.models.library import list_models, user_folder

    entries = list_models()
    if json:
        print_json({"models": [_facts(e) for e in entries], "folder": str(user_folder())})
        return
    rows = [
        [
            e.name,
            f"{e.spec.ndim}D",
            str(e.spec.size),
            e.spec.card.licence,
            e.spec.card.title,
            "ships" if e.shipped else str(e.path),
        ]
        for e in entries
    ]
    show_table("models", ["name", "dim", "grid", "licence", "what", "where"], rows)


@models.command(epilog=_EXAMPLES + "drdm models info cardiac-sax --json")
def info(
    name: Annotated[str, typer.Argument(help="Name, or a model file.")], json: _Json = False
) -> None:
    """A model's card: data, licence, figures, limits, and the command that made it."""
    from src_core.models.checkpoint import file_digest, read_spec
    from src_core.models.library import find_model

    path = find_model(name)
    spec = read_spec(path)
    facts = {**spec.model_dump(mode="json"), "file": str(path), "sha256": file_digest(path)}
    if json:
        print_json(facts)
        return
    card = spec.card
    lines = {
        "name": spec.name,
        "what": card.title,
        "trained on": card.data,
        "licence": card.licence,
        "limits": card.limits,
        "made by": card.command,
        "started from": card.start,
        "teacher": card.teacher,
        "cite": card.citation,
        "grid": f"{spec.size} in {spec.ndim}D, {spec.network.kind}, {spec.schedule.levels} levels",
        "mm per pixel": _range(spec.mm_per_pixel),
        "organs": ", ".join(organ.name for organ in spec.organs),
        "variety": f"{spec.recovery.variety:g}" if spec.organs else "",
        "file": f"{path} (sha256 {facts['sha256'][:16]}...)",
        **{f"figure: {k}": str(v) for k, v in card.figures.items()},
    }
    for key, value in lines.items():
        if value:
            print(f"{key:14} {value}")


@models.command("import", epilog=_EXAMPLES + "drdm models import 000000_cmr_recresacnet.pth")
@with_options(options=group(ImportOptions))
def import_(
    file: Annotated[Path, typer.Argument(help="A .safetensors model, or the published .pth.")],
    options: dict[str, Any],
) -> None:
    """Add a model to your own. Nothing in a .pth file is executed."""
    from src_core.models.library import import_model

    entry = import_model(file, **options)
    print(f"imported {entry.name}: {entry.path}")


@models.command(epilog=_EXAMPLES + "drdm models remove release-cardiac")
def remove(name: Annotated[str, typer.Argument(help="A model that you imported.")]) -> None:
    """Delete one of your own models."""
    from src_core.models.library import remove_model

    print(f"removed {remove_model(name)}")


@models.command("add-fit", epilog=_EXAMPLES + "drdm models add-fit my-heart scans.csv")
def add_fit(
    name: Annotated[str, typer.Argument(help="Name, or a model file.")],
    dataset: Annotated[Path, typer.Argument(help="What it was trained on: a folder or a CSV.")],
    out: Annotated[
        Path | None, typer.Option(help="Another file to write; the model's own without.")
    ] = None,
) -> None:
    """Add statistics of a model's training images to its file, which tell what images fit it.

    Weights, spec and SHA-256 of the model stay as they are.
    """
    from src_core.models.checkpoint import add_statistics
    from src_core.models.library import find_model, load_model
    from src_core.training.fit_statistics import make_fit_statistics

    model = load_model(name, "cpu")
    path = find_model(name)
    found = make_fit_statistics(dataset, model, tell)
    print(f"added statistics: {add_statistics(path, found, out or path)}")


@models.command("fit", epilog=_EXAMPLES + "drdm models fit cardiac-sax images.csv")
def fit(
    name: Annotated[str, typer.Argument(help="Name, or a model file.")],
    images: Annotated[Path, typer.Argument(help="A CSV: image, kind, fits (yes, no, neither).")],
    json: _Json = False,
) -> None:
    """How well a model tells images that fit it from others: AUROC and rates for each kind."""
    from src_core.cli.requests import follow
    from src_core.evaluation.fit_table import fit_report, measure_kinds, read_kinds
    from src_core.models.library import load_model

    model, kinds = load_model(name, "cpu"), read_kinds(images)
    follow(measure_kinds(model, kinds))
    rows = fit_report(kinds)
    if json:
        print_json({"model": model.spec.name, "kinds": rows})
        return
    shown = ("doubtful_or_worse", "does_not_fit", "median_score")
    known = [kind.name for kind in kinds if kind.fits == "yes"]
    columns = ["kind", "fits", "images", *(f"AUROC, {name}" for name in known)]
    cells = [
        [row["kind"], row["fits"], str(row["images"])]
        + [_cell(row["auroc"].get(name)) for name in known]
        + [_cell(row[key]) for key in shown]
        for row in rows
    ]
    show_table(model.spec.name, columns + [key.replace("_", " ") for key in shown], cells)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _facts(entry: Any) -> dict[str, Any]:
    return {
        "name": entry.name,
        "ndim": entry.spec.ndim,
        "size": entry.spec.size,
        "licence": entry.spec.card.licence,
        "title": entry.spec.card.title,
        "shipped": entry.shipped,
        "file": str(entry.path),
    }


def _range(scales: tuple[float, float] | None) -> str:
    return f"{scales[0]:.2f} to {scales[1]:.2f}" if scales else "unknown"
