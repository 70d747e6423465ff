"""Films and galleries computed for the window, as generators of steps; nothing here raises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_drdm.layers.cases import make_case
from napari_drdm.runs.compute import failure
from napari_drdm.runs.devices import resolved
from napari_drdm.runs.requests import RunOutcome, RunRequest

if TYPE_CHECKING:
    from src_core.inspection.film_steps import FilmStep
    from src_core.inspection.gallery import GalleryStep
    from src_core.inspection.options import FilmOptions, GalleryOptions
    from src_core.inspection.trajectory import Trajectory
    from src_core.models.model import Model

__all__ = ["film_work", "gallery_work", "without_raising"]


def without_raising(work: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """In a worker: its values; an error becomes a last one, a Failure."""
    try:
        yield from work()
    except Exception as error:
        yield failure(error)


def film_work(
    outcome: RunOutcome, trace: Trajectory | None, options: FilmOptions, path: Path
) -> Iterator[FilmStep]:
    """A film of a result; ``trace`` are the steps of its run, where they are still kept."""
    from src_core.inspection.film_steps import film_of, strip_of
    from src_core.inspection.options import PlaneOptions

    strip = strip_of(outcome.result.source, PlaneOptions(), options.side)
    yield from film_of(_film_steps(outcome, trace, options.kind, strip), path, options.fps)


def gallery_work(
    request: RunRequest, options: GalleryOptions, path: Path, overwrite: bool
) -> Iterator[GalleryStep]:
    """A gallery of a request's image, as its form stands but for level and seed."""
    from src_core.inspection.film_steps import strip_of
    from src_core.inspection.gallery import Gallery, gallery_steps
    from src_core.inspection.gallery_page import save_gallery
    from src_core.inspection.options import PlaneOptions
    from src_core.io import OutputFolder

    case = make_case(request.snapshot.copied()).case
    with OutputFolder(path, overwrite) as place:
        strip = strip_of(case, PlaneOptions(), options.side)
        for value in gallery_steps(case, _model(request), request.options, options, strip):
            if isinstance(value, Gallery):
                save_gallery(value, place, options.columns)
            else:
                yield value


def _film_steps(
    outcome: RunOutcome, trace: Trajectory | None, kind: str, strip: Any
) -> Iterator[FilmStep]:
    from src_core.generation import Session
    from src_core.inspection import films

    result, options = outcome.result, outcome.request.options
    title = f"{result.source.name}: level {options.level}, seed {options.seed}"
    if kind == "cine":
        return films.cine_film(result.source, result.case, strip, title)
    if kind in ("flicker", "wipe"):
        return films.comparison_film(result.source, result.case, strip, title, kind == "wipe")
    model, part = _model(outcome.request), (options.slices, options.region, options.guide)
    session = Session(result.source, model, *part)
    if kind == "levels":
        return films.level_film(session, options, strip)
    return films.recovery_film(session, options, strip, trace)


def _model(request: RunRequest) -> Model:
    from src_core.models.library import load_model

    return load_model(str(request.model), resolved(request.device))
