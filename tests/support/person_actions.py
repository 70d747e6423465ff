"""What a person may do at the window: each action by name, with how often it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QComboBox, QDialog

from tests.support.steering_actions import drag_anatomy, find_seeds, set_target
from tests.support.windows import settle, wait

if TYPE_CHECKING:
    from tests.support.person import Person

__all__ = ["ACTIONS", "MM", "SCALE", "SHAPES"]

#: What the user may open: name, shape, and whether labels come along.
SHAPES = {"heart": (3, 30, 26), "slice": (40, 33), "head": (14, 16, 18), "cine": (2, 2, 30, 26)}
MOST = 12  # napari takes long to add to more layers
MM = ("pixel", "mm", "mm", "mm")
SCALE = (1, 8, 5.6, 4.9)


def _drag(p: Person, n: int) -> None:
    for step in range(4):
        p.slide(p.explorer.options.slider, n + 3 * step)
        p.rest(n % 20)


def _seed(p: Person, n: int) -> None:
    p.explorer.options.seed.setValue(n % 7)


def _seed_button(p: Person, n: int) -> None:
    options = p.explorer.options
    p.click((options.following, options.previous, options.dice)[n % 3])


def _labels(p: Person, n: int) -> None:
    p.pick(p.explorer.sources.labels, n)


def _tick(p: Person, n: int) -> None:
    boxes = list(p.explorer.show_panel.boxes.values())
    p.click(boxes[n % len(boxes)])


def _style(p: Person, n: int) -> None:
    panel = p.explorer.show_panel
    control = (panel.density, panel.lines, panel.length, panel.direction)[n % 4]
    if isinstance(control, QComboBox):
        p.pick(control, n // 4)
    else:
        p.slide(control, n // 4)


def _roll(p: Person, n: int) -> None:
    dims = p.viewer.dims
    (dims.roll, dims.transpose)[n % 2]()


def _ndisplay(p: Person, n: int) -> None:
    p.viewer.dims.ndisplay = 5 - p.viewer.dims.ndisplay


def _slice(p: Person, n: int) -> None:
    dims = p.viewer.dims
    axis = n % dims.ndim
    dims.set_current_step(axis, n // 4 % max(1, dims.nsteps[axis]))


def _cursor(p: Person, n: int) -> None:
    p.viewer.cursor.position = tuple(float((n >> 2 * a) % 100) for a in range(p.viewer.dims.ndim))


def _region(p: Person, n: int) -> None:
    more = p.explorer.more
    p.click(more._draw)
    shapes = more.region.value()
    if shapes is None or shapes in p.users:
        return
    p.users.append(shapes)
    image = p.explorer.sources.image.value()
    full = np.array(image.data.shape[-shapes.ndim :]) - 1
    corner = np.round(full * (0.1, 0.3, 0.5)[n % 3])
    ends = np.array([corner, corner, full, full], dtype=float)
    ends[1, -1], ends[3, -1] = full[-1], corner[-1]
    ends[:, :-2] = full[:-2] // 2
    shapes.add_rectangles([ends])
    shapes.mode = "pan_zoom"


def _extras(p: Person, n: int) -> None:
    actions = p.explorer.more.extras._actions
    if actions:
        actions[n % len(actions)][0].toggle()


def _choose(p: Person, n: int) -> None:
    strip = p.explorer.variants_panel.strip
    if not strip.count():
        return
    item = strip.item(n % strip.count())
    if n % 3 == 0:
        item.setSelected(True)
    else:
        strip.setCurrentItem(item)


def _rename(p: Person, n: int) -> None:
    items = p.explorer.variants_panel.strip.selectedItems()
    if items:
        items[0].setText(("", "a", f"name {n}")[n % 3])


def _hold(p: Person, n: int) -> None:
    for down in (True, False):
        p.explorer.variants_panel.strip.held.emit(down)
        p.rest(n % 30)


def _delete_layer(p: Person, n: int) -> None:
    layers = [x for x in p.viewer.layers if n % 4 == 0 or x not in p.users]
    layer = p.one(layers, n // 4)
    if layer is not None:
        p.viewer.layers.remove(layer)
    while len(p.viewer.layers) > MOST:
        p.viewer.layers.pop(n % len(p.viewer.layers))


def _open_layer(p: Person, n: int) -> None:
    there = {layer.name for layer in p.present}
    missing = [name for name in SHAPES if name not in there]
    if missing:
        p.open_layers(missing[n % len(missing)])
    elif n % 5 == 0:
        colours = np.indices((3, 20, 22)).sum(0).astype(np.uint8).transpose(1, 2, 0) * 5
        p.users.append(p.viewer.add_image(colours, rgb=True, name="photograph", units=MM[2:]))


def _own_layer(p: Person, n: int) -> None:
    """The user changes a layer of their own."""
    layer = p.one(p.present, n)
    if layer is None:
        return
    match n // 100 % 5:
        case 0:
            layer.visible = not layer.visible
        case 1:
            layer.name = f"{layer.name.split(' #')[0]} #{n % 9}"
        case 2 if isinstance(layer, Labels):
            layer.data = np.roll(layer.data, 1, -1)
        case 3 if isinstance(layer, Image) and not layer.rgb:
            layer.contrast_limits = (0, 300 + n % 100)
        case _:
            p.viewer.layers.move(p.viewer.layers.index(layer), n % len(p.viewer.layers))


def _select(p: Person, n: int) -> None:
    p.viewer.layers.selection.active = p.one(list(p.viewer.layers), n)


def _export(p: Person, n: int) -> None:
    p.explorer.export(str(p.folder / f"out {n % 3}"), overwrite=bool(n % 2))


def _ask(p: Person, n: int) -> None:
    """A dialog is opened and answered."""
    explorer = p.explorer
    p.click(explorer.run_bar.export if n % 2 else explorer.sources.card)
    p.rest(5)
    for dialog in explorer.findChildren(QDialog):
        if dialog.isVisible():
            (dialog.accept if n % 4 < 3 else dialog.reject)()


def _copy(p: Person, n: int) -> None:
    p.click((p.explorer.run_bar.python, p.explorer.run_bar.command)[n % 2])


def _import(p: Person, n: int) -> None:
    p.explorer.import_model(str(p.folder / ("broken.pth", "broken.safetensors", "none.pth")[n % 3]))


def _close_dock(p: Person, n: int) -> None:
    dock = p.explorer
    while not hasattr(dock, "destroyOnClose"):
        dock = dock.parent()
    p.explorer = None
    dock.destroyOnClose()
    p.rest(n % 50)
    p.open_dock()


def _press(p: Person, n: int) -> None:
    keys = (Qt.Key.Key_Return, Qt.Key.Key_D, Qt.Key.Key_P, Qt.Key.Key_Comma, Qt.Key.Key_Period)
    QTest.keyClick(p.explorer, keys[n % 5], Qt.KeyboardModifier.ControlModifier)


def _click_curve(p: Person, n: int) -> None:
    curve = p.explorer.recovery.curve
    QTest.mouseClick(curve, Qt.MouseButton.LeftButton, pos=QPoint(n % max(1, curve.width()), 5))


def _session(p: Person, n: int) -> None:
    """A session is saved, or opened: its layers are the user's."""
    folder, sessions = p.folder / "work.drdm", p.explorer.sessions
    if n % 2 or not folder.exists():
        sessions.save(folder)
        p.rest(n % 50)
        return
    ended: list[bool] = []
    sessions.opened.connect(lambda: ended.append(True))
    sessions.failed.connect(lambda _: ended.append(False))
    sessions.open(folder)
    wait(lambda: bool(ended))
    p.users += [x for x in p.viewer.layers if x not in p.users and not p.explorer._owns(x)]


