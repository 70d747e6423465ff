"""Galleries: each tile is the new case of its level and seed, with its numbers; sheet and page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src_core.errors import InputError
from src_core.generation import generate, make_options
from src_core.inspection.film_steps import strip_of
from src_core.inspection.gallery import Gallery, GalleryStep, gallery_steps
from src_core.inspection.gallery_page import gallery_page, save_gallery
from src_core.inspection.gallery_sheet import gallery_sheet
from src_core.inspection.options import GalleryOptions, PlaneOptions
from src_core.models.model import Model
from tests.support import tiny
from tests.support.files import rows_of
from tests.support.pages import content_of

CHOSEN = GalleryOptions(seeds=3, first_seed=4, levels=(0, 30))


@pytest.fixture(scope="module")
def model() -> Model:
    return tiny.model()


@pytest.fixture(scope="module")
def values(model: Model) -> list[GalleryStep | Gallery]:
    case = tiny.case()
    strip = strip_of(case, PlaneOptions(), 90)
    return list(gallery_steps(case, model, make_options(80, steps=2), CHOSEN, strip))


@pytest.fixture(scope="module")
def gallery(values: list[GalleryStep | Gallery]) -> Gallery:
    assert isinstance(values[-1], Gallery)
    return values[-1]


def test_entries_are_the_new_cases_of_their_levels_and_seeds(
    gallery: Gallery, model: Model
) -> None:
    made = [(entry.level, entry.seed) for entry in gallery.entries]
    assert made == [(level, seed) for level in (0, 30) for seed in (4, 5, 6)]
    entry = gallery.entries[4]
    result = generate(gallery.source, model, level=30, seed=5, steps=2)
    assert entry.picture.tobytes() == gallery.strip.of_case(result.case).tobytes()
    for name, value in entry.metrics.items():
        assert result.metrics[name] == value
    still = gallery.entries[0]
    assert still.metrics["max_mm"] == 0 and still.metrics["label_volume_change"] == {"1": 0.0}
    assert still.picture.tobytes() == gallery.strip.of_case(gallery.source).tobytes()


def test_progress_counts_new_cases_and_never_goes_back(
    values: list[GalleryStep | Gallery],
) -> None:
    steps = [value for value in values if isinstance(value, GalleryStep)]
    assert {step.total for step in steps} == {6}
    assert [s.done for s in steps] == sorted(s.done for s in steps) and steps[-1].done == 6


@pytest.mark.parametrize("columns", [1, 2, None])
def test_the_sheet_shows_every_tile_whole_and_none_twice(
    gallery: Gallery, columns: int | None
) -> None:
    sheet = np.asarray(gallery_sheet(gallery, columns))
    places = []
    for entry in gallery.entries:
        tile = np.asarray(entry.picture)
        height, width, _ = tile.shape
        found = [
            (y, x)
            for y, x in np.argwhere((sheet == tile[0, 0]).all(axis=-1)).tolist()
            if sheet[y : y + height, x : x + width].shape == tile.shape
            and np.array_equal(sheet[y : y + height, x : x + width], tile)
        ]
        assert found
        places += found[-1:] if entry.level else []
    assert len(set(places)) == 3
    if columns:
        assert len({x for _, x in places}) == columns
    assert (sheet[:20] == 255).all() and (sheet[-20:] == 255).all()
    assert (sheet[:, :20] == 255).all() and (sheet[:, -20:] == 255).all()


def test_the_page_has_a_picture_for_each_and_stands_alone(gallery: Gallery) -> None:
    found = content_of(gallery_page(gallery))
    assert found.outside == [] and len(found.pictures) == 1 + 6
    assert "Synthetic, for research only" in found.words
    assert f"{gallery.entries[4].metrics['max_mm']:.2f}" in found.words


def test_a_folder_has_sheet_page_and_numbers(gallery: Gallery, tmp_path: Path) -> None:
    save_gallery(gallery, tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["gallery.csv", "gallery.html", "gallery.png"]
    rows = rows_of(tmp_path / "gallery.csv")
    assert [(int(row["level"]), int(row["seed"])) for row in rows][-1] == (30, 6)
    change = gallery.entries[5].metrics["label_volume_change"]["1"]
    assert float(rows[5]["label_1_volume_change_percent"]) == change
    with Image.open(tmp_path / "gallery.png") as sheet:
        assert "research only" in sheet.text["Description"]


def test_levels_that_do_not_exist_are_refused_at_once(model: Model) -> None:
    case = tiny.case()
    wanted = GalleryOptions(levels=(10, 90))
    strip = strip_of(case, PlaneOptions(), 90)
    with pytest.raises(InputError, match="90"):
        next(gallery_steps(case, model, make_options(80), wanted, strip))
