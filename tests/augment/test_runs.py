"""Augmenting a data set: what it makes, cancelling, resuming."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Picture

from src_core import generate, read_case
from src_core.augment import Doing, augment, make_plan, steps
from src_core.augment.contact_sheet import save_sheet
from src_core.augment.run_folder import read_index
from src_core.cli import run
from src_core.datasets.reading import read_dataset
from src_core.errors import InputError
from src_core.generation.recipe import differences
from src_core.models.model import Model
from src_core.recipes.replay import prepare
from tests.support.augmenting import FLOATS, asked, leftovers, outputs
from tests.support.paths import ROOT
from tests.support.rings import oblique, save_ring


def test_a_new_case_is_what_generate_makes(data: Path, model: Model, done: Path) -> None:
    row = read_index(done)[3]
    source = read_case(row["source"], row["source_labels"])
    made = generate(source, model, level=int(row["level"]), seed=int(row["seed"]))
    assert source.name == "p1_frame09"
    found = read_case(done / row["image"], done / row["labels"])
    assert np.array_equal(found.image, made.case.image)
    assert np.array_equal(found.label_map, made.case.label_map)
    assert np.allclose(found.grid.affine, source.grid.affine)
    assert float(row["max_mm"]) == made.metrics["max_mm"] > 1
    assert float(row["min_det"]) == made.metrics["min_det"]


@pytest.mark.parametrize("recipe", ["cases/p2-002/recipe.json", "recipes/p2-002.json"])
def test_its_recipe_makes_it_again(file: Path, done: Path, recipe: str) -> None:
    again = prepare(done / recipe)
    result = generate(again.case, again.model, **again.options.model_dump())
    assert differences(again.recipe, result.recipe) == []


def test_what_is_made_is_a_data_set(done: Path) -> None:
    by_folder, by_table = read_dataset(done), read_dataset(done / "index.csv")
    assert [e.name for e in by_folder] == [
        f"{c}-00{i}" for c in ("p1_frame01", "p1_frame09", "p2") for i in (1, 2)
    ]
    assert [e.subject for e in by_table] == ["p1"] * 4 + ["p2"] * 2
    assert all(e.labels is not None for e in (*by_folder, *by_table))
    for flat, whole in zip(by_folder, by_table, strict=True):
        assert flat.image.read_bytes() == whole.image.read_bytes()
        assert flat.labels.read_bytes() == whole.labels.read_bytes()


def test_level_zero_is_the_case_itself(data: Path, model: Model, tmp_path: Path) -> None:
    plan = make_plan(asked(data, tmp_path / "o", per_case=1, levels=(0, 0)), model)
    assert [m.metrics["max_mm"] for m in augment(plan, model)] == [0, 0, 0]
    for row in read_index(tmp_path / "o"):
        assert np.array_equal(
            nib.load(row["source"]).dataobj, nib.load(tmp_path / "o" / row["image"]).dataobj
        )


def test_cancel_leaves_whole_cases_and_resume_ends_in_the_same_bits(
    data: Path, model: Model, done: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    going = steps(make_plan(asked(data, out), model), model)
    made = 0
    for value in going:
        made += not isinstance(value, Doing)
        if made == 3 and isinstance(value, Doing):
            going.close()
    assert len(outputs(out)) == len(read_index(out)) == 3 and not leftovers(out)

    (out / ".p2-001.0a.partial").mkdir()
    (out / ".index.csv.0a.partial").write_text("half")
    (out / "cases" / ".p2-001.0a.partial").mkdir()
    (out / "labels" / "p1_frame01-002.nii.gz").unlink()
    untouched = (out / "cases" / "p1_frame01-001" / "image.nii.gz").stat().st_mtime_ns
    plan = make_plan(asked(data, out, resume=True), model)
    states = [m.state for m in augment(plan, model)]
    assert states == ["kept", "made", "kept", "made", "made", "made"]
    assert outputs(out) == outputs(done) and not leftovers(out)
    assert (out / "index.csv").read_bytes() == (done / "index.csv").read_bytes()
    now = (out / "cases" / "p1_frame01-001" / "image.nii.gz").stat().st_mtime_ns
    assert now == untouched


def test_resume_refuses_another_run_but_takes_more_of_the_same(
    data: Path, model: Model, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    list(augment(make_plan(asked(data, out, per_case=1), model), model))
    for other in ({"seed": 2}, {"levels": (20, 61)}, {"options": {"slices": "each"}}):
        with pytest.raises(InputError, match=next(iter(other))):
            list(augment(make_plan(asked(data, out, resume=True, **other), model), model))
    more = augment(make_plan(asked(data, out, resume=True, per_case=2), model), model)
    assert [m.state for m in more] == ["kept", "made"] * 3
    with pytest.raises(InputError, match="not empty"):
        list(augment(make_plan(asked(data, out), model), model))


def test_pictures_keep_their_spacing(model: Model, tmp_path: Path) -> None:
    x, y = np.indices((40, 56)) - np.array([20, 30]).reshape(2, 1, 1)
    ring = (np.hypot(x, y) < 9).astype(np.uint8)
    for kind, data in (
        ("images", 40 + 150 * ring + 3 * (x % 5).astype(np.uint8)),
        ("labels", ring),
    ):
        (tmp_path / "set" / kind).mkdir(parents=True)
        Picture.fromarray(data.astype(np.uint8)).save(tmp_path / "set" / kind / "a.png")
    plan = make_plan(asked(tmp_path / "set", tmp_path / "out", spacing=0.7), model)
    assert [m.state for m in augment(plan, model)] == ["made", "made"]
    made = read_case(tmp_path / "out" / "images" / "a-001.nii.gz")
    assert made.grid.spacing[:2] == pytest.approx((0.7, 0.7))
    assert (tmp_path / "out" / "cases" / "a-001" / "image.png").is_file()
    assert save_sheet(tmp_path / "out", 0.7).is_file()


def test_the_python_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = ROOT / "docs" / "augmentation.md"
    (block,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    save_ring(tmp_path / "scans", "a", 6)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, page.name, "exec"), {})
    assert capsys.readouterr().out.count(" made ") == len(read_dataset(tmp_path / "more")) == 2


def test_a_cine_moves_as_one(model: Model, tmp_path: Path) -> None:
    save_ring(tmp_path / "set", "a", 6)
    file = tmp_path / "set" / "images" / "a.nii.gz"
    still = np.asarray(nib.load(file).dataobj)
    nib.save(nib.Nifti1Image(np.stack([still, still + 9], -1), oblique()), file)
    plan = make_plan(asked(tmp_path / "set", tmp_path / "out", per_case=1), model)
    assert plan.bytes_each == still.size * (2 * (2 * 2 + 1) + FLOATS["cases"] + FLOATS["nifti"])
    assert [m.state for m in augment(plan, model)] == ["made"]
    made = np.asarray(nib.load(tmp_path / "out" / "images" / "a-001.nii.gz").dataobj).astype(int)
    inside = np.s_[8:-8, 8:-8]
    assert np.abs(made[inside][..., 1] - made[inside][..., 0] - 9).max() <= 1
    assert save_sheet(tmp_path / "out").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("counts", [(3,), pytest.param((1, 3, 5), marks=pytest.mark.proof)])
def test_killed_and_resumed_is_never_half(
    data: Path, file: Path, done: Path, tmp_path: Path, counts: tuple[int, ...]
) -> None:
    """Killed each time this many cases are complete."""
    out = tmp_path / "out"
    words = ["augment", str(data), "--out", str(out), "--model", str(file), "--device", "cpu"]
    words += ["--per-case", "2", "--levels", "20:60", "--format", "cases,nifti", "--resume"]
    shell = [sys.executable, "-c", "import sys; from src_core.cli import main; main()"]
    for wanted in counts:
        going = subprocess.Popen(
            [*shell, *words], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        while going.poll() is None and len(list(out.glob("cases/*-00?"))) < wanted:
            time.sleep(0.005)
        going.kill()
        going.wait()
        for image in out.glob("images/*.nii.gz"):
            assert nib.load(image).get_fdata().any()
            assert (out / "labels" / image.name).is_file()
        for folder in out.glob("cases/*-00?"):
            assert len(list(folder.iterdir())) == 7
    assert run(words) == 0
    assert outputs(out) == outputs(done) and not leftovers(out)
    assert (out / "index.csv").read_bytes() == (done / "index.csv").read_bytes()
