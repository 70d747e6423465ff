"""Layers > Transform > Apply displacement field, Move points; Measure > Jacobian determinant."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from napari import current_viewer
from napari.layers import Image, Labels, Layer
from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDockWidget

from napari_drdm.field_tools.forms import apply_form, jacobian_form, pick_pair, points_form
from napari_drdm.field_tools.work import (
    FieldChoice,
    JacobianDone,
    MoveDone,
    PointsDone,
    jacobian_of,
    move,
    move_vertices,
    snapshot_of,
)
from napari_drdm.layers.derived import derived_metadata, look_of
from napari_drdm.layers.field_follower import placement_over
from napari_drdm.layers.field_layers import round_mm
from napari_drdm.layers.geometry import placement
from napari_drdm.layers.point_layers import moved_layer, take_points
from napari_drdm.messages import error_line
from napari_drdm.overlays import JACOBIAN_LIMITS, jacobian_colormap, magnitude_colormap
from napari_drdm.overlays.rim import keep_rim_true
from napari_drdm.runs.runner import BackgroundTask
from napari_drdm.widgets.column import Column
from napari_drdm.widgets.dock_place import OURS, share_place
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from magicgui.widgets import FunctionGui
    from napari.viewer import Viewer

__all__ = ["open_apply_field", "open_jacobian", "open_move_points"]


def open_apply_field() -> None:
    """Open the form in the current viewer."""
    _dock(lambda viewer: apply_form(viewer, partial(_apply, viewer)), "Apply displacement field")


def open_move_points() -> None:
    """Open the form in the current viewer."""
    _dock(
        lambda viewer: points_form(viewer, partial(_move_points, viewer)),
        "Move points by displacement field",
    )


def open_jacobian() -> None:
    """Open the form in the current viewer."""
    _dock(lambda viewer: jacobian_form(viewer, partial(_measure, viewer)), "Jacobian determinant")


def _dock(make: Callable[[Viewer], FunctionGui[..., Any]], name: str) -> None:
    viewer = current_viewer()
    if viewer is None:
        return
    open_already: Any = viewer.window.dock_widgets.get(name)
    if open_already is None:
        form = make(viewer)
        column: Any = Column(form.native)
        column._magic_widget = form  # what napari gives as the widget of the dock
        column.reset_choices = form.reset_choices  # what it calls when layers come and go
        column.setObjectName(OURS)
        viewer.window.add_dock_widget(column, name=name, area="right")
        QTimer.singleShot(0, partial(share_place, column))
        return
    form = open_already
    pick_pair(form, viewer)
    dock = form.native.parent()
    while not isinstance(dock, QDockWidget):
        dock = dock.parent()
    dock.show()
    dock.raise_()


def _apply(
    viewer: Viewer,
    form: FunctionGui[..., Any],
    image: Image,
    labels: list[Labels],
    choice: FieldChoice,
    options: dict[str, Any],
) -> None:
    if image is None:
        show_error("open an image first")
        return
    try:
        snapshot = snapshot_of(image, labels)
    except DRDMError as error:
        show_error(error_line(error))
        return
    name = "moved back" if options["inverse"] else "moved"
    work = partial(move, snapshot, choice, **options)
    _run(form, work, lambda done: _show_moved(viewer, done, image, labels, name))


def _move_points(
    viewer: Viewer,
    form: FunctionGui[..., Any],
    image: Image | None,
    layers: list[Layer],
    choice: FieldChoice,
    inverse: bool,
) -> None:
    if image is None or not layers:
        show_error("choose points, shapes or a surface, and the image they lie on")
        return
    try:
        snapshot = snapshot_of(image, [])
        points = [take_points(layer, image) for layer in layers]
    except DRDMError as error:
        show_error(error_line(error))
        return
    name = "moved back" if inverse else "moved"

    def show(done: PointsDone) -> None:
        for own, voxels in zip(points, done.voxels, strict=True):
            viewer.add_layer(moved_layer(own, voxels, name))

    _run(form, partial(move_vertices, snapshot, points, choice, inverse), show)


def _measure(
    viewer: Viewer, form: FunctionGui[..., Any], choice: FieldChoice, name: str, magnitude: bool
) -> None:
    work = partial(jacobian_of, choice)
    _run(form, work, lambda done: _show_maps(viewer, done, name, magnitude))


def _run(form: FunctionGui[..., Any], work: Callable[[], Any], show: Callable[[Any], None]) -> None:
    """Work off the main thread; meanwhile the form waits, and the rest of the window does not."""
    button: Any = form.call_button
    text, button.text = button.text, "Working…"
    form.native.setEnabled(False)  # the button alone would be enabled again by magicgui

    def end(report: Callable[[], None]) -> None:
        button.text = text
        form.native.setEnabled(True)
        report()

    job = BackgroundTask(form.native)

    def show_all(done: Any) -> None:
        show(done)
        show_info(done.summary)
        if warning := getattr(done, "warning", ""):
            show_warning(f"Warning: {warning}")

    job.done.connect(lambda done: end(partial(show_all, done)))
    job.failed.connect(lambda message: end(lambda: show_error(message)))
    job.run(work)


def _show_moved(
    viewer: Viewer, done: MoveDone, image: Image, labels: list[Labels], name: str
) -> None:
    viewer.add_layer(Image(done.image, **look_of(image), **_common(image, name)))
    for layer, values in zip(labels, done.labels, strict=True):
        data = values.astype(layer.data.dtype, copy=False)
        moment = {"colormap": layer.colormap, "opacity": layer.opacity}
        viewer.add_layer(Labels(data, **moment, **_common(layer, name)))


def _show_maps(viewer: Viewer, done: JacobianDone, name: str, magnitude: bool) -> None:
    field, plane = done.field, done.field.plane
    key = "plane_affine" if plane else "affine"
    common = {
        "metadata": {"drdm": {key: field.grid.affine}},
        "opacity": 0.8,
        **placement_over(viewer, field),
    }
    limits, colours = JACOBIAN_LIMITS, jacobian_colormap()
    maps = [("Jacobian", done.jacobian, limits, colours)]
    if magnitude:
        maps.append(("mm", done.magnitude, (0.0, round_mm(field)), magnitude_colormap()))
    for kind, values, limits, colours in maps:
        moment = {"colormap": colours, "contrast_limits": limits, "blending": "translucent"}
        layer = Image(values, name=f"{name} | {kind}", **moment, **common)
        viewer.add_layer(keep_rim_true(layer) if kind == "Jacobian" else layer)


def _common(source: Layer, name: str) -> dict[str, Any]:
    return {
        "name": f"{source.name} | {name}",
        "metadata": derived_metadata(source, name),
        **placement(source, source.ndim),
    }
