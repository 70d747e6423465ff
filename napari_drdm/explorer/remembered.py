"""What the form remembers from one session to the next."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from napari_drdm.overlays import DrawingStyle
from napari_drdm.settings import Remembered, load_settings, save_settings

if TYPE_CHECKING:
    from napari_drdm.explorer.form import ExplorerForm

__all__ = ["place_settings", "recall", "remember", "remembered_of"]


def recall(form: ExplorerForm) -> Remembered:
    """Put the form where it was; model and device follow once they are known."""
    kept = load_settings(Remembered)
    place_settings(form, kept)
    return kept


def place_settings(form: ExplorerForm, kept: Remembered) -> None:
    """Set the controls, but those of model and device, without a run."""
    values = kept.model_dump()
    form.options.place(values["level"], values["seed"], values["variety"])
    form.more.place(values)
    form.more.memory.setValue(kept.memory)
    form.more.offer_results.setChecked(kept.offer_results)
    form.options.live.setChecked(kept.live)
    if kept.shown is not None:
        form.show_panel.set_kinds(kept.shown)
    known = {f.name for f in fields(DrawingStyle)}
    style: dict[str, Any] = {name: value for name, value in kept.style.items() if name in known}
    with suppress(TypeError, ValueError):
        form.show_panel.set_drawing(DrawingStyle(**style))


def remember(form: ExplorerForm) -> None:
    """Save the state of the form."""
    save_settings(remembered_of(form))


def remembered_of(form: ExplorerForm) -> Remembered:
    """The state of the form; the folder of exports as it was."""
    entry, device = form.sources.model.value(), form.more.device.currentData()
    style = asdict(form.show_panel.drawing())
    kept = load_settings(Remembered)
    return Remembered(
        **form.options.values(),
        **form.more.values(),
        live=form.options.live.isChecked(),
        shown=frozenset(form.show_panel.kinds()),
        style={n: v for n, v in style.items() if isinstance(v, bool | int | float | str)},
        export_folder=kept.export_folder,
        device=str(device or "auto"),
        model=entry.name if entry else "",
        memory=form.more.memory.value(),
        offer_results=form.more.offer_results.isChecked(),
    )
