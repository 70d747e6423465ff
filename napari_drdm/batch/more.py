"""A batch's rarer choices: which new cases are kept, and how they are made and written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from napari_drdm.widgets.controls import device_box, offer_devices
from napari_drdm.widgets.option_controls import OptionsForm
from src_core.augment.filters import Filters
from src_core.augment.request import NOT_SHARED, Request
from src_core.errors.options import BATCH, option_field, shown_in
from src_core.generation.options import Options
from src_core.models.options import ModelOptions

__all__ = ["BatchFilters", "BatchMore"]

_OF_RUN = ("spread", "like", "field_format", "split", "spacing", "with_sources", "workers")


class BatchFilters(OptionsForm):
    """Bounds that new cases must keep, by the names of the engine's ``Filters``."""

    def __init__(self) -> None:
        super().__init__(shown_in(BATCH, Filters))
        self.controls["max_volume_change"].widget.setPrefix("± ")


class BatchMore(OptionsForm):
    """How new cases are made and written; ``device`` is where the model runs."""

    def __init__(self) -> None:
        super().__init__(
            [*shown_in(BATCH, Options, NOT_SHARED), *(option_field(Request, n) for n in _OF_RUN)]
        )
        self.device = device_box()
        self.device.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.rows.addRow(option_field(ModelOptions, "device").label, self.device)
        self.controls["workers"].widget.setMaximum(os.cpu_count() or 1)

    def values(self) -> dict[str, Any]:
        """What is chosen, by the engine's names; text forms as text."""
        device = self.device.currentData() or option_field(ModelOptions, "device").default
        return {**super().values(), "device": str(device)}

    def set_model(self, levels: int, steps: int) -> None:
        """The most steps a model can take, and its own number."""
        box = self.controls["steps"].widget
        box.setRange(0, levels)
        box.setSpecialValueText(f"auto ({steps})")

    def offer_devices(self, devices: Sequence[tuple[str, str]], pick: str) -> None:
        """Devices by name and in words."""
        offer_devices(self.device, devices, pick)
