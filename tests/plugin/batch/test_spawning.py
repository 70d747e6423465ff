"""Worker processes do not run the script that opened the window."""

from __future__ import annotations

import sys
from multiprocessing.spawn import get_preparation_data
from pathlib import Path

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from napari_drdm.batch.spawning import script_left_alone


def test_workers_do_not_run_the_script_that_opened_the_window(monkeypatch, tmp_path: Path) -> None:
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "__spec__", None)
    monkeypatch.setattr(main, "__file__", str(tmp_path / "opens_a_window.py"), raising=False)
    assert "init_main_from_path" in get_preparation_data("worker")
    with script_left_alone():
        assert not {"init_main_from_path", "init_main_from_name"} & set(
            get_preparation_data("worker")
        )
    assert main.__file__ == str(tmp_path / "opens_a_window.py")
