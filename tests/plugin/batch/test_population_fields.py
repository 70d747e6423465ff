"""The batch dock asks for spreads and a data set to follow, and remembers both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from napari_drdm.batch.form import BatchForm
from napari_drdm.batch.request import request_of
from napari_drdm.settings import RememberedBatch, load_settings, save_settings
from src_core.augment.spreads import parse_spreads
from src_core.errors import InputError

TEXT = "volume 3: 60..220 ml; thickness 2: x0.8..1.2"


@pytest.fixture
def form(qtbot: Any, tmp_path: Path) -> BatchForm:
    form = BatchForm()
    qtbot.addWidget(form)
    form.fields.dataset.setText(str(tmp_path / "scans"))
    form.fields.out.setText(str(tmp_path / "out"))
    return form


def test_a_request_has_what_the_fields_say(form: BatchForm, tmp_path: Path) -> None:
    assert request_of(form.values(), "model").spread == ()
    assert request_of(form.values(), "model").like is None
    form.more.controls["spread"].widget.setText(TEXT)
    form.more.controls["like"].widget.setText(str(tmp_path / "cohort.csv"))
    request = request_of(form.values(), "model")
    assert request.spread == parse_spreads(TEXT)
    assert request.like == tmp_path / "cohort.csv"


def test_a_spread_that_is_wrong_is_named(form: BatchForm) -> None:
    form.more.controls["spread"].widget.setText("volume 3: many")
    with pytest.raises(InputError, match="the spread 'volume 3: many' is not possible"):
        request_of(form.values(), "model")


def test_both_are_remembered(form: BatchForm) -> None:
    form.more.controls["spread"].widget.setText(TEXT)
    form.more.controls["like"].widget.setText("cohort.csv")
    values = {**form.values(), "dataset": "scans", "out": "out", "model": "m"}
    assert save_settings(RememberedBatch(**values))
    kept = load_settings(RememberedBatch)
    assert (kept.spread, kept.like) == (TEXT, "cohort.csv")
    form.place(kept.model_dump())
    assert form.more.controls["spread"].widget.text() == TEXT
