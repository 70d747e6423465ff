"""The verbs of ``drdm``. Each imports what it needs when it runs, so that help is quick."""

from __future__ import annotations

import typer

from src_core.cli import (
    apply,
    augment,
    evaluate,
    gallery,
    generate,
    models,
    pairs,
    pictures,
    replay,
    task,
    train,
)

__all__ = ["app"]

app = typer.Typer(
    name="drdm",
    help="New, plausible anatomies of one subject by deformation-recovery diffusion models.",
    epilog="--debug on any verb shows tracebacks. Exit codes: 0 done, 1 failed or the bits differ, "
    "2 wrong input, 130 cancelled.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

for verb in (generate.demo, generate.generate, replay.replay, apply.apply):
    app.command()(verb)
for verb in (gallery.gallery, pictures.report, pictures.movie):
    app.command()(verb)
for verb in (augment.augment, pairs.pairs, train.train):
    app.command()(verb)
app.command("evaluate", help=evaluate.HELP)(evaluate.evaluate)
app.add_typer(task.task, name="task")
app.add_typer(models.models, name="models")


@app.callback(invoke_without_command=True)
def root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    """New, plausible anatomies of one subject by deformation-recovery diffusion models."""
    if version:
        from importlib.metadata import version as installed

        print(installed("napari-drdm"))
        raise typer.Exit
