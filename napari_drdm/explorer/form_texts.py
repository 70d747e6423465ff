"""The form's lines about its image, model and result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_drdm.explorer.result_layers import arrow_limit_mm
from napari_drdm.explorer.suitability import ModelSuitability, describe, is_stack, model_suitability
from napari_drdm.layers.label_names import label_names
from napari_drdm.layers.units import unit_of
from napari_drdm.messages import error_line
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.layers.cases import Snapshot
    from napari_drdm.runs.moments import Moment
    from napari_drdm.runs.requests import RunOutcome
    from src_core.models.library import ModelEntry

__all__ = ["describe_choice", "show_numbers"]


def describe_choice(form: ExplorerForm, snapshot: Callable[[], Snapshot | None]) -> None:
    """Say what the image is, and whether the model suits it."""
    entry: ModelEntry | None = form.sources.model.value()
    text, suited = "", ModelSuitability("" if entry else "No model yet: import one.")
    try:
        taken = snapshot()
    except DRDMError as error:
        taken, text = None, error_line(error)
    if taken is not None:
        frames = len(taken.image) if taken.image.ndim == 4 else 1
        text = describe(taken)
        form.recovery.unit = taken.length.name
        if frames > 1 and taken.labels is not None and taken.labels.ndim < taken.image.ndim:
            text += ". The labels are of one frame and are shown on every frame."
        if entry is not None:
            suited = model_suitability(taken, entry.spec)
            form.more.set_stack(is_stack(taken, entry.spec))
    if entry is not None:
        form.options.set_levels(entry.spec.schedule.levels)
        form.more.set_levels(entry.spec.schedule.levels)
        form.more.set_default_steps(entry.spec.recovery.steps)
        form.options.variety.set_own(entry.spec.recovery.variety)
    form.sources.card.setEnabled(entry is not None)
    _show_possible(form)
    form.sources.geometry_note.setText(text)
    form.sources.show_scale(suited.text, suited.grade, suited.details)


def _show_possible(form: ExplorerForm) -> None:
    """Without an image nothing can be generated."""
    there = form.sources.image.value() is not None
    form.run_bar.generate.setEnabled(there)
    form.variants_panel.set_possible(there)
    form.pictures.set_image(there)


def show_numbers(form: ExplorerForm, outcome: RunOutcome | None, moment: Moment | None) -> None:
    """The numbers of the latest result; grey while another moment is on view."""
    form.metrics.setEnabled(moment is None or moment.outcome is not None)
    form.run_bar.set_exportable(outcome is not None)
    form.pictures.set_result(outcome is not None)
    if outcome is None:
        form.show_panel.set_legend(None)
        form.metrics.show_metrics(None)
        return
    labels, metrics = outcome.request.labels, outcome.result.metrics
    unit, figures = unit_of(outcome.request.source), outcome.result.label_figures
    form.show_panel.set_legend(arrow_limit_mm(outcome), unit.name)
    targets = len(outcome.request.options.targets)
    about = label_names(labels), _variety(form, outcome), unit, figures, targets
    form.metrics.show_metrics(metrics, *about)
    if metrics["level"] == form.options.level.value():
        form.options.set_reach(metrics["max_percent"])


def _variety(form: ExplorerForm, outcome: RunOutcome) -> float | None:
    """The variety of a result; the chosen model's own where none was given, None if unknown."""
    given, entry = outcome.request.options.variety, form.sources.model.value()
    if given is not None:
        return given
    if entry is None or entry.spec.name != outcome.result.metrics["model"]:
        return None
    own: float = entry.spec.recovery.variety
    return own
