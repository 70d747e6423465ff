"""The numbers of a result: how far it moved, whether it folded, how the labels changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

from napari_drdm.widgets.badges import BADGES, MARKS
from src_core.generation.verdict import fit_line, judge

__all__ = ["MetricsPanel", "metric_lines"]

_MOST_LABELS = 8
_TIPS = {
    "Shown": "The level, seed and variety of the result that is exported, whatever the form says; "
    "grey while another moment is on view",
    "Largest": "Largest length of the displacement; % of the longer in-plane side",
    "Mean": "Mean length of the displacement; % of the longer in-plane side",
    "Fit": "Whether the image looks like those that the model was trained on, by what its network "
    "sees in it: 1 is alike, below 0.5 is doubtful, below 0.2 does not fit",
    "Certificate": "Proof on the saved field that the map is one-to-one in every cell, and the "
    "lower bound of the Jacobian determinant anywhere inside (1 keeps volume); kept is the share "
    "of the deformation that the guard left, where it had to act. It proves nothing about "
    "anatomy. Amber: det J below 0.1 or above 10, a guard below 95 %, or an image that may not fit "
    "the model",
    "Labels": "Each label's volume before and after, and the share of it that folds",
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
        self.show_metrics(None)

    def show_metrics(
        self,
        metrics: Mapping[str, Any] | None,
        names: Mapping[int, str] | None = None,
        variety: float | None = None,
    ) -> None:
        """Show a result's metrics and its variety, or nothing."""
        lines = metric_lines(metrics, names or {}, variety) if metrics else {}
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
    metrics: Mapping[str, Any], names: Mapping[int, str], variety: float | None = None
) -> dict[str, str]:
    """The lines of the panel for a result; its variety where that is known."""
    m = metrics
    changes = [_change(m, value, names) for value in m["label_volume_change"]]
    more = len(changes) - _MOST_LABELS
    kept = "" if variety is None else f", variety {variety:g}"
    lines = {
        "Shown": f"level {m['level']}, seed {m['seed']}{kept}, {m['model']}",
        "Largest": f"{m['max_mm']:.1f} mm, {m['max_percent']:.1f} %",
        "Mean": f"{m['mean_mm']:.1f} mm, {m['mean_percent']:.1f} %",
        "Fit": fit_line(m["fit"]) if "fit" in m else "",
        "Certificate": _certificate(m),
    }
    texts = changes[:_MOST_LABELS] + ([f"and {more} more"] if more > 0 else [])
    for what in ("lost", "split"):
        texts += [f"{what}: {names.get(v, f'label {v}')}" for v in m[f"labels_{what}"]]
    lines["Labels"] = "\n".join(texts)
    return {name: line or "–" for name, line in lines.items()}


def _certificate(m: Mapping[str, Any]) -> str:
    """The verdict, what asks for care, and the bounds of the determinant."""
    verdict = judge(m)
    kept = "" if m["guard_scale"] == 1 else f", {m['guard_scale']:.1%} kept"
    lines = [f"{MARKS[verdict.grade]} {verdict.proof}", *verdict.cautions]
    return "\n".join([*lines, f"det J ≥ {m['min_det']:.3f}{kept}"])


def _change(m: Mapping[str, Any], value: str, names: Mapping[int, str]) -> str:
    """A label's name, its volume before and after, and what of it folds."""
    before, after = m["label_volume_ml"][value]
    folds = m["label_folding_permille"][value]
    name, change = names.get(int(value), f"label {value}"), m["label_volume_change"][value]
    texts = f"{name} {_ml(before)} → {_ml(after)} ml, {_signed(change)}"
    return f"{texts}, {folds:.2g} ‰ folds" if folds else texts


def _ml(volume: float) -> str:
    return f"{volume:.0f}" if volume >= 100 else f"{volume:.3g}"


def _signed(percent: float) -> str:
    rounded = round(percent)
    return f"{'−' if rounded < 0 else '+'}{abs(rounded)} %" if rounded else "±0 %"
