"""History, pictures and differences of results: no viewer, no Qt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.layers import Image, Labels

from napari_drdm.layers.cases import make_case
from napari_drdm.layers.snapshots import take_snapshot
from napari_drdm.runs.requests import RunOutcome, RunRequest
from napari_drdm.variants.history import History, RunInputs, held_bytes
from napari_drdm.variants.layers import difference, difference_layer
from napari_drdm.variants.thumbnails import frame_case, thumbnail
from src_core.cases.case import Case
from src_core.generation import Options, Result

SHAPE = (14, 12, 5)  # X, Y, Z
SPACING = (1.4, 2.1, 8.0)


def outcome(image: Image, labels: Labels | None = None, **options) -> RunOutcome:
    """A result whose image is its source's, brighter by its seed."""
    request = RunRequest(
        take_snapshot(image, labels), Path("tiny"), Options(**options), image, labels
    )
    place = make_case(request.snapshot)
    first = place.case.images[0]
    case = replace(place.case, images=(first.with_data(first.data + request.options.seed),))
    field = np.zeros((*case.grid.shape, 3), np.float32)
    one = np.ones(case.grid.shape, np.float32)
    facts = {"level": request.options.level, "seed": request.options.seed, "steps": 2}
    return RunOutcome(request, place, Result(place.case, case, field, field.copy(), one, facts, {}))


def image(shape=SHAPE[::-1]) -> Image:
    data = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    return Image(data, scale=SPACING[::-1][-len(shape) :], contrast_limits=(0, 100), name="heart")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 10
        return self.now


PICTURE = np.zeros((4, 4, 3), np.uint8)


def test_a_recipe_stands_once_and_stays_where_it_was():
    history, source = History(clock=Clock()), image()
    first, second = (history.add(outcome(source, seed=s), PICTURE) for s in (1, 2))
    again = outcome(source, seed=1)
    assert history.add(again, PICTURE) is first and first.outcome is again
    assert list(history) == [second, first]
    assert [v.name for v in history] == ["L48 S2", "L48 S1"]
    assert history.add(outcome(source, seed=1, steps=3), PICTURE).name == "L48 S1 (2)"
    assert history.add(outcome(image(), seed=1), PICTURE).name == "L48 S1"


def test_bytes_in_common_count_once():
    source = image()
    one = outcome(source, seed=1)
    voxels = int(np.prod(SHAPE))
    alone, own = held_bytes([one]), 4 * voxels * (1 + 3 + 3 + 1)
    # the source's image and the new one, two fields and a determinant, float32
    assert alone == own + 4 * voxels
    assert held_bytes([one, one]) == alone
    assert held_bytes([one, replace(one, request=one.request)]) == alone
    assert held_bytes([one], [one.result.case.image.T[1:]]) == alone
    assert held_bytes([one, outcome(source, seed=2)]) == 2 * own + 4 * voxels


def test_bytes_are_bounded_and_pinned_ones_go_last():
    source = image()
    size = 3 * held_bytes([outcome(source)])
    history = History(limit=size, clock=Clock())
    oldest = history.add(outcome(source, seed=1), PICTURE)
    oldest.pinned = True
    others = [history.add(outcome(source, seed=s), PICTURE) for s in (2, 3)]
    history.pick(others[0])
    newest = history.add(outcome(source, seed=4), PICTURE)
    assert history.bytes <= size and len(history) == 4
    assert [v.outcome is None for v in (oldest, *others, newest)] == [False, False, True, False]
    again = history.add(outcome(source, seed=3), PICTURE)
    assert again is others[1] and again.outcome is not None and others[0].outcome is None


def test_the_newest_is_held_however_large():
    history = History(limit=1, clock=Clock())
    for seed in (1, 2):
        newest = history.add(outcome(image(), seed=seed), PICTURE)
    assert [v.outcome is None for v in history] == [False, True] and newest.outcome is not None


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=30), st.integers(1, 5))
def test_the_number_is_bounded_but_for_pinned_ones(wishes, most):
    history, source = History(most=most, clock=Clock()), image((3, 4))
    made = {seed: outcome(source, seed=seed) for seed in range(10)}
    pinned = set()
    for seed, pin in wishes:
        variant = history.add(made[seed], PICTURE)
        variant.pinned = variant.pinned or pin
        pinned |= {seed} if pin else set()
        assert variant in list(history)
    assert len([v for v in history if not v.pinned]) <= most
    assert {v.inputs.options.seed for v in history if v.pinned} == pinned


def test_levels_that_were_only_passed_leave_no_trace():
    clock = iter([0, 0.1, 0.1, 0.2, 0.2, 5, 5, 5.1, 5.1]).__next__
    history, source = History(clock=clock), image()
    for level in (10, 11, 12):  # a drag
        history.add(outcome(source, level=level), PICTURE)
    assert [v.inputs.options.level for v in history] == [12]
    history.add(outcome(source, level=40), PICTURE)
    history.add(outcome(source, level=40, seed=2), PICTURE)
    assert [v.name for v in history] == ["L40 S2", "L40 S1", "L12 S1"]


