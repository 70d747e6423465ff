"""A small model, a data set of two cases and an open dock."""

from __future__ import annotations

import threading
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from src_core.augment import products as kinds
from tests.support import tiny
from tests.support.batches import SPEC
from tests.support.windows import wait, wait_for_threads


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with one small model; nothing ships."""
    tiny.only_models_of(tmp_path / "models", monkeypatch)
    return tiny.save(tmp_path / "models", **SPEC)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, size in (("a", 8), ("b", 11)):
        labels = np.zeros((34, 46, 2), np.uint8)
        labels[10 : 10 + size, 12 : 12 + size] = 1
        image = (60 * labels + np.random.default_rng(size).integers(0, 30, labels.shape)).astype(
            "i2"
        )
        for kind, values in (("images", image), ("labels", labels)):
            (tmp_path / "set" / kind).mkdir(parents=True, exist_ok=True)
            file = tmp_path / "set" / kind / f"{name}.nii.gz"
            nib.save(nib.Nifti1Image(values, np.diag([-1.5, -1.2, 8, 1])), file)
    return tmp_path / "set"


@pytest.fixture
def window(make_napari_viewer_proxy, data: Path, tmp_path: Path):
    """A viewer with the dock, filled in for four new cases."""

    def opened():
        viewer = make_napari_viewer_proxy()
        _, dock = viewer.window.add_plugin_dock_widget("napari-drdm", "Batch augmentation")
        wait(lambda: dock.fields.model.value() is not None)
        dock.fields.dataset.setText(str(data))
        dock.fields.out.setText(str(tmp_path / "out"))
        dock.fields.per_case.setValue(2)
        return viewer, dock

    yield opened
    wait_for_threads()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The second new case and those after it wait until this is set."""
    opened, real, calls = threading.Event(), kinds.iterate, []

    def slow(*given, **options):
        calls.append(given)
        if len(calls) > 1:
            assert opened.wait(30)
        return real(*given, **options)

    monkeypatch.setattr(kinds, "iterate", slow)
    return opened
