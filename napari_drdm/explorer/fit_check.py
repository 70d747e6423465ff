"""Does the image fit the model? Asked in another thread when an image or a model is chosen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer

from napari_drdm.runs.latest_only import LatestOnly
from napari_drdm.runs.model_fits import ModelFits, model_fits
from src_core.errors import DRDMError
from src_core.generation.verdict import fit_grade

if TYPE_CHECKING:
    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.explorer.request_of_form import FormReader
    from napari_drdm.runs.requests import RunOutcome
    from napari_drdm.runs.runner import Runner
    from src_core.models.image_fit import ImageFit
    from src_core.models.library import ModelEntry

__all__ = ["FitCheck", "fit_text"]

_IMPLAUSIBLE = "results may be implausible"


class FitCheck(QObject):
    """Shows whether the image fits the model, and picks one that fits.

    A model that the user chose stays, and one that was remembered where the image fits it.

    Args:
        form: whose image and model are meant.
        reader: of the form.
        outcome: the result of the image, if there is one: its model stays.
        runner: while it is busy, the model stays.
    """

    def __init__(
        self,
        form: ExplorerForm,
        reader: FormReader,
        outcome: Callable[[], RunOutcome | None],
        runner: Runner,
    ) -> None:
        super().__init__(form)
        self._form, self._reader, self._outcome, self._runner = form, reader, outcome, runner
        self._fits, self._number, self._chosen, self._instead = ModelFits(0, {}), 0, False, ""
        self._search = LatestOnly(lambda _: None, parent=self)
        self._search.came.connect(self._on_found)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._look)
        sources = form.sources
        sources.image.chosen.connect(self.look)
        sources.model.activated.connect(self._on_chosen)
        sources.model.chosen.connect(self._show)
        offered = sources.model.model()
        assert offered is not None
        offered.rowsInserted.connect(self.look)
        form.destroyed.connect(partial(_end, self._search))

    @property
    def busy(self) -> bool:
        """Whether the answer is still to come."""
        return self._rest.isActive() or self._search.busy

    def look(self, *_: Any) -> None:
        """Look at the image again."""
        self._fits, self._instead = ModelFits(0, {}), ""
        self._show()
        self._rest.start()

    def _look(self) -> None:
        entries, snapshot = self._form.sources.model.values(), None
        with suppress(DRDMError):
            snapshot = self._reader.snapshot()
        if snapshot is None or not entries:
            return
        self._number += 1
        self._search.submit(partial(model_fits, self._number, snapshot, entries))

    def _on_chosen(self, _: int) -> None:
        self._chosen, self._instead = True, ""
        self._show()

    def _on_found(self, found: ModelFits) -> None:
        if found.number != self._number:
            return
        self._fits = found
        entry = self._entry()
        if entry is not None and not self._chosen and not self._in_use():
            self._pick_fitting(entry, found)
        self._show()

    def _in_use(self) -> bool:
        return self._runner.busy or self._outcome() is not None

    def _pick_fitting(self, entry: ModelEntry, found: ModelFits) -> None:
        """Another model, where the image fits that one and not the model of last time."""
        fit = found.fits.get(entry.path)
        best = next((e for e in self._models() if e.path == found.best), None)
        if best is None or (fit is not None and fit.verdict == "fits"):
            return
        self._instead = f", chosen because it does not fit {entry.name}"
        if fit is not None and fit.verdict != "does not fit":
            self._instead = f", chosen instead of {entry.name} ({fit.verdict})"
        self._form.sources.model.pick(best)

    def _models(self) -> tuple[ModelEntry, ...]:
        models: tuple[ModelEntry, ...] = self._form.sources.model.values()
        return models

    def _entry(self) -> ModelEntry | None:
        entry: ModelEntry | None = self._form.sources.model.value()
        return entry

    def _show(self, _: Any = None) -> None:
        entry = self._entry()
        fit = self._fits.fits.get(entry.path) if entry else None
        if entry is None or fit is None:
            self._form.sources.show_fit("", None)
            return
        best = next((e.name for e in self._models() if e.path == self._fits.best), "")
        text = fit_text(fit, self._instead, best)
        self._form.sources.show_fit(text, fit_grade(fit.facts()), fit.sentence)


def _end(search: LatestOnly, *_: object) -> None:
    search.close()


def fit_text(fit: ImageFit, instead: str = "", best: str = "") -> str:
    """The line under the model.

    Args:
        fit: of the image.
        instead: why this model is chosen.
        best: the name of the model that the image fits best.
    """
    score = "" if fit.score is None else f" ({fit.score:.2f})"
    hint = f"; it fits {best}" if best and best != fit.model else ""
    texts = {
        "fits": f"The image fits {fit.model}{score}{instead}",
        "doubtful": f"It is doubtful whether the image fits {fit.model}{score}{hint}",
        "does not fit": f"This image does not fit {fit.model}{score}: {_IMPLAUSIBLE}{hint}",
        "unknown": f"Fit unknown: the file of {fit.model} has no statistics{hint}",
    }
    return texts[fit.verdict]
