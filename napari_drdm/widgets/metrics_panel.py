"""The numbers of a result: how far it moved, whether it folded, how the labels changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

from napari_drdm.widgets.label_table import LabelTable, label_notes
from napari_drdm.widgets.length_unit import MM, LengthUnit
from src_core.generation.label_figures import LabelFigures

__all__ = ["MetricsPanel", "metric_lines"]

_TIPS = {
    "Shown": "The level, seed and variety of the result that is exported, whatever the form says; "
    "grey while another moment is on view",
    "Largest": "Largest length of the displacement; % of the longer in-plane side",
    "Mean": "Mean length of the displacement; % of the longer in-plane side",
    "Certificate": "Proof on the saved field that the map is one-to-one in every cell, and the "
    "lower bound of the Jacobian determinant anywhere inside (1 keeps volume); kept is the share "
    "of the deformation that the guard left, where it had to act",
}


_BADGE = (
    "QLabel {{ background: {}; color: white; border-radius: 4px; padding: 1px 5px; }} "
    "QLabel:disabled {{ background: #7a7a7a; color: #d0d0d0; }}"
)
_BADGES = {"✓": _BADGE.format("#2e7d4f"), "✗": _BADGE.format("#b3402e")}


class MetricsPanel(QWidget):
    """Numbers by name; empty until there is a result."""

    def __init__(self) -> None:
        super().__init__()
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(2)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._values = {name: QLabel() for name in _TIPS}
        for name, label in self._values.items():
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            title = QLabel(name)
            for widget in (title, label):
                widget.setToolTip(_TIPS[name])
            form.addRow(title, label)
        self._values["Shown"].setWordWrap(True)  # a long model name does not widen the dock
        self._values["Certificate"].setObjectName("drdm_certificate")
        self.labels = LabelTable()
        form.addRow(self.labels)
        self.show_metrics(None)

    def show_metrics(
        self,
        metrics: Mapping[str, Any] | None,
        names: Mapping[int, str] | None = None,
        variety: float | None = None,
        unit: LengthUnit = MM,
        figures: Sequence[LabelFigures] = (),
    ) -> None:
        """Show a result's metrics, its variety and its labels, or nothing."""
        lines = metric_lines(metrics, variety, unit) if metrics else {}
        notes = label_notes(metrics, names or {}) if metrics else ""
        self.labels.show_labels(figures, names or {}, unit, notes)
        for name, label in self._values.items():
            label.setText(lines.get(name, "–"))
        badge = self._values["Certificate"]
        style = _BADGES.get(badge.text()[0], "")
        if style != badge.styleSheet():
            badge.setStyleSheet(style)
        self.updateGeometry()

    def text(self, name: str) -> str:
        """The text beside a name."""
        return self._values[name].text()


def metric_lines(
    metrics: Mapping[str, Any], variety: float | None = None, unit: LengthUnit = MM
) -> dict[str, str]:
    """The lines of the panel for a result; its variety where that is known."""
    m = metrics
    kept = "" if variety is None else f", variety {variety:g}"
    lines = {
        "Shown": f"level {m['level']}, seed {m['seed']}{kept}, {m['model']}",
        "Largest": f"{m['max_mm']:.1f} {unit.name}, {m['max_percent']:.1f} %",
        "Mean": f"{m['mean_mm']:.1f} {unit.name}, {m['mean_percent']:.1f} %",
        "Certificate": _certificate(m),
    }
    return {name: line or "–" for name, line in lines.items()}


def _certificate(m: Mapping[str, Any]) -> str:
    kept = "" if m["guard_scale"] == 1 else f", {m['guard_scale']:.1%} kept"
    if m["certified"]:
        return f"✓ no folds, det J ≥ {m['min_det']:.3f}{kept}"
    return f"✗ {m['strict_folding_permille']:.2f} ‰ of the cells may fold{kept}"
