"""What helps with the form and needs nothing of a run: names, strength, masks opened as images."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_drdm.explorer.label_offer import LabelOffer
from napari_drdm.explorer.naming import LabelNaming
from napari_drdm.explorer.strength import StrengthNote

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_drdm.explorer.dock import DeformationExplorer
    from napari_drdm.runs.requests import RunOutcome

__all__ = ["assist"]


def assist(
    viewer: ViewerModel,
    dock: DeformationExplorer,
    outcome: Callable[[], RunOutcome | None],
    renamed: Callable[[], None],
) -> None:
    """Add them to a dock, which owns them; ``renamed`` is called after labels were named."""
    naming = LabelNaming(dock, outcome)
    for show in (dock.sizes.rename, dock.steering.rename, renamed):
        naming.changed.connect(show)
    StrengthNote(dock, dock.form_reader.snapshot, lambda: dock.runner.busy)
    LabelOffer(viewer, dock)
