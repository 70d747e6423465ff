"""The table of a result's labels: size, displacement and shape, with names that can be edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_drdm.widgets.length_unit import MM, LengthUnit
from src_core.generation.label_figures import LabelFigures

__all__ = ["LabelTable", "label_notes", "label_rows", "table_columns"]

_ROWS_ON_VIEW = 8
_NAME, _VALUE = 0, 1
_TIP = (
    "Each label before → after. Double-click a name to change it: it is kept with the label file. "
    "Ctrl+C copies what is selected, or all of it, for a spreadsheet"
)


class LabelTable(QWidget):
    """``renamed(int, str)``: the user named a label, or took its name away.

    Attributes:
        table: a row for each label.
        copy: puts all of it into the clipboard.
        notes: labels that were lost or split.
    """

    renamed = Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self.table, self.copy, self.notes = _CopiedTable(), QPushButton("Copy table"), QLabel()
        self._filling = False
        self._shown: object = None
        self._set_up()
        row = QHBoxLayout()
        row.addWidget(self.notes, 1)
        row.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.table)
        column.addLayout(row)
        self.show_labels((), {}, MM)

    def show_labels(
        self,
        figures: Sequence[LabelFigures],
        names: Mapping[int, str],
        unit: LengthUnit,
        notes: str = "",
    ) -> None:
        """Show the labels of a result, or none, which hides the table."""
        if self._shown == (shown := (tuple(map(id, figures)), dict(names), unit, notes)):
            return  # moments of one run change nothing here
        self._shown, self._filling = shown, True
        self.notes.setText(notes)
        self.setVisible(bool(figures))
        columns, rows = table_columns(unit, figures), label_rows(figures, names, unit)
        self.table.setColumnCount(len(columns))
        self.table.setRowCount(len(rows))
        for place, (title, tip) in enumerate(columns):
            header = QTableWidgetItem(title)
            header.setToolTip(tip)
            self.table.setHorizontalHeaderItem(place, header)
        for line, cells in enumerate(rows):
            for place, text in enumerate(cells):
                self.table.setItem(line, place, _cell(text, place == _NAME))
        self._fit(len(rows))
        self._filling = False

    def text(self) -> str:
        """What is selected, or all with the titles, as lines of tab-separated cells."""
        chosen = {(i.row(), i.column()) for i in self.table.selectedIndexes()}
        if len(chosen) > 1:
            lines = sorted({row for row, _ in chosen})
            return "\n".join(
                "\t".join(self._cell_text(r, c) for c in self._columns() if (r, c) in chosen)
                for r in lines
            )
        titles = [self._title(c) for c in self._columns()]
        body = [
            "\t".join(self._cell_text(row, c) for c in self._columns())
            for row in range(self.table.rowCount())
        ]
        return "\n".join(["\t".join(titles), *body])

    def copy_text(self) -> None:
        """Put ``text`` into the clipboard."""
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.text())

    def _set_up(self) -> None:
        table = self.table
        table.setToolTip(_TIP)
        table.setAccessibleName("Labels of the result: size, displacement and shape")
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setTabKeyNavigation(False)  # Tab leads on to the next control
        table.itemChanged.connect(self._on_changed)
        rows = table.verticalHeader()
        if rows is not None:
            rows.setVisible(False)
            rows.setDefaultSectionSize(table.fontMetrics().height() + 8)
        header = table.horizontalHeader()
        if header is not None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.copy.setToolTip("Copy the table as tab-separated text (Ctrl+C in the table)")
        self.copy.setAccessibleName("Copy the table of labels")
        self.copy.clicked.connect(self.copy_text)
        table.copied.connect(self.copy_text)
        corner = table.findChild(QAbstractButton)
        if corner is not None:
            corner.setToolTip("Select all")
            corner.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            corner.setAccessibleName("Select all of the table")

    def _fit(self, rows: int) -> None:
        """As high as its rows, up to a number; further ones are reached by its own bar."""
        header = self.table.horizontalHeader()
        high = self.table.rowHeight(0) if rows else 0
        title = header.sizeHint().height() if header is not None else 0
        bar = self.table.horizontalScrollBar()
        below = bar.sizeHint().height() if bar is not None else 0
        self.table.setFixedHeight(title + min(rows, _ROWS_ON_VIEW) * high + below + 4)

    def _columns(self) -> range:
        return range(self.table.columnCount())

    def _title(self, column: int) -> str:
        item = self.table.horizontalHeaderItem(column)
        return item.text() if item is not None else ""

    def _cell_text(self, row: int, column: int) -> str:
        item = self.table.item(row, column)
        return item.text().replace("−", "-") if item is not None else ""

    def _on_changed(self, item: QTableWidgetItem) -> None:
        if self._filling or item.column() != _NAME:
            return
        value = int(self._cell_text(item.row(), _VALUE))
        name = " ".join(item.text().split())
        self.renamed.emit(value, "" if name == _default_name(value) else name)


class _CopiedTable(QTableWidget):
    """A table of which Ctrl+C copies more than one cell: ``copied()``."""

    copied = Signal()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Copy, or what any table does."""
        if event is not None and event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
            event.accept()
        else:
            super().keyPressEvent(event)


