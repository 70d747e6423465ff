"""Films of a result: which frames, what they show, and how they end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.generation import Result, Session, generate, make_options
from src_core.generation.series import generate_series
from src_core.inspection.film_steps import FilmStep, film_of, strip_of, titled
from src_core.inspection.films import cine_film, comparison_film, level_film, recovery_film
from src_core.inspection.options import PlaneOptions
from src_core.models.model import Model
from tests.support import tiny

OPTIONS = {"level": 40, "seed": 2, "steps": 3}
SIDE = 120


@pytest.fixture(scope="module")
def model() -> Model:
    return tiny.model()


@pytest.fixture(scope="module")
def result(model: Model) -> Result:
    return generate(tiny.case(), model, **OPTIONS)


@pytest.fixture(scope="module")
def session(result: Result, model: Model) -> Session:
    return Session(result.source, model)


def frames(steps) -> list[Image.Image]:
    return [frame for step in steps for frame in step.frames]


def shows(frame: Image.Image, panel: Image.Image) -> bool:
    """Whether a picture is a part of another, at the right edge inside its margin."""
    whole, part = np.asarray(frame).astype(int), np.asarray(panel).astype(int)
    right = whole.shape[1] - 10
    cut = whole[5 : 5 + part.shape[0], right - part.shape[1] : right]
    return cut.shape == part.shape and np.mean(abs(cut - part)) < 0.5


def test_a_recovery_ends_at_the_result_and_between_steps_it_moves(
    session: Session, result: Result
) -> None:
    strip = strip_of(result.source, PlaneOptions(crop="none"), SIDE)
    steps = list(recovery_film(session, make_options(80, **OPTIONS), strip))
    assert [step.done for step in steps] == list(range(1, steps[-1].total + 1))
    made = frames(steps)
    distinct = {frame.tobytes() for frame in made}
    assert len(distinct) == 3 * 4 + 1 and len({frame.size for frame in made}) == 1
    assert len(made) == 13 + 2 * 11  # the ends are held
    assert shows(made[-1], titled(strip.of_case(result.case), "recovered in 3 steps"))
    assert not shows(made[0], titled(strip.of_case(result.case), "random field"))


def test_a_sweep_goes_from_the_source_to_the_result_and_back(
    session: Session, result: Result
) -> None:
    strip = strip_of(result.source, PlaneOptions(), SIDE)
    options = make_options(80, level=3, seed=2, steps=1)
    made = frames(level_film(session, options, strip))
    assert len(made) == 12 + 2 + 12 + 2
    assert shows(made[0], titled(strip.of_case(result.source), "level 0"))
    assert made[12].tobytes() == made[-1].tobytes() and made[13].tobytes() == made[-2].tobytes()


def test_source_and_result_in_turn_or_beside_a_line(result: Result) -> None:
    strip = strip_of(result.source, PlaneOptions(), SIDE)
    source, new = (
        strip.of_case(result.source, letters=True),
        strip.of_case(result.case, letters=True),
    )
    flicker = frames(comparison_film(result.source, result.case, strip, "a", wipe=False))
    assert shows(flicker[0], titled(source, "source")) and shows(flicker[-1], titled(new, "result"))
    wipe = frames(comparison_film(result.source, result.case, strip, "a", wipe=True))
    assert len(wipe) == 48 and wipe[0].tobytes() == wipe[-1].tobytes()
    assert shows(wipe[0], titled(source, "left: result, right: source"))
    assert shows(wipe[23], titled(new, "left: result, right: source"))


def test_a_cine_has_its_frames(model: Model, result: Result) -> None:
    still = result.source
    series = generate_series(still, model, motion="loop", frames=5, **OPTIONS)
    strip = strip_of(still, PlaneOptions(), SIDE)
    made = frames(cine_film(still, series.case, strip, "a"))
    assert len(made) == 5
    assert shows(made[0], titled(strip.of_case(still, letters=True), "result"))
    middle = Case.from_arrays(
        series.case.image[..., 2], series.case.labels[0].data[..., 2], still.grid.affine
    )
    assert shows(made[2], titled(strip.of_case(middle, letters=True), "result"))
    with pytest.raises(InputError, match="one frame only"):
        list(cine_film(still, result.case, strip, "a"))


def test_level_0_has_no_recovery(session: Session, result: Result) -> None:
    strip = strip_of(result.source, PlaneOptions(), SIDE)
    with pytest.raises(InputError, match="no recovery"):
        next(recovery_film(session, make_options(80, level=0), strip))


def test_a_film_that_is_stopped_writes_nothing(tmp_path: Path) -> None:
    def some():
        yield FilmStep(1, 2, "", (Image.new("RGB", (8, 8)),))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(film_of(some(), tmp_path / "a.gif", 10))
    steps = film_of(iter([FilmStep(1, 2, "", (Image.new("RGB", (8, 8)),))]), tmp_path / "b.gif", 10)
    next(steps)
    steps.close()
    assert list(tmp_path.iterdir()) == []
