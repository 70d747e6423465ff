"""A small model of the user's, a window with the explorer, and what it shows of a displacement."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_ready: list[str] = []


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Load what a window needs once, and leave it out of garbage collections."""
    if item.get_closest_marker("window") and not _ready:
        _ready.append(pytest.importorskip("napari._qt.qt_main_window").__name__)
        gc.collect()
        gc.freeze()


@pytest.fixture
def moment_of() -> Callable[..., Any]:
    """Makes what a window shows of layers that a displacement went through.

    Args of what it gives: the image layer, the displacement as a function of voxels (X, Y, Z, 3)
    that gives voxels, a labels layer or None, and the Moment's own fields.
    """

    def made(image: Any, voxels: Any, labels: Any = None, **fields: Any) -> Any:
        import numpy as np
        import torch

        from napari_drdm.layers.cases import shown
        from napari_drdm.layers.snapshots import case_from_layers, take_snapshot
        from napari_drdm.runs.moments import Moment
        from napari_drdm.runs.requests import RunRequest
        from src_core.fields import jacobian_determinant
        from src_core.fields.planes import field_tensor
        from src_core.fields.warp_case import warp_case

        place = case_from_layers(image, labels)
        grid = place.case.grid
        at = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), -1)
        u = grid.to_lps_mm(voxels(at.astype(float))).astype(np.float32)
        warped = warp_case(place.case, u)
        flat = grid.shape[2] == 1
        det = jacobian_determinant(field_tensor(u, grid, 2 if flat else None))[0]
        request = RunRequest(take_snapshot(image, labels), Path(), None, image, labels)
        about = {
            "images": tuple(place.back(shown(v)) for v in warped.images),
            "labels": tuple(place.back(v.data) for v in warped.labels),
            "displacement": u,
            "jacobian": (det[..., None] if flat else det).to(torch.float32).numpy(),
        }
        return Moment(request, place, 0, 8, **{**about, **fields})

    return made


@pytest.fixture
def window(make_napari_viewer_proxy: Any, tiny_models: Path) -> Iterator[Callable[..., Any]]:
    """Opens a viewer with an image and its labels, and the explorer as its plugin."""
    import numpy as np

    from tests.support.windows import MM, drdm_threads, wait

    def opened(shape: tuple[int, ...] = (3, 60, 52)) -> tuple[Any, Any]:
        viewer = make_napari_viewer_proxy()
        place: dict[str, Any] = {"scale": (1, 8, 5.6, 5.6)[4 - len(shape) :]}
        place["units"] = MM[4 - len(shape) :]
        box = np.zeros(shape, np.uint8)
        box[..., 15:35, 12:30] = 2
        noise = np.random.default_rng(0).integers(0, 50, shape).astype(np.int16)
        viewer.add_image(noise + 200 * box, name="heart", **place)
        viewer.add_labels(box, name="heart labels", opacity=0.4, **place)
        _, explorer = viewer.window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
        return viewer, explorer

    yield opened
    wait(lambda: not drdm_threads())