def table_columns(
    unit: LengthUnit, figures: Sequence[LabelFigures] = ()
) -> tuple[tuple[str, str], ...]:
    """Titles and tooltips; a wall has its thickness where one of the labels is a wall."""
    size = unit.area if _flat(figures) else unit.volume
    columns = (
        ("label", "Double-click to name it"),
        ("value", "In the label map"),
        (f"{size} before", "Size in the source"),
        (f"{size} after", "Size in the new anatomy"),
        ("change %", "Of its size"),
        (f"mean {unit.name}", "Mean displacement over the new label"),
        (f"95 % {unit.name}", "Displacement that 95 % of the new label stay below"),
        (f"most {unit.name}", "Largest displacement in the new label"),
        ("det J", "Mean over the new label: below 1 its tissue grew, above 1 it shrank"),
        ("elong. before", "Longest by shortest axis in the source, 1 is a disc or ball"),
        ("elong. after", "Longest by shortest axis in the new anatomy"),
    )
    walls = (
        (f"wall {unit.name} before", "Mean thickness in the source, of a label around another"),
        (f"wall {unit.name} after", "Mean thickness in the new anatomy"),
    )
    return columns + walls if _walled(figures) else columns


def label_rows(
    figures: Sequence[LabelFigures], names: Mapping[int, str], unit: LengthUnit
) -> list[tuple[str, ...]]:
    """The cells of the table as text, one row for each label."""
    return [_row(one, names, unit, _flat(figures), _walled(figures)) for one in figures]


def label_notes(metrics: Mapping[str, Any], names: Mapping[int, str]) -> str:
    """Labels that were lost, split or folded, one line each."""
    lines = [
        f"{what}: {names.get(v) or f'label {v}'}"
        for what in ("lost", "split")
        for v in metrics[f"labels_{what}"]
    ]
    folds = metrics["label_folding_permille"].items()
    lines += [f"{names.get(int(v)) or f'label {v}'}: {n:.2g} ‰ folds" for v, n in folds if n]
    return "\n".join(lines)


def _row(
    one: LabelFigures, names: Mapping[int, str], unit: LengthUnit, flat: bool, walled: bool
) -> tuple[str, ...]:
    before, after = one.area_mm2 if flat else (v * unit.per_ml for v in one.volume_ml)
    walls = [_number(mm) for mm in one.wall_mm] if walled else []
    return (
        names.get(one.value) or _default_name(one.value),
        str(one.value),
        _number(before),
        _number(after),
        f"{one.change_percent:+.1f}".replace("-", "−") if isfinite(one.change_percent) else "",
        *(_length(mm) for mm in (one.mean_mm, one.most_mm, one.largest_mm)),
        f"{one.det:.2f}" if isfinite(one.det) else "",
        *(f"{ratio:.2f}" if isfinite(ratio) else "" for ratio in one.elongation),
        *walls,
    )


def _flat(figures: Sequence[LabelFigures]) -> bool:
    return bool(figures) and isfinite(figures[0].area_mm2[0])


def _walled(figures: Sequence[LabelFigures]) -> bool:
    return any(isfinite(one.wall_mm[0]) for one in figures)


def _default_name(value: int) -> str:
    return f"label {value}"


def _length(mm: float) -> str:
    return f"{mm:.1f}" if isfinite(mm) else ""


def _number(value: float) -> str:
    if not isfinite(value):
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _cell(text: str, editable: bool) -> QTableWidgetItem:
    cell = QTableWidgetItem(text)
    flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
    cell.setFlags(flags | Qt.ItemFlag.ItemIsEditable if editable else flags)
    if not editable:
        cell.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return cell
