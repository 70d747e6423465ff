"""The door for file formats: a toy, NumPy archives, comes in by two functions and a row."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from napari_drdm.layers.reader import get_reader
from napari_drdm.layers.writer import write_layer
from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.cases.header import grid_of
from src_core.cli import run
from src_core.datasets.reading import read_dataset
from src_core.errors import ArgumentError, InputError
from src_core.io import (
    FieldConvention,
    FileFormat,
    holds_field,
    read_case,
    read_field,
    register,
    write_field,
    write_image,
)
from src_core.io import formats as table
from tests.support.rings import oblique, ring, save_ring, save_tiny

ROOT = Path(__file__).resolve().parents[2]


def read(path: Path) -> tuple[NDArray[Any], Grid]:
    with np.load(path) as file:
        values = file["values"]
        x, y, z = values.shape[:3]
        return values, Grid((x, y, z), file["affine"])


def write(path: Path, values: NDArray[Any], place: nib.Nifti1Header | Grid) -> None:
    grid = place if isinstance(place, Grid) else grid_of(place)
    np.savez(path, values=values, affine=grid.affine)


def holds_vectors(path: Path) -> bool:
    return read(path)[0].shape[3:] == (3,)


TOY = FileFormat(
    "NumPy",
    (".npz",),
    read_image=read,
    write_image=write,
    read_field=read,
    conventions=(FieldConvention("numpy", "NumPy", (".npz",), write),),
    holds_field=holds_vectors,
)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_formats", [*table.formats()])
    register(TOY)


def save(folder: Path, name: str, radius: float) -> None:
    for kind, values in zip(("images", "labels"), ring(radius), strict=True):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        np.savez(folder / kind / f"{name}.npz", values=values, affine=oblique())


def test_a_case_is_read_and_written_as_it_was(tmp_path: Path) -> None:
    save(tmp_path, "a", 6)
    case = read_case(tmp_path / "images" / "a.npz", tmp_path / "labels" / "a.npz")
    image, labels = ring(6)
    assert case.name == "a"
    np.testing.assert_allclose(case.grid.affine, oblique(), rtol=1e-6, atol=1e-6)
    assert case.image.dtype == np.int16 and np.array_equal(case.image, image)
    assert case.label_map is not None and np.array_equal(case.label_map, labels)
    write_image(tmp_path / "b.npz", case.image + 0.4, case.images[0], case.grid)
    values, grid = read(tmp_path / "b.npz")
    assert values.dtype == np.int16 and np.array_equal(values, image) and grid == case.grid


def test_a_field_is_read_and_written_as_it_was(tmp_path: Path) -> None:
    grid = Grid((4, 5, 3), oblique())
    u = np.random.default_rng(0).normal(size=(4, 5, 3, 3)).astype(np.float32)
    write_field(tmp_path / "u.npz", u, grid, "numpy")
    again, place = read_field(tmp_path / "u.npz")
    assert np.array_equal(again, u) and place == grid and holds_field(tmp_path / "u.npz")
    with pytest.raises(InputError, match="another ending"):
        write_field(tmp_path / "u.nii", u, grid, "numpy")


def test_a_new_case_is_that_of_a_nifti_file(tmp_path: Path) -> None:
    model, data = save_tiny(tmp_path), tmp_path / "data"
    save(data, "a", 6)
    save_ring(data, "a", 6)
    words = ["--model", str(model), "--level", "30", "--device", "cpu", "--out"]
    for ending in (".npz", ".nii.gz"):
        files = [str(data / kind / f"a{ending}") for kind in ("images", "labels")]
        call = ["generate", files[0], "--labels", files[1], *words]
        assert run([*call, str(tmp_path / f"out{ending}")]) == 0
    for name in ("image", "labels", "displacement", "jacobian"):
        ours, theirs = (
            np.asarray(nib.load(tmp_path / f"out{ending}" / f"{name}.nii.gz").dataobj)
            for ending in (".npz", ".nii.gz")
        )
        assert np.array_equal(ours, theirs) and ours.std() > 0


def test_a_data_set_is_augmented(tmp_path: Path) -> None:
    model, data, out = save_tiny(tmp_path), tmp_path / "data", tmp_path / "out"
    for number in (5, 7):
        save(data, f"a{number}", number)
    entries = read_dataset(data)
    assert [(e.name, e.labels) for e in entries] == [
        (f"a{n}", data / "labels" / f"a{n}.npz") for n in (5, 7)
    ]
    words = ["--per-case", "1", "--levels", "30", "--format", "nifti", "--device", "cpu"]
    assert run(["augment", str(data), *words, "--model", str(model), "--out", str(out)]) == 0
    for number in (5, 7):
        case = read_case(
            out / "images" / f"a{number}-001.nii.gz", out / "labels" / f"a{number}-001.nii.gz"
        )
        assert case.image.shape == ring(number)[0].shape and case.image.dtype == np.int16


def test_the_window_opens_and_writes_it(tmp_path: Path) -> None:
    save(tmp_path, "a", 6)
    reader = get_reader(str(tmp_path / "labels" / "a.npz"))
    assert reader is not None
    ((data, settings, kind),) = reader(str(tmp_path / "labels" / "a.npz"))
    assert kind == "labels" and settings["name"] == "a" and np.array_equal(data, ring(6)[1].T)
    np.testing.assert_allclose(settings["scale"], (8, 1.2, 1.5), rtol=1e-6)
    (written,) = write_layer(str(tmp_path / "b.npz"), data, settings)
    values, grid = read(Path(written))
    assert written.endswith("b.npz") and np.array_equal(values, ring(6)[1])
    np.testing.assert_allclose(grid.affine, oblique(), rtol=1e-6, atol=1e-6)


def test_what_a_format_needs_is_named(tmp_path: Path) -> None:
    def broken(path: Path) -> Any:
        raise ModuleNotFoundError("no zarr", name="zarr")

    register(FileFormat("Zarr", (".zarr",), read_image=broken, extra="zarr"))
    (tmp_path / "a.zarr").write_text("")
    with pytest.raises(InputError, match=r"needs zarr, .*pip install napari-drdm\[zarr\]"):
        read_case(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    "wrong",
    [
        FileFormat("again", (".nii.gz",)),
        FileFormat("upper case", (".NPY",)),
        FileFormat("no dot", ("npy",)),
        FileFormat("fields", (".npy",), conventions=(FieldConvention("itk", "", (), write),)),
    ],
    ids=lambda wrong: wrong.name,
)
def test_a_row_that_does_not_fit_is_refused(wrong: FileFormat) -> None:
    before = table.formats()
    with pytest.raises(ArgumentError, match="register"):
        register(wrong)
    assert table.formats() == before


def test_an_unknown_ending_is_answered_with_the_table(tmp_path: Path) -> None:
    (tmp_path / "a.mgz").write_bytes(b"no")
    case = Case.from_arrays(*ring(6))
    with pytest.raises(InputError, match=r"NIfTI \(\.nii\.gz, \.nii\), .* or NumPy \(\.npz\)"):
        read_case(tmp_path / "a.mgz")
    with pytest.raises(InputError, match=r"\.nii\.gz, \.nii, \.png, .*\.npz"):
        write_image(tmp_path / "b.mgz", case.image, case.images[0])


def test_the_manifest_says_what_the_table_says() -> None:
    """Patterns of a manifest cannot be computed: what the window opens is what the table reads."""
    shipped = [known for known in table.formats() if known is not TOY]
    manifest = yaml.safe_load((ROOT / "napari.yaml").read_text("utf-8"))["contributions"]
    (reader,) = (r for r in manifest["readers"] if r["command"] == "napari-drdm.read")
    opened = {
        f"*{ending}"
        for known in shipped
        if not known.picture and not known.holds_folder
        for ending in known.endings
    }
    assert set(reader["filename_patterns"]) == opened
    assert reader["accepts_directories"] == any(known.holds_folder for known in shipped)
    images = {e for f in shipped if f.write_image and not f.picture for e in f.endings}
    fields = {e for f in shipped for c in f.conventions for e in c.endings}
    for writer in manifest["writers"]:
        written = set(writer["filename_extensions"])
        assert written <= fields if writer["layer_types"] == ["vectors"] else written == images


def test_no_other_file_names_an_ending() -> None:
    """PNG aside, which figures are drawn as; docstrings may give examples."""
    endings = {e for known in table.formats() for e in known.endings} - {".png"}
    named = re.compile("|".join(rf"{re.escape(e)}\b" for e in sorted(endings)))
    files = [*(ROOT / "src_core").rglob("*.py"), *(ROOT / "napari_drdm").rglob("*.py")]
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in files
        if ROOT / "src_core" / "io" not in path.parents
        for text in _texts(ast.parse(path.read_text("utf-8")))
        if named.search(text)
    ]
    assert len(files) > 200 and not found


def _texts(tree: ast.Module) -> Iterator[str]:
    """Strings of a file that are no docstrings."""
    statements = {n.value for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and node not in statements:
            yield text