def _panel(name: str) -> Callable[[Person, int], None]:
    return lambda p, n: p.click(p.explorer.variants_panel.buttons[name])


#: Name -> how often, and what.
ACTIONS: dict[str, tuple[float, Callable[[Person, int], None]]] = {
    "level": (8, lambda p, n: p.slide(p.explorer.options.slider, n)),
    "drag": (4, _drag),
    "seed": (5, _seed),
    "seed button": (3, _seed_button),
    "live": (1, lambda p, n: p.click(p.explorer.options.live)),
    "generate": (4, lambda p, n: p.click(p.explorer.run_bar.generate)),
    "cancel": (3, lambda p, n: p.click(p.explorer.run_bar.cancel)),
    "image": (5, lambda p, n: p.pick(p.explorer.sources.image, n)),
    "labels": (3, _labels),
    "model": (4, lambda p, n: p.pick(p.explorer.sources.model, n)),
    "steps": (2, lambda p, n: p.explorer.more.steps.setValue(n % 4)),
    "slices": (2, lambda p, n: p.pick(p.explorer.more.slices, n)),
    "device": (1, lambda p, n: p.pick(p.explorer.more.device, n)),
    "region": (2, _region),
    "choose region": (2, lambda p, n: p.pick(p.explorer.more.region, n)),
    "extras": (3, _extras),
    "tick": (8, _tick),
    "style": (4, _style),
    "scrub": (8, lambda p, n: p.slide(p.explorer.recovery.slider, n)),
    "curve": (1, _click_curve),
    "play": (2, lambda p, n: p.click(p.explorer.recovery.play)),
    "press": (2, _press),
    "roll": (2, _roll),
    "2D or 3D": (3, _ndisplay),
    "slice": (6, _slice),
    "cursor": (3, _cursor),
    "choose": (5, _choose),
    "pin": (3, _panel("pin")),
    "rename": (1, _rename),
    "forget": (2, _panel("delete")),
    "undo delete": (1, _panel("undo")),
    "session": (0.5, _session),
    "offer results": (0.5, lambda p, n: p.click(p.explorer.more.offer_results)),
    "A/B": (3, _panel("blink")),
    "hold B": (1, _hold),
    "difference": (2, _panel("difference")),
    "nine seeds": (0.5, _panel("grid")),
    "delete layer": (4, _delete_layer),
    "open layer": (4, _open_layer),
    "own layer": (4, _own_layer),
    "select": (2, _select),
    "export": (1, _export),
    "dialog": (1, _ask),
    "copy": (1, _copy),
    "import": (0.5, _import),
    "section": (1, lambda p, n: list(p.explorer.sections.values())[n % 6].header.click()),
    "target": (4, set_target),
    "drag anatomy": (6, drag_anatomy),
    "find seeds": (0.5, find_seeds),
    "close the dock": (0.7, _close_dock),
    "wait": (10, lambda p, n: p.rest(n % 60)),
    "settle": (4, lambda p, n: settle(p.explorer)),
}
