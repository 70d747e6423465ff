"""The line about compiling stays only while something is compiled."""

from __future__ import annotations

import logging
import threading

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from src_core.fields.kernels import compiled
from tests.support.windows import settle, wait


def test_the_line_goes_when_nothing_is_compiled(window) -> None:
    _, explorer = window()
    wait(lambda: not explorer.models.loading)
    explorer.options.live.setChecked(False)
    settle(explorer)
    held, over = threading.Event(), threading.Event()

    def compile_for_a_while() -> None:
        with compiled._lock:
            logging.getLogger("src_core.fields").warning(compiled.COMPILING)
            held.set()
            over.wait(20)

    thread = threading.Thread(target=compile_for_a_while)
    thread.start()
    held.wait(20)
    status = explorer.run_bar.status
    wait(lambda: status.text() == compiled.COMPILING)
    assert compiled.compiling()
    over.set()
    thread.join()
    wait(lambda: status.text() == "Press Generate for a new anatomy", 10)
