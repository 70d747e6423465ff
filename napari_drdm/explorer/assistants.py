"""What helps with the form and needs no run: names, strength, masks, the fit of the image."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from napari_drdm.explorer.compilation_note import CompilationNote
from napari_drdm.explorer.fit_check import FitCheck
from napari_drdm.explorer.label_offer import LabelOffer
from napari_drdm.explorer.naming import LabelNaming
from napari_drdm.explorer.strength import StrengthNote

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.explorer.request_of_form import FormReader
    from napari_drdm.runs.requests import RunOutcome
    from napari_drdm.runs.runner import Runner

__all__ = ["assist"]


def assist(
    viewer: ViewerModel,
    form: ExplorerForm,
    reader: FormReader,
    runner: Runner,
    outcome: Callable[[], RunOutcome | None],
    renamed: Iterable[Callable[[], None]],
) -> None:
    """Add them to a form, which owns them; ``renamed`` are called after labels were named."""
    naming = LabelNaming(form, outcome)
    for show in renamed:
        naming.changed.connect(show)
    StrengthNote(form, reader.snapshot, lambda: runner.busy)
    LabelOffer(viewer, form)
    FitCheck(form, reader, outcome, runner)
    CompilationNote(form.run_bar, runner)
