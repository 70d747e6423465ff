"""Augmenting a data set: draws, files whole or not at all, going on, failures, the shell."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from src_core import generate, load_model, read_case
from src_core.augment import Doing, Request, augment, make_plan, parse_levels, steps
from src_core.augment import jobs as work
from src_core.augment import products as kinds
from src_core.augment.contact_sheet import save_sheet
from src_core.augment.disk import in_words
from src_core.augment.layouts import layout
from src_core.augment.levels import draw
from src_core.augment.plan import names_of
from src_core.augment.run_folder import read_index
from src_core.cli import run
from src_core.datasets.reading import Entry, read_dataset
from src_core.errors import InputError
from src_core.generation.recipe import differences
from src_core.models.model import Model
from src_core.recipes.replay import prepare
from tests.support.paths import ROOT
from tests.support.rings import SHAPE, oblique, save_ring, save_tiny

FLOATS = {"cases": 12 + 12 + 4, "nifti": 12}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def model(file: Path) -> Model:
    return load_model(file, "cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rings")
    save_ring(folder, "p1_frame01", 6)
    save_ring(folder, "p1_frame09", 4)
    save_ring(folder, "p2", 7)
    return folder


@pytest.fixture(scope="module")
def done(data: Path, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("done") / "out"
    assert [m.state for m in augment(make_plan(asked(data, out), model), model)] == ["made"] * 6
    return out


def asked(data: Path, out: Path, **others: object) -> Request:
    values = {"per_case": 2, "levels": (20, 60), "formats": ("cases", "nifti"), **others}
    return Request(data, out, **values)  # type: ignore[arg-type]


def outputs(out: Path) -> dict[str, dict[str, str]]:
    """Digests of every array of every case, from the recipes."""
    recipes = sorted(out.glob("cases/*/recipe.json"))
    return {p.parent.name: json.loads(p.read_text())["outputs"] for p in recipes}


def leftovers(out: Path) -> list[Path]:
    return list(out.rglob("*.partial"))


def test_the_draw_is_known_for_good() -> None:
    assert draw(1, "patient001_frame01", 1, (30, 70)) == (69, 1903236929)
    assert draw(1, "patient001_frame01", 2, (30, 70)) == (30, 776312504)


@given(st.integers(0, 2**63 - 1), st.text(max_size=20), st.integers(1, 999), st.integers(0, 80))
def test_a_draw_stays_in_range(seed: int, case: str, index: int, low: int) -> None:
    level, drawn = draw(seed, case, index, (low, 80))
    assert low <= level <= 80 and 0 <= drawn < 2**31


def test_levels_are_uniform_and_draws_differ() -> None:
    drawn = [draw(s, c, i, (30, 70)) for s in (1, 2) for c in "abcdefghij" for i in range(1, 201)]
    counts = Counter(level for level, _ in drawn)
    assert set(counts) == set(range(30, 71))
    expected = len(drawn) / 41
    assert (
        sum((n - expected) ** 2 / expected for n in counts.values()) < 74.7
    )  # chi2, 40, p = .0007
    assert len({seed for _, seed in drawn}) == len(drawn)


def test_more_of_each_changes_none_of_those_before(data: Path, model: Model) -> None:
    few, many = (make_plan(asked(data, Path("x"), per_case=n), model).jobs for n in (2, 5))
    kept = {job.name: job.options for job in many}
    assert all(kept[job.name] == job.options for job in few)
    assert (len(few), len(many)) == (6, 15)


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


def test_a_case_that_fails_stops_no_other(data: Path, model: Model, tmp_path: Path) -> None:
    save_ring(tmp_path / "set", "a", 5)
    save_ring(tmp_path / "set", "c", 5)
    (tmp_path / "set" / "images" / "b.nii.gz").write_text("no image")
    out = tmp_path / "out"
    found = list(augment(make_plan(asked(tmp_path / "set", out), model), model))
    assert [m.state for m in found] == ["made"] * 2 + ["failed"] * 2 + ["made"] * 2
    assert "b.nii.gz" in found[2].message and "\n" not in found[2].message
    with (out / "failures.csv").open(newline="") as table:
        assert [row["name"] for row in csv.DictReader(table)] == ["b-001", "b-002"]
    assert [Path(r["image"]).parent.name[0] for r in read_index(out)] == list("aacc")

    save_ring(tmp_path / "set", "b", 5)
    mended = list(augment(make_plan(asked(tmp_path / "set", out, resume=True), model), model))
    assert [m.state for m in mended] == ["kept"] * 2 + ["made"] * 2 + ["kept"] * 2
    assert not (out / "failures.csv").exists()


def test_a_case_that_cannot_be_written_leaves_nothing(
    data: Path, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = layout.os.replace

    def fails(source: Path, target: Path) -> None:
        if Path(target).parent.name == "images":
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(layout.os, "replace", fails)
    out = tmp_path / "out"
    plan = make_plan(asked(data, out, formats=("nifti",), per_case=1), model)
    found = list(augment(plan, model))
    assert {m.state for m in found} == {"failed"} and "No space left" in found[0].message
    left = {p.name for p in out.rglob("*") if p.is_file()}
    assert left == {
        "augment.json",
        "manifest.jsonl",
        "index.csv",
        "failures.csv",
    } and not leftovers(out)


def test_the_run_stops_when_the_disk_is_full(
    data: Path, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = iter([10**9, 10**9, 1000])
    monkeypatch.setattr(work, "free_bytes", lambda _: next(room))
    going = augment(make_plan(asked(data, tmp_path / "out"), model), model)
    assert [next(going).state, next(going).state] == ["made", "made"]
    with pytest.raises(InputError, match=r"disk is full \(1 kB left\)"):
        next(going)
    assert len(read_index(tmp_path / "out")) == 2


@pytest.mark.parametrize("formats", [("cases",), ("nifti",), ("cases", "nifti")])
def test_the_room_a_case_takes(data: Path, model: Model, formats: tuple[str, ...]) -> None:
    voxels = np.prod(SHAPE)
    expected = sum(voxels * (2 + 1 + FLOATS[name]) for name in formats)
    assert make_plan(asked(data, Path("x"), formats=formats), model).bytes_each == expected


def test_room_in_words() -> None:
    assert [in_words(n) for n in (7, 1000, 3_140_000, 2.5e12)] == [
        "7 bytes", "1 kB", "3.14 MB", "2.5 TB",
    ]  # fmt: skip


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


def test_cases_of_one_name_are_told_apart(tmp_path: Path) -> None:
    entries = [Entry(tmp_path / s / f) for s, f in (("s1", "t1.nii"), ("s2", "T1.nii.gz"))]
    assert names_of(entries) == ["s1-t1", "s2-T1"]
    assert names_of([*entries[:1], Entry(tmp_path / "s2" / "t2.nii")]) == ["t1", "t2"]
    with pytest.raises(InputError, match="2 times"):
        names_of([entries[0], Entry(tmp_path / "s2" / ".." / "s1" / "t1.nii")])


def test_the_sheet_shows_outlines_where_there_are_labels(
    data: Path, model: Model, done: Path, tmp_path: Path
) -> None:
    sheet = np.asarray(Picture.open(save_sheet(done)).convert("RGB")).astype(int)
    list(augment(make_plan(asked(data / "images", tmp_path / "o"), model), model))
    bare = np.asarray(Picture.open(save_sheet(tmp_path / "o")).convert("RGB")).astype(int)
    assert sheet.shape[0] > 300 and sheet.shape[1] / sheet.shape[0] == pytest.approx(
        5.7 / 6.75, rel=0.02
    )
    for colour in ((0x4F, 0x8D, 0xF7), (0x35, 0xD0, 0x4F)):
        near = [(abs(shown - colour).max(-1) < 12).sum() for shown in (sheet, bare)]
        assert near[0] > 9 * 20 and near[1] == 0
    with pytest.raises(InputError, match="nothing to show"):
        save_sheet(tmp_path / "nowhere")


def shell(data: Path, out: Path, file: Path, *words: str) -> int:
    call = ["augment", str(data), "--out", str(out), "--model", str(file), "--device", "cpu"]
    return run([*call, "--per-case", "1", *words])


def test_the_shell_says_what_it_made(
    data: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert shell(data, out, file, "--levels", "40", "--format", "nifti", "--json") == 0
    told = capsys.readouterr()
    summary = json.loads(told.out)
    assert {k: summary[k] for k in ("made", "kept", "failed")} == {
        "made": 3,
        "kept": 0,
        "failed": 0,
    }
    assert Path(summary["sheet"]).is_file() and len(read_dataset(summary["index"])) == 3
    assert "3 new cases of 3, at most 178 kB before compression" in told.err
    assert {row["level"] for row in read_index(out)} == {"40"}
    assert shell(data, out, file, "--levels", "40", "--format", "nifti", "--resume") == 0
    assert "made 0, kept 3, failed 0" in capsys.readouterr().out


def test_the_shell_exits_with_one_where_a_case_is_missing(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_ring(tmp_path / "set", "a", 5)
    (tmp_path / "set" / "images" / "b.nii.gz").write_text("no image")
    assert shell(tmp_path / "set", tmp_path / "out", file) == 1
    told = capsys.readouterr().err
    assert "failed: b: this is not a NIfTI file" in told and "Traceback" not in told
    assert "error: 1 new cases are missing" in told and "note: 1 of 2 cases have no labels" in told


def test_cancelled_from_the_keyboard(
    data: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    real, calls = kinds.iterate, iter(range(9))

    def interrupted(*given: object) -> object:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(kinds, "iterate", interrupted)
    assert shell(data, tmp_path / "out", file) == 130
    assert "--resume" in capsys.readouterr().err
    assert len(read_index(tmp_path / "out")) == 2 and not leftovers(tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--levels", "70:30"], "70:30 is not possible"),
        (["--levels", "strong"], "lowest:highest"),
        (["--levels", "30:90"], "level 90 does not exist"),
        (["--per-case", "0"], "--per-case"),
        (["--format", "dicom"], "no format called dicom"),
        (["--steps", "0"], "steps 0"),
        (["--split", "train"], "no case of the split train"),
    ],
)
def test_a_wrong_call_is_one_line_and_leaves_nothing(
    data: Path, file: Path, tmp_path: Path, words: list[str], said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert shell(data, tmp_path / "out", file, *words) == 2
    told = capsys.readouterr()
    assert said in told.err and len(told.err.splitlines()) == 1 and not told.out
    assert not (tmp_path / "out").exists()


def test_a_folder_with_content_stays_as_it_is(
    data: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert shell(data, tmp_path / "out", file) == 2
    assert shell(data, tmp_path / "out", file, "--resume") == 2
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_only_one_split(data: Path, model: Model, tmp_path: Path) -> None:
    table = data / "cases.csv"
    names = ("p1_frame01", "p1_frame09", "p2")
    rows = [
        f"images/{n}.nii.gz,labels/{n}.nii.gz,{s}"
        for n, s in zip(names, ("train", "train", "test"), strict=True)
    ]
    table.write_text("\n".join(["image,labels,split", *rows]) + "\n")
    whole = make_plan(asked(table, tmp_path / "o"), model)
    assert whole.cases == 3 and "test" in whole.notes[0]
    assert make_plan(asked(table, tmp_path / "o", split="train"), model).cases == 2


def test_one_level_and_a_range() -> None:
    assert (parse_levels("48"), parse_levels("30:70")) == ((48, 48), (30, 70))


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
def test_killed_and_resumed_is_never_half(
    data: Path, file: Path, done: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    call = [sys.executable, "-c", "import sys; from src_core.cli import main; main()", "augment"]
    call += [
        str(data),
        "--out",
        str(out),
        "--model",
        str(file),
        "--device",
        "cpu",
        "--per-case",
        "2",
    ]
    call += ["--levels", "20:60", "--format", "cases,nifti", "--resume"]
    for wanted in (1, 3, 5):
        going = subprocess.Popen(call, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while going.poll() is None and len(list(out.glob("cases/*-00?"))) < wanted:
            time.sleep(0.005)
        going.kill()
        going.wait()
        for image in out.glob("images/*.nii.gz"):
            assert nib.load(image).get_fdata().any()
            assert (out / "labels" / image.name).is_file()
        for folder in out.glob("cases/*-00?"):
            assert len(list(folder.iterdir())) == 7
    assert subprocess.run(call, capture_output=True).returncode == 0
    assert outputs(out) == outputs(done) and not leftovers(out)
    assert (out / "index.csv").read_bytes() == (done / "index.csv").read_bytes()
