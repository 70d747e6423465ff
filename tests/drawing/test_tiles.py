"""Tiles: outlines where the labels are, in their colours; greys by the window."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageColor

from src_core.cases.case import Case
from src_core.drawing.planes import choose_planes
from src_core.drawing.strips import PlaneStrip
from src_core.drawing.tiles import LABEL_COLOURS, label_colours, tile

SHAPE, SPACING, SCALE = (24, 40), (2.0, 1.0), 5
BOX = (slice(6, 15), slice(10, 31))  # x, y


def drawn(labels: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
    image = np.full(SHAPE, 100.0) if values is None else values
    image[-1, -1] = 150
    case = Case.from_arrays(image, labels, spacing=SPACING)
    (plane,) = choose_planes(case)
    colours = label_colours(case.label_map)
    rows = plane.values(case.image), plane.values(case.label_map)
    return np.asarray(tile(*rows, plane, SCALE, (0, 200), colours, line=2)).astype(int)


def coloured(picture: np.ndarray, colour: str) -> np.ndarray:
    return np.argwhere(abs(picture - ImageColor.getrgb(colour)).max(axis=-1) < 60)


def test_an_outline_runs_along_the_border_of_its_label() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[BOX] = 7
    picture = drawn(labels)
    assert picture.shape == (40 * SCALE, 48 * SCALE, 3)
    found = coloured(picture, LABEL_COLOURS[0])
    low, high = found.min(axis=0), found.max(axis=0) + 1
    assert low == pytest.approx([10 * SCALE, 6 * 2 * SCALE], abs=1.5)
    assert high == pytest.approx([31 * SCALE, 15 * 2 * SCALE], abs=1.5)
    inside = picture[12 * SCALE : 29 * SCALE, 8 * 2 * SCALE : 13 * 2 * SCALE]
    assert (abs(inside - 128) <= 1).all()


def test_labels_at_the_border_are_closed_and_each_has_its_colour() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[:4], labels[10:14, 10:20] = 3, 9
    picture = drawn(labels)
    rims = [coloured(picture, LABEL_COLOURS[number]) for number in (0, 1)]
    assert rims[0][:, 1].max() == pytest.approx(4 * 2 * SCALE, abs=1.5)
    assert rims[1].min(axis=0) == pytest.approx([10 * SCALE, 10 * 2 * SCALE], abs=2)
    columns = rims[0][rims[0][:, 0] < 2]
    assert len(columns) > 4 * 2 * SCALE * 0.8  # the upper edge too


def test_greys_follow_the_window() -> None:
    values = np.linspace(0, 200, SHAPE[0])[:, None] * np.ones(SHAPE)
    picture = drawn(np.zeros(SHAPE, np.uint8), values)
    middle = picture[20 * SCALE, :, 0]
    assert middle[0] <= 3 and middle[-1] >= 252 and (np.diff(middle) >= 0).all()


def test_new_cases_keep_the_contrast_and_the_colours_of_their_source() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[BOX] = 4
    image = np.random.default_rng(0).uniform(0, 100, SHAPE)
    source = Case.from_arrays(image, labels, spacing=SPACING)
    brighter = Case.from_arrays(image + 1000, np.where(labels, 4, 1), spacing=SPACING)
    strip = PlaneStrip(source, choose_planes(source), 200)
    picture = np.asarray(strip.of_case(brighter)).astype(int)
    assert (picture[2, 2] == 255).all()
    assert len(coloured(picture, strip.colours[4])) > 100
    assert set(strip.colours) == {4}
