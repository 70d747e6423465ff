"""The fit of the image in the window: shown in words, and the model that fits is picked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from napari_drdm.explorer.fit_check import FitCheck, fit_text
from napari_drdm.runs.model_fits import ModelFits
from napari_drdm.settings import Remembered, save_settings
from src_core.models.checkpoint import add_statistics
from src_core.models.image_fit import FitStatistics, ImageFit
from tests.support import tiny
from tests.support.windows import finish, settle, wait


def add_model(folder: Path, name: str, offset: float) -> None:
    """A model that every image fits, or none: the offset decides."""
    path = tiny.save(folder, name=name)
    zero = np.zeros(16)
    known = FitStatistics(4, zero, zero + 1, zero, offset, 2, 9)
    add_statistics(path, known, path)


@pytest.fixture
def two_models(tiny_models: Path) -> None:
    """``fitting`` fits every image, ``other`` none; both beside the tiny models."""
    add_model(tiny_models, "fitting", -3.0)
    add_model(tiny_models, "other", 3.0)


def opened(window: Any, remembered: str) -> tuple[Any, Any]:
    save_settings(Remembered(model=remembered))
    viewer, explorer = window()
    wait(lambda: not explorer.findChild(FitCheck).busy)
    return viewer, explorer


def note(explorer: Any) -> str:
    return explorer.sources.fit_note.text()


def test_a_misfit_of_last_time_is_not_taken_silently(two_models: None, window: Any) -> None:
    _, explorer = opened(window, "other")
    assert explorer.sources.model.value().name == "fitting"
    assert note(explorer) == (
        "✓ The image fits fitting (0.95), chosen because it does not fit other"
    )


def test_what_the_user_chooses_stays_and_is_graded(two_models: None, window: Any) -> None:
    viewer, explorer = opened(window, "fitting")
    assert note(explorer) == "✓ The image fits fitting (0.95)"
    model = explorer.sources.model
    model.setFocus()
    names = [entry.name for entry in model.values()]
    model.setCurrentIndex(names.index("other"))
    model.activated.emit(model.currentIndex())  # as a click in the list does
    assert note(explorer) == (
        "✗ This image does not fit other (0.05): results may be implausible; it fits fitting"
    )
    assert "#b3402e" in explorer.sources.fit_note.styleSheet()
    viewer.add_image(np.random.default_rng(1).random((40, 44)), name="second")
    explorer.sources.image.pick(viewer.layers["second"])
    wait(lambda: not explorer.findChild(FitCheck).busy)
    assert model.value().name == "other" and note(explorer).startswith("✗")
    explorer.run_bar.generate.click()
    finish(explorer)
    certificate = explorer.metrics.text("Certificate")
    assert certificate.startswith("! no folds (says nothing about plausibility)")
    assert "the image does not fit the model" in certificate
    assert explorer.metrics.text("Fit").startswith("does not fit (0.05)")
    settle(explorer)


def test_a_model_without_statistics_is_unknown(window: Any) -> None:
    _, explorer = opened(window, "")
    assert note(explorer).startswith("Fit unknown")


def test_words_and_the_best_model() -> None:
    known = ImageFit("fits", 0.8, 1.0, "a"), ImageFit("fits", 0.9, 1.0, "b")
    assert ModelFits(1, {Path("a"): known[0], Path("b"): known[1]}).best == Path("b")
    assert ModelFits(1, {Path("a"): ImageFit("doubtful", 0.4, 1.0, "a")}).best is None
    assert "doubtful" in fit_text(ImageFit("doubtful", 0.4, 1.0, "a"), best="b")
