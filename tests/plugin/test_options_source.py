"""The window's controls have the range, default, choices and tooltip of the options' fields."""

from __future__ import annotations

import os
from typing import Annotated, Any

import pytest
from pydantic import Field

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from napari_drdm.batch.form import BatchForm
from napari_drdm.explorer.form import ExplorerForm
from napari_drdm.settings import Remembered, RememberedBatch
from napari_drdm.widgets.export_dialog import ExportDialog
from napari_drdm.widgets.option_controls import LARGEST, LARGEST_INT, OptionsForm
from src_core.augment.filters import Filters
from src_core.augment.formats import CASE_LAYOUTS, FORMATS
from src_core.augment.request import NOT_SHARED, Request
from src_core.errors.options import (
    BATCH,
    EXPLORER,
    Display,
    OptionField,
    TextForm,
    option_field,
    option_fields,
    parsed,
    shown_in,
)
from src_core.generation.options import Options
from src_core.io.options import FileOptions
from src_core.models.options import ModelOptions

#: Numbers of the batch that stand beside another control, or in a row of their own.
OF_REQUEST = ("levels", "per_case", "seed", "number", "spread", "like", "field_format",
              "split", "spacing", "with_sources", "workers")  # fmt: skip
IN_EXPLORER = [
    *(option_field(Options, name) for name in ("level", "seed")),
    *shown_in(EXPLORER, Options, NOT_SHARED),
]
IN_BATCH = [
    *(option_field(Request, name) for name in OF_REQUEST),
    *shown_in(BATCH, Filters),
    *shown_in(BATCH, Options, NOT_SHARED),
]
PAIR = TextForm(
    lambda text: tuple(map(int, text.split("+"))), lambda v: f"{v[0]}+{v[1]}", "two numbers"
)
#: Options whose control stands in the row of another.
BESIDE = {"number": "Layout"}
#: Bounds that the model, or this machine, sets.
WHEN_RUN = {"level": 80, "workers": os.cpu_count() or 1}


@pytest.fixture
def explorer(qtbot: Any) -> ExplorerForm:
    form = ExplorerForm()
    qtbot.addWidget(form)
    return form


@pytest.fixture
def batch(qtbot: Any) -> BatchForm:
    form = BatchForm()
    qtbot.addWidget(form)
    return form


def in_explorer(form: ExplorerForm, name: str) -> QWidget:
    if name in ("level", "seed"):
        return getattr(form.options, name)
    if name == "variety":
        return form.options.variety.box
    return form.more.options.controls[name].widget


def in_batch(form: BatchForm, name: str) -> QWidget:
    for panel in (form.filters, form.more):
        if name in panel.controls:
            return panel.controls[name].widget
    return getattr(form.fields, name)


@pytest.mark.parametrize("option", IN_EXPLORER, ids=lambda o: o.name)
def test_a_control_of_the_explorer_is_what_its_field_says(
    explorer: ExplorerForm, option: OptionField
) -> None:
    check(in_explorer(explorer, option.name), option)


@pytest.mark.parametrize("option", IN_BATCH, ids=lambda o: o.name)
def test_a_control_of_the_batch_is_what_its_field_says(
    batch: BatchForm, option: OptionField
) -> None:
    check(in_batch(batch, option.name), option)
    assert option.name in batch.values()


def check(widget: Any, option: OptionField) -> None:
    assert widget.toolTip().startswith(option.help)
    assert label_of(widget) == BESIDE.get(option.name, option.label)
    if isinstance(widget, QAbstractSpinBox):
        check_number(widget, option)
    elif isinstance(widget, QComboBox):
        assert tuple(widget.itemData(i) for i in range(widget.count())) == option.choices
        assert widget.currentData() == option.default
    elif isinstance(widget, QCheckBox):
        assert widget.isChecked() is option.default
    else:
        assert isinstance(widget, QLineEdit)
        assert widget.text() == ("" if option.default is None else option.written(option.default))
        assert option.text is None or option.range in widget.toolTip()


def check_number(widget: Any, option: OptionField) -> None:
    whole = option.kind is int
    least = option.above if option.least is None else option.least
    bounded = option.optional and None not in (option.least, option.most)
    step = 1 if whole else 10**-option.display.decimals
    none = bounded or (whole and option.optional)
    assert widget.minimum() == pytest.approx(least - step if none else least)
    largest = LARGEST_INT if whole else LARGEST
    most = WHEN_RUN.get(option.name, min(option.most or largest, largest))
    assert widget.maximum() == most
    if option.default is None:
        assert widget.value() == widget.minimum() and widget.text() == option.display.none
    else:
        assert widget.value() == option.default


def label_of(widget: QWidget) -> str:
    """The words beside a control in its form, or on it."""
    if isinstance(widget, QCheckBox):
        return widget.text()
    for form in widget.parentWidget().findChildren(QFormLayout):
        for row in range(form.rowCount()):
            label = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
            field = form.itemAt(row, QFormLayout.ItemRole.FieldRole)
            if label and field and _holds(field, widget):
                assert isinstance(label.widget(), QLabel)
                return label.widget().text()
    return ""


