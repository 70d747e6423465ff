"""Sessions of scans that come again: the same bits, nothing of a changed image, bounded memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.models.library import load_model
from src_core.phantom import cardiac_phantom
from src_core.transforms import Live, Scan, live
from src_core.transforms.scan_sessions import ScanSessions


def scan(seed: int = 1) -> Scan:
    phantom = cardiac_phantom(slices=1, phases=1, shape=(60, 52), seed=seed)
    image = phantom.image[..., 0].astype(np.float32)
    return Scan(image, Grid(image.shape, phantom.affine))


def case_of(one: Scan) -> Case:
    return Case.from_arrays(one.image, affine=one.grid.affine)


def test_a_scan_that_comes_again_has_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    source, given = Live(steps=2), scan()
    first = source.make(given, 40, 7).u
    again = source.make(replace(given, image=given.image.copy()), 40, 7).u
    np.testing.assert_array_equal(first, again)
    monkeypatch.setattr(live, "_sessions", ScanSessions(limit=0))
    np.testing.assert_array_equal(first, source.make(given, 40, 7).u)


def test_other_values_labels_grids_and_slices_are_other_sessions() -> None:
    kept, model, given = ScanSessions(), load_model("cardiac-sax", "cpu"), scan()
    session = kept.get(given, model, "shared", case_of)
    assert kept.get(replace(given, image=given.image.copy()), model, "shared", case_of) is session
    wide = Grid(given.grid.shape, given.grid.affine * 1.01)
    labels = (given.image > 100).astype(np.uint8)
    for other in (replace(given, grid=wide), replace(given, labels=labels), scan(2)):
        assert kept.get(other, model, "shared", case_of) is not session
    assert kept.get(given, model, "each", case_of) is not session


def test_an_image_that_changes_in_place_is_another_one() -> None:
    kept, model, given = ScanSessions(), load_model("cardiac-sax", "cpu"), scan()
    session = kept.get(given, model, "shared", case_of)
    before = session.case.image.copy()
    given.image[:] = 0.5 * given.image
    assert kept.get(given, model, "shared", case_of) is not session
    np.testing.assert_array_equal(session.case.image, before)


def test_only_as_many_are_kept_as_fit() -> None:
    model, given = load_model("cardiac-sax", "cpu"), [scan(seed) for seed in (1, 2, 3)]
    kept = ScanSessions(limit=900_000)  # two of 0.4 MB
    first, second, third = (kept.get(one, model, "shared", case_of) for one in given)
    assert kept.get(given[2], model, "shared", case_of) is third
    assert kept.get(given[1], model, "shared", case_of) is second
    assert kept.get(given[0], model, "shared", case_of) is not first
