"""The outlook of a batch: what would be made, what is there, what differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from napari_drdm.batch.outlook import outlook
from napari_drdm.batch.run import RunControl, in_time, run_batch
from src_core.augment import Filters, Request
from src_core.errors import InputError
from tests.support import tiny
from tests.support.batches import SPEC, finish, made


def test_what_would_be_made(model: Path, data: Path, tmp_path: Path) -> None:
    found = outlook(Request(data, tmp_path / "o", per_case=3), model)
    assert found.text.startswith("6 new cases of 2, at most 582 kB, ")
    assert found.notes == ()
    assert [in_time(s) for s in (0.2, 40, 200, 7800)] == ["1 s", "40 s", "3 min", "2 h 10 min"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"levels": (30, 31)}, "Levels"),
        ({"seed": 9, "spacing": 2.0}, "Seed, Pixel"),
        ({"options": {"steps": 2}}, "More"),
        ({"formats": ("nifti",), "field_format": "fsl"}, "Layout, Fields for"),
        ({"filters": Filters(max_mm=9)}, "Wanted"),
    ],
)
def test_what_a_run_has_changed_is_reported(
    model: Path, data: Path, tmp_path: Path, choice: dict, expected: str
) -> None:
    other = replace(made(model, Request(data, tmp_path / "o", per_case=1)), **choice)
    words = f"The run in the output folder differs in {expected}: choose another folder. Per case, "
    with pytest.raises(InputError) as error:
        outlook(other, model)
    assert str(error.value).startswith(words)
    assert "Workers, Device and Source cases too may change" in str(error.value)
    assert finish(run_batch(other, model, RunControl()))[1].error == str(error.value)


def test_another_model_is_reported_once_and_the_same_resumes(
    model: Path, data: Path, tmp_path: Path
) -> None:
    request = made(model, Request(data, tmp_path / "o", per_case=1))
    more = replace(request, per_case=3, workers=2, with_sources=True)
    assert outlook(more, model).notes == ("2 of them are in this folder: Start continues",)
    other = tiny.save(tmp_path / "others", **SPEC, name="other")
    with pytest.raises(InputError, match="differs in Model: choose another folder"):
        outlook(request, other)
    (tmp_path / "o" / "augment.json").write_text("{")
    with pytest.raises(InputError, match="differs in Everything: "):
        outlook(request, model)


def test_what_was_rejected_is_done(model: Path, data: Path, tmp_path: Path) -> None:
    wanted = Filters(max_mm=0.001)
    asked = Request(data, tmp_path / "o", per_case=1, filters=wanted, with_sources=True)
    request = made(model, asked)
    expected = ("All are done: 2 in this folder, 2 rejected",)
    assert outlook(request, model).notes == expected
    ended = finish(run_batch(request, model, RunControl()))[1]
    assert (ended.made, ended.kept, ended.rejected) == (0, 2, 2)
    more = outlook(replace(request, per_case=2), model).notes
    assert more == ("2 of them are in this folder, 2 rejected: Start continues",)