def test_what_was_asked_for_was_not_passed():
    history, source = History(clock=lambda: 0.0), image()
    history.pick(history.add(outcome(source, level=10), PICTURE))
    history.add(outcome(source, level=11), PICTURE)
    assert len(history) == 2


def test_variants_outlive_their_source():
    history, source, other = History(clock=Clock()), image(), image()
    made = [history.add(outcome(source, seed=seed), PICTURE) for seed in (1, 2)]
    made[0].pinned, made[0].layers = True, (other,)
    history.forget(source)
    history.forget(other)
    assert list(history) == made[::-1] and made[0].layers == ()
    assert history.find(RunInputs.of(outcome(source, seed=1).request)) is made[0]


def test_differences_do_not_wrap():
    low, high = np.array([[3, 250]], np.uint8), np.array([[250, 3]], np.uint8)
    assert difference(low, high).tolist() == [[247, -247]]
    assert difference(low, high).dtype == np.float32
    assert difference(np.array([2**20]), np.array([5])).tolist() == [5 - 2**20]


def test_a_difference_has_the_sources_limits_and_place():
    source = image()
    for reach in (1, 1000):
        layer = difference_layer(source, np.full(source.data.shape, reach, np.float32), "d")
        assert tuple(layer.contrast_limits) == (-50, 50)
        assert np.allclose(layer.scale, source.scale) and "path" not in layer.metadata["drdm"]
    darker, none, brighter = layer.colormap.map(np.array([0, 0.5, 1]))
    assert none.tolist() == [0, 0, 0, 1]
    assert darker[2] > darker[0] and brighter[0] > brighter[2]


def case_of(data, labels=None, **where) -> Case:
    """A case of any values, even of one value only."""
    case = Case.from_arrays(np.arange(data.size).reshape(data.shape), labels, **where)
    values = np.asarray(data, np.float32).reshape(case.image.shape)
    return replace(case, images=(case.images[0].with_data(values),))


def test_a_thumbnail_is_true_in_millimetres():
    data = np.full((20, 10, 4), 50, np.float32)  # X, Y, Z; 20 x 30 mm in plane
    case = case_of(data, spacing=(1, 3, 12))
    picture = thumbnail(case, frame_case(case, (0, 100)), side=60)
    inside = picture[..., 0] > 0
    assert inside.any(axis=1).sum() == 60 and inside.any(axis=0).sum() == 40
    assert set(np.unique(picture[inside])) <= {127, 128} and picture.shape == (60, 60, 3)


def test_a_thumbnail_shows_the_slice_with_most_labels_as_the_viewer_does():
    labels = np.zeros((16, 12, 6), np.uint8)
    labels[3:9, 2:6, 4] = 1
    data = np.zeros((16, 12, 6), np.float32)
    data[:4, :3, 4] = 100  # small X, small Y: upper left
    case = Case.from_arrays(data, labels, spacing=(2, 2, 8))
    framing = frame_case(case, (0, 100))
    assert (framing.axis, framing.index) == (2, 4)
    picture = thumbnail(case, framing, side=64)
    assert picture[12, 4].tolist() == [255] * 3 and picture[40, 50].tolist() == [0] * 3
    turned = thumbnail(case, frame_case(case, (0, 100), (8, -2, 2)), side=64)
    assert turned[64 - 13, 4].tolist() == [255] * 3 and turned[12, 4].tolist() == [0] * 3


def test_thumbnails_of_thick_slices_along_x_and_of_cines():
    data = np.zeros((4, 12, 10, 3), np.float32)  # X thick; frames
    data[2, :4, :3, 0] = 100
    case = Case.from_arrays(data, spacing=(9, 2, 2))
    framing = frame_case(case, (0, 100))
    assert (framing.axis, framing.index) == (0, 2)
    picture = thumbnail(case, framing, side=60)  # rows Z, columns Y: 20 x 24 mm
    assert picture[10, 5].tolist() == [255] * 3 and picture[50, 5].tolist() == [0] * 3
    assert (picture[:5] == 0).all() and (picture[-5:] == 0).all()


def test_one_window_for_all_thumbnails_of_a_source():
    source, bright, half = (case_of(np.full((8, 8), v), spacing=2) for v in (1, 160, 80))
    framing = frame_case(source, (0, 160))
    assert (thumbnail(bright, framing) == 255).all()
    assert (thumbnail(half, framing) == 128).all()


def test_labels_tint_a_thumbnail():
    labels = np.zeros((8, 8, 1), np.uint8)
    labels[:, :4] = 2
    case = case_of(np.zeros((8, 8, 1)), labels, spacing=(2, 2, 2))
    layer = Labels(labels[:, :, 0].T, colormap={None: "transparent", 2: "red"})
    picture = thumbnail(case, frame_case(case, (0, 1)), layer.colormap.map, side=32)
    assert picture[4, 16, 0] > 100 and picture[4, 16, 1:].max() == 0
    assert (picture[28] == 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_thumbnail_survives_what_is_not_finite(value):
    data = np.zeros((8, 8))
    data[0, 0] = value
    case = case_of(data, spacing=2)
    assert thumbnail(case, frame_case(case, (0, 0))).dtype == np.uint8
