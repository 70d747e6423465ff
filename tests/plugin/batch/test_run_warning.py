"""The end of a batch shows the engine's warning about the new cases as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from napari_drdm.batch.run import BatchEnd, RunControl, run_batch
from src_core.augment import Request
from tests.support.batches import finish


def test_a_warning_is_the_last_line_of_the_end() -> None:
    ended = BatchEnd(made=8, warning="label sizes vary little")
    assert ended.text() == "8 made\nWarning: label sizes vary little"
    assert BatchEnd(made=8).text() == "8 made"


def test_the_warning_is_the_engine_s(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def warning(out: Path) -> str:
        asked.append(out)
        return "label sizes vary little"

    monkeypatch.setattr("src_core.augment.label_spread.label_warning", warning)
    request = Request(data, tmp_path / "out", per_case=1, levels=(30, 50), formats=("nifti",))
    ended = finish(run_batch(request, model, RunControl()))[1]
    assert asked == [tmp_path / "out"] and ended.warning == "label sizes vary little"
