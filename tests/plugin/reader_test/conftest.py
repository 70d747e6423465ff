"""A test of pairs and one of scores, without a model: pictures of noise, with a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.reader_tests import noise_test
from tests.support.windows import wait, wait_for_threads


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    return noise_test(tmp_path / "pairs", 4)


@pytest.fixture
def singles(tmp_path: Path) -> Path:
    return noise_test(tmp_path / "singles", 3, "score")


@pytest.fixture
def dock(make_napari_viewer_proxy: Any, tiny_models: Path) -> Any:
    """A viewer with the dock; its models are listed."""
    from napari_drdm.reader_test.dock import ReaderTest

    viewer = make_napari_viewer_proxy()
    made = ReaderTest(viewer)
    viewer.window.add_dock_widget(made, name="Reader test", area="right")
    wait(lambda: made.fields.model.value() is not None)
    yield made
    wait_for_threads()


@pytest.fixture
def reading(qtbot: Any) -> Iterator[Callable[..., Any]]:
    """Opens the window of a reader, begun."""
    windows: list[Any] = []

    def opened(folder: Path, reader: str = "R1", begun: bool = True) -> Any:
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        from napari_drdm.reader_test.reading_window import ReadingWindow
        from src_core.tasks.reader.reading import ReadingProgress

        window = ReadingWindow(ReadingProgress(folder, reader))
        windows.append(window)
        window.show()
        if begun:
            QTest.keyClick(window, Qt.Key.Key_Space)
        return window

    yield opened
    for window in windows:
        with suppress(RuntimeError):  # closed and deleted by the test
            window.close()
