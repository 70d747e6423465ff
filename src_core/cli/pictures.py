"""``drdm movie`` and ``report``: pictures of a result that was saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from src_core.cli.options import group, with_options
from src_core.cli.parameters import Labels
from src_core.cli.report import progress, tell
from src_core.errors import InputError, OptionName, Phrase
from src_core.inspection.options import FilmOptions, PlaneOptions
from src_core.io.options import FileOptions

if TYPE_CHECKING:
    from src_core.inspection.film_steps import FilmStep

__all__ = ["movie", "report"]

_Result = Annotated[
    Path, typer.Argument(help="Folder of a result, or the recipe.json in it.", metavar="RESULT")
]
_Moved = Annotated[
    list[Path] | None, typer.Option("--image", help="The image, if it has moved; may be repeated.")
]
_FilmFile = Annotated[
    Path | None,
    typer.Option("--out", help="File to write, .gif or .mp4.", show_default="RESULT/KIND.gif"),
]
_PageFile = Annotated[
    Path | None, typer.Option("--out", help="Page to write.", show_default="RESULT/report.html")
]


@with_options(
    chosen=group(FilmOptions),
    planes=group(PlaneOptions),
    files=group(FileOptions, "overwrite"),
)
def movie(
    result: _Result,
    chosen: dict[str, Any],
    planes: dict[str, Any],
    files: dict[str, Any],
    image: _Moved = None,
    labels: Labels = None,
    out: _FilmFile = None,
) -> None:
    """A film of a result: its recovery, a sweep over levels, source against result, a cine.

    Recovery and levels are computed again, by the recipe's model; MP4 needs the extra video.

    Example: drdm movie new --kind recovery --out recovery.gif
    """
    from src_core.drawing.animation import check_film_file
    from src_core.inspection.film_steps import film_of
    from src_core.recipes.stored import recipe_file

    wanted, shown = FilmOptions(**chosen), PlaneOptions(**planes)
    path = out or recipe_file(result).parent / f"{wanted.kind}.gif"
    check_film_file(path)
    _refuse_to_replace(path, **files)
    make = _computed if wanted.kind in ("recovery", "levels") else _of_files
    with progress("film") as advance:
        for step in film_of(make(result, wanted, shown, image, labels), path, wanted.fps):
            advance(step.done, step.total, step.words)
    print(f"written to {path}")


@with_options(planes=group(PlaneOptions), files=group(FileOptions, "overwrite"))
def report(
    result: _Result,
    planes: dict[str, Any],
    files: dict[str, Any],
    image: _Moved = None,
    labels: Labels = None,
    out: _PageFile = None,
) -> None:
    """One page on a result: pictures, numbers, labels, model card, recipe; one file of HTML.

    Example: drdm report new --out report.html
    """
    from src_core.inspection.report import save_report
    from src_core.recipes.stored import read_result, recipe_file

    path = out or recipe_file(result).parent / "report.html"
    _refuse_to_replace(path, **files)
    stored = read_result(result, images=image, labels=labels)
    save_report(stored, path, PlaneOptions(**planes), changed=stored.changed)
    if stored.changed:
        tell(f"warning: changed since the result was made: {', '.join(stored.changed)}")
    print(f"written to {path}")


def _computed(
    result: Path,
    wanted: FilmOptions,
    shown: PlaneOptions,
    images: list[Path] | None,
    labels: list[Path] | None,
) -> Iterator[FilmStep]:
    """Films for which the recovery runs again."""
    from src_core.generation import Session
    from src_core.inspection.film_steps import strip_of
    from src_core.inspection.films import level_film, recovery_film
    from src_core.recipes.replay import prepare
    from src_core.recipes.stored import recipe_file

    plan = prepare(recipe_file(result), images=images, labels=labels)
    options = plan.options
    if options.pose is not None or options.intensity is not None:
        tell("note: the film shows the deformation alone, without pose and changes of intensities")
    session = Session(plan.case, plan.model, options.slices, options.region, options.guide)
    make = recovery_film if wanted.kind == "recovery" else level_film
    yield from make(session, options, strip_of(plan.case, shown, wanted.side))


def _of_files(
    result: Path,
    wanted: FilmOptions,
    shown: PlaneOptions,
    images: list[Path] | None,
    labels: list[Path] | None,
) -> Iterator[FilmStep]:
    """Films that show saved images alone."""
    from src_core.inspection.film_steps import strip_of
    from src_core.inspection.films import cine_film, comparison_film
    from src_core.recipes.stored import read_images

    source, new, recipe = read_images(result, images=images, labels=labels)
    strip, made = strip_of(source, shown, wanted.side), recipe["options"]
    title = f"{source.name}: level {made['level']}, seed {made['seed']}"
    if wanted.kind == "cine":
        yield from cine_film(source, new, strip, title)
    else:
        yield from comparison_film(source, new, strip, title, wipe=wanted.kind == "wipe")


def _refuse_to_replace(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise InputError(
            "the file exists already",
            where=str(path),
            expected="a name not in use",
            do=Phrase("choose another, or use ", OptionName("overwrite", True)),
        )
