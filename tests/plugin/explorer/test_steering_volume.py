"""A 3D model: points are dragged on the slice on view, and move in all of the volume."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from src_core.steering.kinds import PointTarget
from tests.support import canvas as mouse
from tests.support import tiny
from tests.support.windows import settle, wait


@pytest.fixture
def volume(tmp_path, monkeypatch, make_napari_viewer_proxy):
    """An explorer with a 3D model and a volume of anisotropic voxels."""
    tiny.save(tmp_path / "models", 3, mm_per_pixel=(1.0, 9.0), recovery={"steps": 2}, name="cube")
    tiny.only_models_of(tmp_path / "models", monkeypatch)
    viewer = make_napari_viewer_proxy()
    noise = np.random.default_rng(0).integers(0, 90, (20, 30, 26)).astype(np.int16)
    viewer.add_image(noise, name="head", scale=(5.0, 4.0, 4.4), units=("mm",) * 3)
    _, explorer = viewer.window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
    wait(lambda: explorer.sources.model.value() is not None)
    explorer.options.slider.setValue(30)
    explorer.generate()
    settle(explorer)
    return viewer, explorer


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2)])
def test_a_point_of_a_slice_is_pulled_in_the_volume(volume, order):
    viewer, explorer = volume
    source = explorer.sources.image.value()
    viewer.dims.order = order
    viewer.dims.set_current_step(order[0], 9)
    settle(explorer)
    explorer.targets.drag.click()
    moments = []
    explorer.live.shown.connect(moments.append)
    start, end = np.array([9.0, 9, 9]), np.array([9.0, 9, 9])
    start[list(order[1:])] += (2, 3)
    end[list(order[1:])] += (4, 5)
    at, to = (mouse.point(viewer, source, voxel) for voxel in (start, end))
    mouse.press(viewer, at)
    mouse.move(viewer, at, to, steps=8, wait=60)
    wait(lambda: bool(moments))  # the first answer takes longer
    passing = [m for m in moments if m.outcome is None]
    assert passing and all(m.part is not None for m in passing)  # the slice on view alone
    mouse.release(viewer, to)
    settle(explorer)
    outcome = explorer.results.outcome(source)
    (target,) = outcome.request.options.targets
    (reached,) = outcome.result.targets
    assert isinstance(target, PointTarget) and reached.error < 0.6
    grid = outcome.layer_case.case.grid
    step = np.abs(np.subtract(target.end, target.start)).max()
    assert step > 2 and len(explorer.steering.drag.marks) == 1
    viewer.dims.set_current_step(order[0], 4)
    assert explorer.steering.drag.marks == () and grid.shape == (26, 30, 20)
