"""The forms of the field commands: what they offer, each with its tooltip; they compute nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui import magicgui
from magicgui.widgets import FileEdit
from napari.layers import Labels, Layer
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_drdm.field_tools.matching import grid_warning, is_field, is_image, likely_pair
from napari_drdm.field_tools.work import FieldChoice
from napari_drdm.layers.field_layers import field_of
from napari_drdm.layers.point_layers import is_movable
from napari_drdm.layers.snapshots import labels_for
from napari_drdm.widgets.message_line import MessageLine
from src_core.errors.options import option_fields
from src_core.io.formats import field_endings
from src_core.recipes.options import ApplyOptions

if TYPE_CHECKING:
    from magicgui.widgets import FunctionGui
    from napari.viewer import Viewer

__all__ = ["GRID_NOTE", "apply_form", "jacobian_form", "pick_pair", "points_form"]

#: Name of the line that says whether image and field have one grid.
GRID_NOTE = "drdm_grid_note"

_FILES = " ".join(f"*{ending}" for ending in field_endings())
_FILE = {
    "label": "or file",
    "widget_type": "FileEdit",
    "nullable": True,
    "filter": _FILES,
    "tooltip": "A displacement field in a file, where no layer is chosen above: ITK, ANTs or FSL",
}
_OPTIONS = option_fields(ApplyOptions)
_LIST_HEIGHT = 90


def _widget_of(name: str, label: str) -> dict[str, Any]:
    """What magicgui needs to show an option."""
    option = _OPTIONS[name]
    shown: dict[str, Any] = {"label": label, "tooltip": option.help}
    if option.choices:
        none = [(option.display.none, "")] if option.optional else []
        words = option.display.labels()
        choices = [*none, *((words.get(value, value), value) for value in option.choices)]
        shown |= {"widget_type": "ComboBox", "choices": choices}
    return shown


def apply_form(viewer: Viewer, start: Callable[..., None]) -> FunctionGui[..., Any]:
    """Form that moves an image and its labels by a displacement field.

    Args:
        viewer: its layers are offered.
        start: called with the form, image, labels, FieldChoice and the options of ``move_case``.
    """

    @magicgui(
        call_button="Apply",
        image=_choice(viewer, is_image, "Image", "The image to move; it is never changed"),
        label_layers={
            "widget_type": "Select",
            "label": "Labels",
            "choices": [],
            "tooltip": "Labels of this image that move along; none, one or several (Ctrl + click)",
        },
        field=_field_choice(viewer),
        file=_FILE,
        kind=_widget_of("field_kind", _OPTIONS["field_kind"].label),
        inverse=_widget_of("inverse", "Inverse"),
        interpolation=_widget_of("interpolation", "Image by"),
        label_interpolation=_widget_of("label_interpolation", "Labels by"),
    )
    def form(
        image: Any,
        label_layers: Any,
        field: Any,
        file: Any = None,
        kind: Any = "",
        inverse: bool = _OPTIONS["inverse"].default,
        interpolation: Any = _OPTIONS["interpolation"].default,
        label_interpolation: Any = _OPTIONS["label_interpolation"].default,
    ) -> None:
        options = {"interpolation": interpolation, "label_interpolation": label_interpolation}
        choice = _chosen(field, file, kind)
        start(form, image, label_layers, choice, {"inverse": inverse, **options})

    form.label_layers.native.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    form.label_layers.max_height = _LIST_HEIGHT
    form.label_layers.choices = lambda _: _fitting(viewer, form)
    form.image.changed.connect(lambda _: _offer_labels(viewer, form))
    _offer_labels(viewer, form)
    return _with_file_row(form, viewer)


def points_form(viewer: Viewer, start: Callable[..., None]) -> FunctionGui[..., Any]:
    """Form that moves points, shapes and surfaces with the tissue of an image.

    Args:
        viewer: its layers are offered.
        start: called with the form, image, layers, FieldChoice and whether by the inverse.
    """

    @magicgui(
        call_button="Move",
        layers={
            "widget_type": "Select",
            "label": "Layers",
            "choices": lambda _: [(one.name, one) for one in viewer.layers if is_movable(one)],
            "tooltip": "Points, shapes and surfaces to move, one or several (Ctrl + click)",
        },
        image=_choice(viewer, is_image, "Image", "The image that they lie on; it is not moved"),
        field=_field_choice(viewer),
        file=_FILE,
        kind=_widget_of("field_kind", _OPTIONS["field_kind"].label),
        inverse={
            "label": "Inverse",
            "tooltip": "From the new image to its source; otherwise from the source to the new "
            "image, as its tissue moved",
        },
    )
    def form(
        layers: Any, image: Any, field: Any, file: Any = None, kind: Any = "",
        inverse: bool = False,
    ) -> None:  # fmt: skip
        start(form, image, layers, _chosen(field, file, kind), inverse)

    form.layers.native.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    form.layers.max_height = _LIST_HEIGHT
    offered = [layer for layer in viewer.layers if is_movable(layer)]
    chosen = [layer for layer in offered if layer in viewer.layers.selection]
    form.layers.value = chosen or offered[:1]
    return _with_file_row(form, viewer)


def jacobian_form(viewer: Viewer, start: Callable[..., None]) -> FunctionGui[..., Any]:
    """Form that shows how a displacement field changes volume.

    Args:
        viewer: its layers are offered.
        start: called with the form, FieldChoice, the field's name, and whether lengths are wanted.
    """

    @magicgui(
        call_button="Compute",
        field=_field_choice(viewer),
        file=_FILE,
        kind=_widget_of("field_kind", _OPTIONS["field_kind"].label),
        magnitude={
            "label": "Magnitude",
            "tooltip": "Also a layer with the length of the displacement, mm",
        },
    )
    def form(field: Any, file: Any = None, kind: str = "", magnitude: bool = False) -> None:
        name = file.name if field is None and file is not None else str(field)
        start(form, _chosen(field, file, kind), name, magnitude)

    return _with_file_row(form, viewer)


def _choice(
    viewer: Viewer, fits: Callable[[Layer], bool], label: str, tip: str, nullable: bool = False
) -> dict[str, Any]:
    """Options of a list of layers."""
    return {
        "widget_type": "ComboBox",
        "label": label,
        "tooltip": tip,
        "nullable": nullable,
        "choices": lambda _: [(layer.name, layer) for layer in viewer.layers if fits(layer)],
    }


def _field_choice(viewer: Viewer) -> dict[str, Any]:
    tip = "A displacement field that is open as arrows; without one, the file below"
    return _choice(viewer, is_field, "Field", tip, nullable=True)


def _fitting(viewer: Viewer, form: FunctionGui[..., Any]) -> list[tuple[str, Layer]]:
    image = form.image.value
    return [
        (layer.name, layer)
        for layer in viewer.layers
        if image is not None and isinstance(layer, Labels) and labels_for(image, [layer])
    ]


def _offer_labels(viewer: Viewer, form: FunctionGui[..., Any]) -> None:
    """Offer the labels of the chosen image and pick the likeliest."""
    form.label_layers.reset_choices()
    image = form.image.value
    likely = None if image is None else labels_for(image, viewer.layers)
    form.label_layers.value = [] if likely is None else [likely]


def pick_pair(form: FunctionGui[..., Any], viewer: Viewer) -> None:
    """Choose the image and the field that are likeliest meant now."""
    image, field = likely_pair(viewer)
    for one in form:
        if one.name == "image" and image is not None:
            form.image.value = image
    form.field.value = field


def _with_file_row(form: FunctionGui[..., Any], viewer: Viewer) -> FunctionGui[..., Any]:
    """A field that is open is picked; the file and its kind show only where there is none.

    Below, whether the field's grid is the image's.
    """
    warning = MessageLine(3)
    warning.setObjectName(GRID_NOTE)
    images = [one for one in form if one.name == "image"]

    def update(_: Any = None) -> None:
        field = form.field.value
        form.file.visible = form.kind.visible = field is None
        dense = None if field is None else field_of(field)
        warning.setText(grid_warning(images[0].value, dense) if images else "")

    pick_pair(form, viewer)
    for one in (form.field, *images):
        one.changed.connect(update)
    update()
    layout = form.native.layout()
    layout.insertWidget(layout.count() - 1, warning)
    warning.setVisible(bool(images))
    _name(form)
    return form


def _name(form: FunctionGui[..., Any]) -> None:
    """Names for screen readers: each control by its label."""
    for one in form:
        native: QWidget = one.line_edit.native if isinstance(one, FileEdit) else one.native
        native.setAccessibleName(one.label if one is not form.call_button else "")
        if isinstance(one, FileEdit):
            one.choose_btn.native.setAccessibleName("Choose a file")


def _chosen(field: Layer | None, file: Path | None, kind: str) -> FieldChoice:
    if field is not None:
        return FieldChoice(field_of(field))
    return FieldChoice(path=file, kind=kind or None)
