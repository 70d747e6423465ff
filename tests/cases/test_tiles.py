"""A large grid in parts gives what the whole gives, in a fraction of the memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from src_core.cases import tiles
from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.errors import InputError
from src_core.fields.label_changes import _parts
from src_core.fields.measures import field_metrics
from src_core.fields.on_grid import covered_percent, on_grid
from src_core.fields.planes import in_plane_axis
from src_core.fields.warp_case import warp_case
from src_core.io import nifti as nifti_files
from src_core.io import read_field, write_field
from src_core.recipes.apply import jacobian_map, move_case
from tests.support.paths import ROOT

AXES = np.array([[1.2, 0.3, 0], [-0.4, 0.9, 0.2], [0, -0.1, 2.5]])


def case(shape: tuple[int, ...]) -> Case:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, shape).astype(np.uint8)
    return Case.from_arrays(
        rng.integers(-300, 300, shape).astype(np.int16), labels, affine=square()
    )


def square() -> NDArray[np.float64]:
    q, _ = np.linalg.qr(AXES)
    affine = np.eye(4)
    affine[:3, :3] = q * [1.2, 0.9, 2.5]
    return affine


def field(grid: Grid, amplitude: float, flat: bool) -> NDArray[np.float32]:
    """Wide enough to leave the image, and to fold where the amplitude is large."""
    x, y, z = np.meshgrid(*[np.linspace(0, 5, n) for n in grid.shape], indexing="ij")
    u = np.stack([np.sin(2 * y + z), np.cos(3 * x) + 0.2 * z, 0 * x if flat else np.sin(x + y)], -1)
    return grid.to_lps_mm(amplitude * max(grid.shape) / 20 * u).astype(np.float32)


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> Any:
    def cut() -> None:
        monkeypatch.setattr(tiles, "LARGE", 100)
        monkeypatch.setattr(tiles, "PART", 1500)

    return cut


KINDS = {
    "volume": ((17, 14, 23), False),
    "stack": ((17, 14, 23), True),
    "slice": ((31, 90, 1), True),
    "cine": ((17, 14, 9, 3), False),
    "last part of one layer": ((20, 25, 10), False),
}


@pytest.mark.parametrize("amplitude", [0.7, 4.0])
@pytest.mark.parametrize("kind", KINDS)
def test_parts_make_the_whole(kind: str, amplitude: float, in_parts: Any) -> None:
    shape, flat = KINDS[kind]
    source = case(shape)
    u = field(source.grid, amplitude, flat)
    axis = in_plane_axis(u, source.grid)
    assert (axis is not None) == flat
    mode = "cubic" if kind == "slice" else "linear"
    whole = warp_case(source, u, interpolation=mode)
    jacobian, numbers = field_metrics(u, source.grid, axis)
    in_parts()
    along = tiles.tile_axis(source.grid.shape, axis)
    assert len(list(tiles.parts(source.grid.shape, along))) > 1
    assert in_plane_axis(u, source.grid) == axis
    cut = warp_case(source, u, interpolation=mode)
    # positions are counted from another voxel, so a half may round either way
    assert np.abs(cut.image.astype(int) - whole.image).max() <= 1
    assert (cut.image != whole.image).mean() < 1e-3
    assert (cut.label_map != whole.label_map).mean() < 1e-3
    again, same = field_metrics(u, source.grid, axis)
    assert np.allclose(again, jacobian, atol=1e-6)
    assert same == pytest.approx(numbers, rel=1e-9)
    if amplitude == 4.0:
        assert numbers["folding_permille"] > 0 and numbers["strict_folding_permille"] > 0


def test_another_grid_in_parts(in_parts: Any) -> None:
    source = case((17, 14, 23)).grid
    target = Grid((16, 15, 25), source.affine @ np.diag([1.3, 0.8, 1.1, 1]))
    u = field(source, 1.0, False)
    whole, covered = on_grid(u, source, target), covered_percent(source, target)
    in_parts()
    assert np.allclose(on_grid(u, source, target), whole, atol=1e-6)
    assert covered_percent(source, target) == covered < 100


def test_a_move_in_parts_reports_the_same(in_parts: Any) -> None:
    source = case((17, 14, 23))
    u = field(source.grid, 1.0, False)
    whole = move_case(source, u, source.grid)
    in_parts()
    cut = move_case(source, u, source.grid)
    assert np.allclose(cut.jacobian, whole.jacobian, atol=1e-6)
    assert np.allclose(jacobian_map(u, source.grid), whole.jacobian, atol=1e-6)
    assert cut.metrics.keys() == whole.metrics.keys()
    assert cut.metrics["min_det"] == pytest.approx(whole.metrics["min_det"])


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("name", ["u.nii", "u.nii.gz"])
def test_a_file_is_the_same_written_in_pieces(
    name: str, large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = case((17, 14, 23)).grid
    u = field(grid, 1.0, False)
    write_field(tmp_path / f"whole-{name}", u, grid)
    if large:
        monkeypatch.setattr(nifti_files, "_CHUNK", 900)
    write_field(tmp_path / name, u, grid)
    monkeypatch.undo()
    assert np.array_equal(read_field(tmp_path / name)[0], u)
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole-{name}").read_bytes()


def test_what_is_not_finite_is_found_in_any_part(tmp_path: Path, in_parts: Any) -> None:
    grid = case((17, 14, 23)).grid
    u = field(grid, 1.0, False)
    u[3, 4, 21, 1] = np.nan
    write_field(tmp_path / "u.nii", u, grid)
    in_parts()
    with pytest.raises(InputError, match="NaN"):
        read_field(tmp_path / "u.nii")


@pytest.mark.parametrize("share", [0.0, 0.03, 0.08, 0.5, 1.0])
def test_parts_of_a_label_are_counted_in_its_own_box(share: float) -> None:
    mask = np.zeros((26, 31, 14), bool)
    mask[5:20, 9:30, 2:12] = np.random.default_rng(1).random((15, 21, 10)) < share
    found, count = ndimage.label(mask, np.ones((3, 3, 3)) - corners())
    sizes = np.bincount(found.ravel(), minlength=count + 1)[1:]
    assert _parts(mask) == (sizes >= 8).sum()


def corners() -> NDArray[np.float64]:
    """Neighbours that touch at a corner alone."""
    return (np.abs(np.indices((3, 3, 3)) - 1).sum(0) == 3).astype(float)


_PEAK = """
import resource, sys
from pathlib import Path
from src_core.cli import run
code = run(["apply", *sys.argv[1:]])
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
sys.exit(code)
"""


@pytest.mark.proof
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is reported in kB on Linux")
def test_a_large_volume_is_moved_within_4_gb(tmp_path: Path) -> None:
    n = int(os.environ.get("NAPARI_DRDM_LARGE", "512"))
    make_large(tmp_path, n)
    ran = subprocess.run(
        [sys.executable, "-c", _PEAK, "u.nii", "image.nii", "--labels", "labels.nii", "--out", "o"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    peak = int(ran.stdout.rsplit("peak", 1)[1])
    print(f"{n}^3: peak {peak} MiB")
    assert peak < 4096


def make_large(home: Path, n: int) -> None:
    """An image, labels and a field of n^3 voxels, written without being held."""
    from src_core.cases.header import header_for
    from src_core.io.nifti import write_nifti

    grid = Grid((n, n, n), square())
    rng = np.random.default_rng(0)
    values = np.asfortranarray(rng.integers(0, 2000, (n, n, n), dtype=np.int16))
    write_nifti(home / "image.nii", values, header_for(grid, values.dtype, values.shape))
    labels = np.zeros((n, n, n), np.uint8, order="F")
    labels[n // 4 : n // 2, n // 4 : n // 2, n // 4 : n // 2] = 1
    write_nifti(home / "labels.nii", labels, header_for(grid, labels.dtype, labels.shape))
    del values, labels
    u = np.empty((n, n, n, 3), np.float32, order="F")
    line = np.sin(np.linspace(0, 6, n, dtype=np.float32))
    u[..., 0], u[..., 1], u[..., 2] = 8 * line[:, None], 6 * line, 9 * line[:, None, None]
    write_field(home / "u.nii", u, grid)
