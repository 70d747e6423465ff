"""Results exported: parts of an export, and texts that make the same bits again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import src_core as drdm
from napari_drdm.layers.cases import Snapshot, make_case
from src_core.cli import run as run_shell
from src_core.generation import save_result
from src_core.models import library
from src_core.recipes.replay import prepare
from src_core.recipes.snippets import (
    call_of,
    command_text,
    python_text,
    with_present_inputs,
)
from tests.support import tiny

AWKWARD = "a b'c $HOME;touch pwned && (x).nii.gz"
if os.name == "posix":
    AWKWARD = 'a "quoted" ' + AWKWARD
OBLIQUE = np.array([[4.0, -0.6, 0.2, 7], [0.5, 5.0, -0.3, -20], [0.1, 0.4, 9.0, 31], [0, 0, 0, 1]])
OBLIQUE[:3, :3] = np.linalg.qr(OBLIQUE[:3, :3])[0] * (4, 5, 9)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """The file of a small model."""
    about = {"mm_per_pixel": (3.0, 6.0), "recovery": {"steps": 2}}
    return tiny.save(tmp_path_factory.mktemp("my models"), **about)


@pytest.fixture(scope="module")
def arrays() -> tuple[np.ndarray, np.ndarray]:
    box = np.zeros((40, 34, 3), np.uint8)
    box[8:25, 10:24] = 2
    noise = np.random.default_rng(0).integers(0, 50, box.shape).astype(np.int16)
    return noise + 200 * box, box


@pytest.fixture
def files(tmp_path, arrays) -> list[Path]:
    """An image and its labels, with names that a shell could misread."""
    paths = [tmp_path / AWKWARD, tmp_path / f"-labels {AWKWARD}"]
    for path, values in zip(paths, arrays, strict=True):
        nib.Nifti1Image(values, OBLIQUE).to_filename(path)
    return paths


def made(case, model: Path, **options):
    return drdm.generate(case, drdm.load_model(model, "cpu"), **{"level": 40, "seed": 3} | options)


def run_python(text: str, cwd: Path) -> None:
    with chdir(cwd):
        exec(compile(text, "pasted", "exec"), {})


def run_command(text: str, cwd: Path) -> None:
    """The words that a POSIX shell makes of it, given to the command."""
    home = cwd / "bin"
    home.mkdir(exist_ok=True)
    words = f"#!{sys.executable} -S\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"
    (home / "drdm").write_text(words, encoding="utf-8")
    (home / "drdm").chmod(0o755)
    path = f"{home}{os.pathsep}{os.environ['PATH']}"
    shell = subprocess.run(
        ["sh", "-c", text],
        cwd=cwd,
        check=True,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    with chdir(cwd):
        assert run_shell(json.loads(shell.stdout)) == 0


def check_same_bits(result, folder: Path, scratch: Path, format: str = "itk") -> None:
    recipe = json.loads((folder / "recipe.json").read_text("utf-8"))
    assert recipe["outputs"] == result.recipe["outputs"]
    save_result(result, scratch, field_format=format)
    for name in ("image", "labels", "displacement", "inverse", "jacobian"):
        file = f"{name}.nii.gz"
        assert (folder / file).read_bytes() == (scratch / file).read_bytes(), name


RUNS = [run_python] if os.name == "nt" else [run_python, run_command]


@pytest.mark.parametrize("run", RUNS)
def test_a_text_makes_the_same_bits_from_the_files(run, files, model, tmp_path):
    result = made(drdm.read_case(*files), model, slices="each", label_interpolation="nearest")
    call = call_of(result, field_format="fsl")
    assert call.note == "" and call.out.endswith("-L40-S3")
    text = python_text(call) if run is run_python else command_text(call, windows=False)
    run(text, tmp_path)
    if run is run_python:  # pasted again, it takes its own folder again
        run(text, tmp_path)
    check_same_bits(result, tmp_path / call.out, tmp_path / "expected", "fsl")
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("inside", [True, False])
def test_a_text_of_what_no_file_holds_reads_the_export(run, inside, arrays, model, tmp_path):
    case = drdm.Case.from_arrays(*arrays, affine=OBLIQUE, name="he art/2")
    result = made(case, model, region=((2, 36), (0, 34), (0, 3)))
    folder = save_result(result, tmp_path / "my export", what=("labels",))
    call = call_of(result, exported=None if inside else folder)
    assert "input.nii.gz and input-labels.nii.gz" in call.note
    assert ("export the result" in call.note) is inside
    text = python_text(call) if run is run_python else command_text(call, windows=False)
    cwd = folder if inside else tmp_path
    run(text, cwd)
    check_same_bits(result, cwd / call.out, tmp_path / "expected")


def test_labels_drawn_in_the_window_join_the_images_file(files, arrays, model, tmp_path):
    drawn = np.roll(arrays[1], 3, axis=0)
    layers = Snapshot(arrays[0].T, drawn.T, "heart", (4, 5, 9), image_path=files[0])
    result = made(make_case(layers).case, model)
    folder = save_result(result, tmp_path / "out")
    call = call_of(result, folder)
    assert (call.images, call.labels) == ((str(files[0]),), (str(folder / "input-labels.nii.gz"),))
    run_python(python_text(call), tmp_path)
    check_same_bits(result, tmp_path / call.out, tmp_path / "expected")


def test_an_export_that_was_replaced_is_not_read(arrays, model, tmp_path):
    first, second = (
        made(drdm.Case.from_arrays(arrays[0] + n, spacing=(4, 5, 9)), model, level=0)
        for n in (0, 1)
    )
    folder = save_result(first, tmp_path / "out")
    assert call_of(first, folder).images == (str(folder / "input.nii.gz"),)
    save_result(second, folder, overwrite=True)
    assert call_of(second, folder).images == (str(folder / "input.nii.gz"),)
    assert call_of(first, folder) == call_of(first)
    (folder / "input.nii.gz").unlink()
    assert call_of(second, folder) == call_of(second)
    for content in ("{", "[]", '{"inputs": {"arrays": {"image": 3}}}'):
        (folder / "recipe.json").write_text(content)
        assert call_of(second, folder) == call_of(second)


def test_a_file_that_changed_since_is_written_by_the_export(files, model, arrays, tmp_path):
    result = made(drdm.read_case(*files), model)
    assert with_present_inputs(result) is result
    image = nib.load(files[0])
    nib.Nifti1Image(arrays[0] + 1, image.affine).to_filename(files[0])
    now = with_present_inputs(result)
    paths = {name: array["path"] for name, array in now.recipe["inputs"]["arrays"].items()}
    assert paths == {"image": None, "labels": str(files[1].resolve())}
    folder = save_result(now, tmp_path / "out")
    written = {file.name for file in folder.iterdir()}
    assert "input.nii.gz" in written and "input-labels.nii.gz" not in written
    assert np.array_equal(nib.load(folder / "input.nii.gz").dataobj, arrays[0])
    call = call_of(now, folder)
    assert call.images == (str(folder / "input.nii.gz"),) and call.labels == (str(files[1]),)
    assert (
        made(drdm.read_case(call.images, call.labels), model).recipe["outputs"]
        == (result.recipe["outputs"])
    )


def test_a_moved_or_deleted_file_counts_as_changed(files, model):
    result = made(drdm.read_case(files[0]), model, level=0)
    image = nib.load(files[0])
    moved = image.affine + np.diag([0.0, 0, 0, 0])
    moved[0, 3] += 5
    nib.Nifti1Image(np.asarray(image.dataobj), moved).to_filename(files[0])
    assert with_present_inputs(result).recipe["inputs"]["arrays"]["image"]["path"] is None
    files[0].unlink()
    assert with_present_inputs(result).source.images[0].path is None


def test_pictures_keep_their_spacing(tmp_path, arrays, model):
    from PIL import Image

    path = tmp_path / "slice.png"
    Image.fromarray(arrays[0][:, :, 0].astype(np.uint8).T).save(path)
    result = made(drdm.read_case(path, spacing=3.3), model)
    assert with_present_inputs(result) is result
    call = call_of(result)
    again = drdm.read_case(path, spacing=call.spacing)
    assert again.grid.affine.tolist() == result.source.grid.affine.tolist()
    assert f"--spacing {call.spacing!r} " in command_text(call, windows=False)
    uneven = drdm.read_case(path, spacing=(3, 4))
    call = call_of(made(uneven, model))
    assert drdm.read_case(path, spacing=call.spacing).grid.spacing == uneven.grid.spacing
    assert ", spacing=(3.0, 4.0, " in python_text(call)
    with pytest.raises(drdm.InputError, match="copy as Python"):
        command_text(call)


def test_a_model_that_is_listed_is_named(files, model, monkeypatch):
    result = made(drdm.read_case(files[0]), model, level=0)
    monkeypatch.setattr(library, "_shipped_folder", lambda: model.parent)
    call = call_of(result)
    assert call.model == "tiny" and "steps" not in call.options
    monkeypatch.setattr(library, "_shipped_folder", lambda: model.parent.parent)
    assert Path(call_of(result).model).samefile(model)


def test_the_input_itself_replays(files, model, tmp_path):
    result = made(drdm.read_case(*files), model, level=0)
    plan = prepare(save_result(result, tmp_path / "out") / "recipe.json")
    assert drdm.generate(plan.case, plan.model, **plan.options.model_dump()).recipe == plan.recipe


def test_more_images_are_all_named(files, model, tmp_path):
    images, labels = ([str(f), str(shutil.copy(f, tmp_path / f"2 {f.name}"))] for f in files[:2])
    call = call_of(made(drdm.read_case(images, labels), model, level=0))
    assert call.images == tuple(images) and call.labels == tuple(labels)
    assert command_text(call, windows=False).count("--labels") == 2
    assert f"read_case({images!r}, labels={labels!r})" in python_text(call)


@pytest.mark.parametrize("what", [(), ("image",), ("displacement", "jacobian"), ("labels",)])
def test_an_export_holds_what_was_asked_for(what, files, model, tmp_path):
    result = made(drdm.read_case(*files), model)
    whole, some = (
        save_result(result, tmp_path / "all"),
        save_result(result, tmp_path / "x", what=what),
    )
    wanted = {f"{name}.nii.gz" for name in what} | {"recipe.json", "metrics.json"}
    assert {file.name for file in some.iterdir()} == wanted
    for name in wanted:
        assert (some / name).read_bytes() == (whole / name).read_bytes()


def test_an_unknown_part_is_refused_before_anything_is_written(files, model, tmp_path):
    result = made(drdm.read_case(*files), model, level=0)
    with pytest.raises(drdm.ArgumentError, match=r"'what' must be of image, .* got arrows"):
        save_result(result, tmp_path / "out", what=("image", "arrows"))
    assert not (tmp_path / "out").exists()
