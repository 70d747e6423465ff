"""The fields of the batch dock: what reaches the request, and what is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPushButton,
)

from src_core.augment import Filters, Request
from src_core.generation.pose import parse_pose
from tests.support.batches import fill
from tests.support.windows import wait


def test_levels_are_a_range_a_list_or_a_bell(window) -> None:
    _, dock = window()
    for text, levels in (
        ("12", (12, 12)),
        ("30:70", (30, 70)),
        ("30, 45=2, 60", {30: 1, 45: 2, 60: 1}),
    ):
        dock.fields.levels.setText(text)
        assert dock._request().levels == levels
    dock.fields.levels.setText("50~6")
    assert max(dock._request().levels, key=dock._request().levels.get) == 50
    dock.fields.levels.setText("70:30")
    wait(
        lambda: (
            dock.outlook.text()
            == "70:30 is not possible, Levels, expected lowest:highest, such as 30:70"
        )
    )
    dock.fields.levels.setText("30:77")
    wait(lambda: dock.outlook.text().startswith("level 77 does not exist, Level, expected 0"))


def test_every_field_reaches_the_request(window, data: Path, tmp_path: Path) -> None:
    _, dock = window()
    fill(dock, tmp_path)
    dock.more.controls["pose"].widget.setText("small, flip=x")
    options = {"steps": 3, "slices": "each", "interpolation": "linear"}
    options |= {"variety": None, "guide": None, "intensity": None}
    options |= {"pose": parse_pose("small,flip=x")}
    assert dock._request() == Request(
        data,
        tmp_path / "out",
        per_case=2,
        levels={20: 1, 30: 2},
        seed=7,
        formats=("nifti", "nnunet"),
        options={**options, "label_interpolation": "nearest"},
        field_format="fsl",
        filters=Filters(0.5, 40, 80, True, True, 3),
        with_sources=True,
        number=321,
        workers=dock.more.controls["workers"].widget.value(),
    )


def test_what_was_chosen_is_there_again(window, tmp_path: Path) -> None:
    viewer, dock = window()
    wanted = fill(dock, tmp_path)
    dock.fields.dataset.setText(str(tmp_path / "nowhere"))
    wanted["dataset"] = tmp_path / "nowhere"
    dock.start.click()
    wait(lambda: not dock.busy)
    viewer.window.remove_dock_widget(dock)
    _, again = viewer.window.add_plugin_dock_widget("napari-drdm", "Batch augmentation")
    wait(lambda: again.fields.model.value() is not None)
    assert again is not dock and again.values() == wanted
    assert again.wanted.opened and not again.rest.opened and again.fields.number.isEnabled()


def test_every_control_has_a_tooltip(window) -> None:
    _, dock = window()
    for kind in (QPushButton, QAbstractSpinBox, QComboBox, QCheckBox, QLineEdit):
        for control in dock.findChildren(kind):
            inside = isinstance(control.parent(), QAbstractSpinBox)
            assert inside or control.toolTip(), control
    assert dock.progress.toolTip() and dock.log.toolTip()


def test_docks_of_ours_share_one_place(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    docks = [
        viewer.window.add_plugin_dock_widget("napari-drdm", name)[0]
        for name in ("Deformation explorer", "Batch augmentation")
    ]
    window = docks[0].parent()
    wait(lambda: docks[0] in window.tabifiedDockWidgets(docks[1]))
