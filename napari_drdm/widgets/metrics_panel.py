"""The numbers of a result: how far it moved, whether it folded, how the labels changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

from napari_drdm.widgets.badges import BADGES, MARKS
from napari_drdm.widgets.label_table import LabelTable, label_notes
from napari_drdm.widgets.length_unit import MM, LengthUnit
from src_core.generation.label_figures import LabelFigures
from src_core.generation.verdict import fit_line, judge

__all__ = ["MetricsPanel", "metric_lines"]

_TIPS = {
    "Shown": "The level, seed, variety and targets of the result that is exported, whatever the "
    "form says; grey while another moment is on view",
    "Largest": "Largest length of the displacement; % of the longer in-plane side",
    "Mean": "Mean length of the displacement; % of the longer in-plane side",
    "Fit": "Whether the image looks like those that the model was trained on, by what its network "
    "sees in it: 1 is alike, below 0.5 is doubtful, below 0.2 does not fit",
    "Certificate": "Proof on the saved field that the map is one-to-one in every cell, and the "
    "lower bound of the Jacobian determinant anywhere inside (1 keeps volume); kept is the share "
    "of the deformation that the guard left, where it had to act. It proves nothing about "
    "anatomy. Amber: det J below 0.1 or above 10, a guard below 95 %, or an image that may not fit "
    "the model",
}


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
        for name in ("Shown", "Fit", "Certificate"):  # long lines do not widen the dock
            self._values[name].setWordWrap(True)
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
        targets: int = 0,
    ) -> None:
        """Show a result's metrics, its variety, its labels and how many targets it had."""
        lines = metric_lines(metrics, variety, unit, targets) if metrics else {}
        notes = label_notes(metrics, names or {}) if metrics else ""
        self.labels.show_labels(figures, names or {}, unit, notes)
        for name, label in self._values.items():
            label.setText(lines.get(name, "–"))
        badge = self._values["Certificate"]
        style = BADGES[judge(metrics).grade] if metrics else ""
        if style != badge.styleSheet():
            badge.setStyleSheet(style)
        self.updateGeometry()

    def text(self, name: str) -> str:
        """The text beside a name."""
        return self._values[name].text()


def metric_lines(
    metrics: Mapping[str, Any],
    variety: float | None = None,
    unit: LengthUnit = MM,
    targets: int = 0,
) -> dict[str, str]:
    """The lines of the panel for a result; its variety where that is known."""
    m = metrics
    kept = "" if variety is None else f", variety {variety:g}"
    kept += f", {targets} target{'s' if targets > 1 else ''}" if targets else ""
    lines = {
        "Shown": f"level {m['level']}, seed {m['seed']}{kept}, {m['model']}",
        "Largest": f"{m['max_mm']:.1f} {unit.name}, {m['max_percent']:.1f} %",
        "Mean": f"{m['mean_mm']:.1f} {unit.name}, {m['mean_percent']:.1f} %",
        "Fit": fit_line(m["fit"]).split(":")[0] if "fit" in m else "",
        "Certificate": _certificate(m),
    }
    return {name: line or "–" for name, line in lines.items()}


def _certificate(m: Mapping[str, Any]) -> str:
    """The verdict, what asks for care, and the bounds of the determinant."""
    verdict = judge(m)
    kept = "" if m["guard_scale"] == 1 else f", {m['guard_scale']:.1%} kept"
    lines = [f"{MARKS[verdict.grade]} {verdict.proof}", *verdict.cautions]
    return "\n".join([*lines, f"det J ≥ {m['min_det']:.3f}{kept}"])
