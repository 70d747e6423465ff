"""A bench for the variants panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.variants import Bench


@pytest.fixture
def make(qtbot):
    from napari.components import ViewerModel

    from tests.support.variants import Bench
    from tests.support.windows import wait_for_threads

    benches = []

    def made(generate=None, history=None, viewer=None) -> Bench:
        benches.append(Bench(viewer or ViewerModel(), generate, history))
        qtbot.addWidget(benches[-1].panel)
        return benches[-1]

    yield made
    for bench in benches:
        bench.variants.close()
    wait_for_threads()


@pytest.fixture
def bench(make) -> Bench:
    return make()
