"""The moments of the tutorial, each as a person would come to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt

from pictures.bean import bean
from pictures.hand import choose, click, drag, hold, key, rest, spin, type_file, until, write
from pictures.readers import reader
from pictures.stage import Stage
from pictures.steering import dragging, targets
from pictures.tour import tour

__all__ = ["LIGHT", "SCENES", "Scene", "data_set"]

#: A window to act in, and a folder for what is written on the way.
Scene = Callable[[Stage, Path], None]

_SLICE = 4


def stack(stage: Stage, room: Path) -> None:
    """The first result, a drag, a run as a film, and overlays."""
    _open(stage, "volume")
    stage.settle()
    drag(stage.explorer.options.slider, 48)
    spin(stage.explorer.options.seed, 1)
    click(stage.explorer.run_bar.generate)
    stage.settle()
    stage.hover()
    stage.shoot("01-first-result")
    _live(stage)
    _recovery(stage)
    stage.tick({"image", "arrows", "Jacobian"})
    choose(stage.explorer.show_panel.length, "2×")
    stage.hover()
    stage.shoot("04-arrows-jacobian")
    stage.tick({"image", "grid", "contours"})
    drag(stage.explorer.show_panel.lines, 40)
    stage.settle()
    stage.hover()
    stage.shoot("05-grid-contours")


def _live(stage: Stage) -> None:
    """The slider is on its way: the random field is on view."""
    explorer = stage.explorer
    slider, moments = explorer.options.slider, []
    explorer.live.shown.connect(moments.append)
    drag(slider, 60, let_go=False)
    drag(slider, 70, let_go=False, seconds=0.2)
    until(lambda: moments and moments[-1].request.options.level > 60, "a preview")
    explorer.options.setUpdatesEnabled(True)  # held back for a moment; a picture would be blank
    stage.shoot("02-live-drag", after=0)
    explorer.live.shown.disconnect(moments.append)
    hold(slider, None, False)
    stage.deform(56)


def _recovery(stage: Stage) -> None:
    film = stage.explorer.recovery
    click(film.play)
    until(lambda: not film.playing, "the film's end")
    stage.settle()
    drag(film.slider, film.slider.maximum() // 2)
    stage.settle()
    stage.shoot("03-recovery-half-way")
    drag(film.slider, film.slider.maximum())
    stage.settle()


def solid(stage: Stage, room: Path) -> None:
    """A 3D model on a phantom, in the 3D view."""
    for data, settings, kind in bean():
        getattr(stage.viewer, f"add_{kind}")(data, **settings)
    stage.explore()
    here = Path(__file__).resolve().parents[2]
    press = stage.explorer.sources._import
    type_file(press, str(here / "resources" / "restricted" / "hippocampus.safetensors"))
    model = stage.explorer.sources.model
    until(lambda: model.findText("hippocampus", Qt.MatchFlag.MatchStartsWith) >= 0, "an import")
    choose(model, "hippocampus")
    stage.settle()
    stage.deform(60)
    stage.tick({"labels", "arrows", "contours"})
    drag(stage.explorer.show_panel.density, 2)
    stage.viewer.layers["bean"].visible = stage.viewer.layers["bean labels"].visible = False
    click(stage.viewer.window._qt_viewer.viewerButtons.ndisplayButton)
    stage.viewer.scene.camera.angles = (10, -35, 55)
    stage.settle()
    stage.shoot("06-three-dimensions")


def cine(stage: Stage, room: Path) -> None:
    """Twenty phases, one deformation for all of them."""
    _open(stage, "cine")
    stage.deform(50)
    stage.tick({"image", "labels", "contours"})
    stage.viewer.dims.set_current_step(0, 8)
    stage.settle()
    stage.hover()
    stage.shoot("07-cine")


def region(stage: Stage, room: Path) -> None:
    """Only a box is deformed."""
    _open(stage, "volume")
    stage.unfold("Metrics", False)
    stage.unfold("Variants", False)
    stage.unfold("More")
    more, image = stage.explorer.more, stage.viewer.layers["phantom"]
    click(more._draw)
    stage.box(image, (_SLICE, 55, 70), (_SLICE, 150, 175))
    stage.settle()
    stage.deform(56)
    stage.tick({"image", "labels", "grid"})
    stage.shoot("08-region-of-interest")


def variants(stage: Stage, room: Path) -> None:
    """Results compared, nine seeds, what is known of the model, and taking it home."""
    _open(stage, "volume")
    stage.tick({"image"})
    options = stage.explorer.options
    for _ in range(3):
        click(options.following)
        stage.settle()
    panel = stage.explorer.variants_panel
    strip = panel.strip
    _pick(stage, 2)
    click(panel.buttons["pin"])
    stage.settle()
    _pick(stage, 0, add=True)
    click(panel.buttons["blink"])
    rest(1.5)
    click(panel.buttons["blink"])
    click(panel.buttons["difference"])
    stage.settle()
    stage.shoot("09-difference")
    key(strip, Qt.Key.Key_Home)
    stage.settle()
    click(panel.buttons["grid"])
    stage.settle()
    stage.shoot("10-nine-seeds")
    click(panel.buttons["grid"])
    stage.settle()
    _dialogs(stage, room)


def _dialogs(stage: Stage, room: Path) -> None:
    explorer = stage.explorer
    click(explorer.sources.card)
    stage.shoot("11-model-card", explorer.exporter.dialog)
    explorer.exporter.dialog.reject()
    click(explorer.run_bar.export)
    dialog = explorer.exporter.dialog
    write(dialog.folder, str(room / "phantom-L48-S2"))
    stage.shoot("12-export", dialog)
    click(dialog.buttons.button(dialog.buttons.StandardButton.Ok))
    until(lambda: "Exported" in explorer.run_bar.status.text(), "an export")
    for button in (explorer.run_bar.python, explorer.run_bar.command):
        click(button)
        until(lambda: "Copied" in explorer.run_bar.status.text(), "a copy")


def batch(stage: Stage, room: Path) -> None:
    """A data set of three phantoms, four new cases of each."""
    data = data_set(room / "phantoms")
    window = stage.viewer.window
    _, dock = window.add_plugin_dock_widget("napari-drdm", "Batch augmentation")
    fields = dock.fields
    until(lambda: fields.model.value() is not None, "models")
    write(fields.dataset, str(data))
    write(fields.out, str(room / "more"))
    spin(fields.per_case, 4)
    write(fields.levels, "30:70")
    until(lambda: bool(dock.outlook.text()), "what Start would make")
    click(dock.start)
    until(lambda: dock.progress.value() > 0, "a first case")
    click(dock.pause)
    rest(1.0)
    click(dock.pause)
    until(lambda: not dock.busy, "the batch")
    click(dock.open)
    stage.viewer.reset_view()
    stage.shoot("13-batch")


SCENES: dict[str, Scene] = {
    "stack": stack, "solid": solid, "cine": cine, "region": region, "variants": variants,
    "batch": batch, "reader": reader, "targets": targets, "dragging": dragging, "tour": tour,
}  # fmt: skip

#: Scenes in the light theme, unless another one is asked for.
LIGHT = ("region", "dragging")


def _open(stage: Stage, sample: str) -> None:
    """A sample, its middle slice, and the explorer."""
    stage.viewer.open_sample("napari-drdm", sample)
    stage.viewer.dims.set_current_step(stage.viewer.dims.ndim - 3, _SLICE)
    stage.explore()


def _pick(stage: Stage, row: int, add: bool = False) -> None:
    strip = stage.explorer.variants_panel.strip
    item = strip.item(row)
    strip.scrollToItem(item)
    click(strip.viewport(), strip.visualItemRect(item).center(), control=add)
    stage.settle()


def data_set(folder: Path) -> Path:
    """Three phantoms as NIfTI."""
    import src_core as drdm
    from src_core.io.nifti import write_nifti

    for seed in range(3):
        case: Any = drdm.phantom_case(seed)
        for part, volume in (("images", case.images[0]), ("labels", case.labels[0])):
            (folder / part).mkdir(parents=True, exist_ok=True)
            write_nifti(folder / part / f"phantom-{seed}.nii.gz", volume.data, volume.header)
    return folder
