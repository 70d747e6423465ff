"""The main job in one window: ``python -m napari_drdm.demo --out demo [--interactive]``.

Opens the sample, generates a new case and leaves a picture of the window and the files behind.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["main"]

_PATIENCE = 120.0


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; 0 when the picture and the files are there."""
    chosen = _parser().parse_args(arguments)
    import napari

    from napari_drdm.explorer.dock import DeformationExplorer

    viewer = napari.Viewer(title="napari-drdm", show=True)
    viewer.theme = chosen.theme
    viewer.window.resize(1400, 1000)
    _open_sample(viewer)
    explorer = DeformationExplorer(viewer)
    viewer.window.add_dock_widget(explorer, name="Deformation explorer", area="right")
    explorer.show_panel.set_kinds({"image", "labels", "arrows", "Jacobian"})
    explorer.options.place(chosen.level, chosen.seed)
    explorer.generate()
    if chosen.interactive:
        napari.run()
        return 0
    done = _record(viewer, explorer, Path(chosen.out))
    viewer.close()
    return 0 if done else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m napari_drdm.demo", description=__doc__)
    parser.add_argument("--out", default="demo", help="folder of the picture and the files")
    parser.add_argument("--interactive", action="store_true", help="leave the window open")
    parser.add_argument("--level", type=int, default=48)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    return parser


def _open_sample(viewer: Any) -> None:
    from napari_drdm.layers.samples import volume_sample

    image, labels = volume_sample()
    viewer.add_image(image[0], **image[1])
    viewer.add_labels(labels[0], **labels[1])
    viewer.dims.set_current_step(0, image[0].shape[0] // 2)


def _record(viewer: Any, explorer: Any, out: Path) -> bool:
    """Wait for the result, then save the picture and the files; says where they are."""
    source = explorer.sources.image.value()
    if not _wait(lambda: explorer.results.outcome(source) is not None):
        print(f"error: no result, {explorer.run_bar.status.text()}")
        return False
    _side_by_side(viewer, explorer, source)
    out.mkdir(parents=True, exist_ok=True)
    _settle()
    picture = out / "screenshot.png"
    viewer.window.screenshot(str(picture), flash=False, canvas_only=False)
    print(picture)
    from src_core.generation import save_result

    print(save_result(explorer.results.outcome(source).result, out / "export", overwrite=True))
    return True


def _side_by_side(viewer: Any, explorer: Any, source: Any) -> None:
    """Four panes: the source, the new image, where it came from, and how its volume changed."""
    ours = explorer.results.layers(source)
    shown = ours["image"]
    for kind in ("arrows", "Jacobian"):
        at = viewer.layers.index(ours[kind])
        viewer.layers.insert(
            at,
            type(shown)(
                shown.data,
                name=f"new image, under the {kind}",
                scale=shown.scale,
                units=shown.units,
                axis_labels=shown.axis_labels,
                contrast_limits=shown.contrast_limits,
            ),
        )
    viewer.layers.selection.active = source
    grid = viewer.canvas.grid
    grid.stride, grid.shape, grid.enabled = 2, (2, 2), True
    viewer.reset_view()


def _wait(ready: Callable[[], bool]) -> bool:
    until = time.monotonic() + _PATIENCE
    while not ready() and time.monotonic() < until:
        _settle(0.02)
    return ready()


def _settle(seconds: float = 0.5) -> None:
    from qtpy.QtWidgets import QApplication

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    raise SystemExit(main())