def _holds(item: Any, widget: QWidget) -> bool:
    if item.widget() is widget:
        return True
    layout = item.layout()
    return layout is not None and any(
        _holds(layout.itemAt(i), widget) for i in range(layout.count())
    )


def test_layouts_are_those_of_the_engine(batch: BatchForm) -> None:
    boxes = batch.fields.layouts
    assert {name: box.text() for name, box in boxes.items()} == {
        name: text.label for name, text in CASE_LAYOUTS.items()
    }
    assert all(CASE_LAYOUTS[n].help[1:] in box.toolTip() for n, box in boxes.items())
    assert batch.fields.formats() == FORMATS[:1]


def test_model_device_region_and_folders_have_the_help_of_their_fields(
    explorer: ExplorerForm, batch: BatchForm
) -> None:
    device = option_field(ModelOptions, "device")
    for box in (explorer.more.device, batch.more.device):
        assert box.toolTip() == device.help and box.currentData() == device.default
        assert label_of(box) == device.label
    assert batch.fields.model.toolTip() == option_field(ModelOptions, "model").help
    for name, line in (("dataset", batch.fields.dataset), ("out", batch.fields.out)):
        assert line.toolTip().startswith(option_field(Request, name).help)
        assert label_of(line) == option_field(Request, name).label


def test_every_option_of_a_dock_has_a_control_there() -> None:
    shown = {option.name for option in shown_in(BATCH, Request)}
    apart = {"dataset", "out", "formats", "options", "filters"}
    assert shown - apart == set(OF_REQUEST)
    assert {o.name for o in shown_in(EXPLORER, Options)} - {o.name for o in IN_EXPLORER} == {
        "region"
    }


def test_the_export_dialog_offers_the_formats_of_the_field(qtbot: Any) -> None:
    dialog = ExportDialog(None, "out", labels=False, warning="", agree=lambda *_: True)
    qtbot.addWidget(dialog)
    check(dialog.format, option_field(FileOptions, "field_format"))


@pytest.mark.parametrize(
    ("kept", "options"), [(Remembered(), IN_EXPLORER), (RememberedBatch(), IN_BATCH)]
)
def test_what_is_remembered_begins_with_the_defaults(kept: Any, options: list[OptionField]) -> None:
    stored = kept.model_dump()
    for option in options:
        plain = option.text is None or option.default is None
        default = option.default if plain else option.written(option.default)
        assert stored[option.name] == default
    assert stored["device"] == option_field(ModelOptions, "device").default


def test_a_new_option_gets_its_control_by_itself(qtbot: Any) -> None:
    class More(Options):
        """Options with one more."""

        softness: Annotated[float, Display(label="Soft", docks=(EXPLORER,))] = Field(
            default=0.5, ge=0, le=2, description="How soft."
        )

    form = OptionsForm(shown_in(EXPLORER, More, NOT_SHARED))
    qtbot.addWidget(form)
    check(form.controls["softness"].widget, option_fields(More)["softness"])
    form.place({"softness": 1.5, "steps": 3})
    others = {"slices": "shared", "variety": None, "guide": None}
    assert form.values() == {"steps": 3, "softness": 1.5, **others}
    assert "softness" not in {o.name for o in shown_in(BATCH, More)}


def test_an_option_that_is_written_as_text_is_read(qtbot: Any) -> None:
    class Written(Options):
        """Options with one that has a text form in the explorer."""

        pair: Annotated[tuple[int, int] | None, PAIR, Display(none="no pair")] = Field(
            default=None, description="Two numbers."
        )

    form = OptionsForm(shown_in(EXPLORER, Written, NOT_SHARED))
    qtbot.addWidget(form)
    line = form.controls["pair"].widget
    assert line.placeholderText() == "no pair" and form.values()["pair"] is None
    form.place({"pair": (3, 4)})
    assert line.text() == "3+4"
    line.setText(" 5+6 ")
    assert parsed(option_fields(Written), form.values())["pair"] == (5, 6)


def test_zero_is_a_value_of_an_optional_number(qtbot: Any) -> None:
    """The lowest position of a box means none; 0 comes above it where 0 is possible."""
    form = OptionsForm(shown_in(EXPLORER, Options, NOT_SHARED))
    qtbot.addWidget(form)
    box = form.controls["variety"].widget
    assert form.values()["variety"] is None and box.text() == "the model's own"
    form.place({"variety": 0.0})
    assert form.values()["variety"] == 0 and box.text() == "0.00"
    box.setValue(0.5)
    box.stepUp()
    assert form.values()["variety"] == pytest.approx(0.55)
    form.place({"variety": None})
    assert form.values()["variety"] is None
