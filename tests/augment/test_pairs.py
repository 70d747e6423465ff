"""Pairs of a data set: what a run writes and survives; each pair is held to SimpleITK elsewhere."""

from __future__ import annotations

import csv
import json
import multiprocessing
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from src_core.augment import Filters, Made, Request, augment, make_plan, steps
from src_core.augment.contact_sheet import save_sheet
from src_core.augment.manifest import lines
from src_core.cli import run as drdm
from src_core.datasets.reading import read_dataset
from src_core.errors import InputError
from src_core.io import read_case
from src_core.io.hashing import sha256_file
from src_core.models import library
from src_core.models.checkpoint import save_model
from tests.generation.test_pairs import oblique, ramp
from tests.support import tiny
from tests.support.clusters import cluster


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    home = tmp_path / "scans"
    for kind in ("images", "labels"):
        (home / kind).mkdir(parents=True)
    for name in ("anna", "bert"):
        case = ramp((34, 30, 3))
        for kind, data in (("images", case.image + len(name)), ("labels", case.label_map)):
            nib.save(nib.Nifti1Image(data, oblique()), home / kind / f"{name}.nii.gz")
    (home / "images" / "cora.nii.gz").write_bytes(b"no image")
    return home


def request(dataset: Path, out: Path, **values: Any) -> Request:
    asked = {"per_case": 2, "levels": (20, 40), "between": (30, 70), **values}
    return Request(dataset, out, **asked)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def tree(out: Path) -> dict[str, bytes]:
    return {
        p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()
    }


FORMATS = ("pairs", "nifti", "learn2reg")
FILES = (
    "moving.nii.gz",
    "fixed-labels.nii.gz",
    "displacement.nii.gz",
    "inverse.nii.gz",
    "recipe.json",
)


@pytest.fixture
def done(dataset: Path, tmp_path: Path) -> Path:
    model = tiny.model()
    list(augment(make_plan(request(dataset, tmp_path / "done", formats=FORMATS), model), model))
    return tmp_path / "done"


def test_a_run_makes_the_pairs_it_can_and_tells_of_the_others(
    dataset: Path, tmp_path: Path
) -> None:
    out, model = tmp_path / "out", tiny.model()
    made = list(augment(make_plan(request(dataset, out), model), model))
    assert [m.state for m in made] == ["made"] * 4 + ["failed"] * 2
    rows = table(out / "index.csv")
    assert [r["moving"] for r in rows] == [
        f"pairs/{n}-00{i}/moving.nii.gz" for n in ("anna", "bert") for i in (1, 2)
    ]
    assert {row["why"] for row in table(out / "failures.csv")} == {made[-1].message}
    for row in rows:
        for kind in ("moving", "fixed"):
            case = read_case(out / row[kind], out / row[f"{kind}-labels"])
            assert case.grid == read_case(row["source"]).grid
    assert len({(r["moving_level"], r["moving_seed"], r["seed"]) for r in rows}) == 4
    assert not list(out.rglob("*.partial"))


def test_a_stopped_run_goes_on_to_the_same_bits(dataset: Path, tmp_path: Path) -> None:
    model = tiny.model()
    for _ in augment(make_plan(request(dataset, tmp_path / "whole"), model), model):
        pass
    stopped = tmp_path / "stopped"
    runs = augment(make_plan(request(dataset, stopped), model), model)
    next(runs)
    runs.close()
    (stopped / "pairs" / ".x.partial").mkdir()
    made = list(augment(make_plan(request(dataset, stopped, resume=True), model), model))
    assert [m.state for m in made] == ["kept"] + ["made"] * 3 + ["failed"] * 2
    assert tree(stopped) == tree(tmp_path / "whole")


@pytest.mark.slow
def test_neither_workers_nor_a_death_among_them_change_a_bit(
    dataset: Path, tmp_path: Path, named_model: Path
) -> None:
    model = library.load_model(str(named_model), "cpu")
    states = {"made": 4, "failed": 2}
    alone, two = (
        make_plan(request(dataset, tmp_path / f"{n}", workers=n, formats=FORMATS), model)
        for n in (1, 2)
    )
    assert Counter(m.state for m in augment(alone, model)) == states
    found: Counter[str] = Counter()
    for value in steps(two, model):
        if isinstance(value, Made):
            if not found:
                multiprocessing.active_children()[0].kill()
            found[value.state] += 1
    assert found == states
    assert tree(tmp_path / "1") == tree(tmp_path / "2")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("distributed") is None, reason="the extra dask is not installed")
def test_a_cluster_makes_the_same_pairs(dataset: Path, tmp_path: Path, named_model: Path) -> None:
    model = library.load_model(str(named_model), "cpu")
    with cluster(tmp_path, workers=1) as (there, _):
        for name, address in (("here", ""), ("there", there)):
            asked = request(dataset, tmp_path / name, per_case=1, dask=address)
            list(augment(make_plan(asked, model), model))
    assert tree(tmp_path / "here") == tree(tmp_path / "there")


def test_the_manifest_tells_all_of_a_pair(done: Path) -> None:
    told = list(lines(done))
    assert [line["name"] for line in told] == [
        f"{n}-00{i}" for n in ("anna", "bert") for i in (1, 2)
    ]
    for line in told:
        assert line["certificate"]["certified"] and line["recipe"]["fixed"]["level"] >= 30
        assert {f"pairs/{line['name']}/{f}" for f in FILES} <= line["files"].keys()
        assert all(sha256_file(done / name) == digest for name, digest in line["files"].items())
    assert json.loads((done / "pairs.json").read_text())["between"] == [30, 70]


def test_a_damaged_pair_is_made_again(dataset: Path, done: Path) -> None:
    before = tree(done)
    (done / "pairs" / "bert-001" / "fixed.nii.gz").write_bytes(b"cut")
    model = tiny.model()
    plan = make_plan(request(dataset, done, formats=FORMATS, resume=True), model)
    assert [m.state for m in augment(plan, model)] == ["kept"] * 2 + ["made", "kept"] + [
        "failed"
    ] * 2
    assert tree(done) == before


def test_flat_folders_and_the_challenge_hold_the_same_voxels(done: Path) -> None:
    described = json.loads((done / "learn2reg" / "dataset.json").read_text())
    names = [line["name"] for line in lines(done)]
    assert described["numPairedTraining"] == len(names) == 4 == described["numTraining"] // 2
    assert described["registration_direction"] == {"fixed": 0, "moving": 1}
    assert described["labels"] == {"0": {"0": "background", "2": "label_2"}}
    for name, pair in zip(names, described["training_paired_images"], strict=True):
        for side, number in (("fixed", "0000"), ("moving", "0001")):
            assert pair[side] == f"./imagesTr/{name}_{number}.nii.gz"
            there = (done / "learn2reg" / pair[side]).read_bytes()
            assert there == (done / "pairs" / name / f"{side}.nii.gz").read_bytes()
            assert there == (done / side / f"{name}.nii.gz").read_bytes()
    for row in described["training"]:
        images = read_case(done / "learn2reg" / row["image"], done / "learn2reg" / row["label"])
        assert set(np.unique(images.label_map)) == {0, 2}


def test_the_flat_field_moves_moving_onto_fixed_in_itk(done: Path) -> None:
    moving, fixed = (sitk.ReadImage(str(done / k / "anna-001.nii.gz")) for k in ("moving", "fixed"))
    field = sitk.ReadImage(str(done / "displacement" / "anna-001.nii.gz"), sitk.sitkVectorFloat64)
    moved = sitk.Resample(moving, fixed, sitk.DisplacementFieldTransform(field), sitk.sitkLinear)
    inner = (slice(1, -1), slice(8, -8), slice(8, -8))
    arrays = [sitk.GetArrayFromImage(image)[inner] for image in (moving, fixed, moved)]
    before, after = (np.abs(a - arrays[1]).mean() for a in (arrays[0], arrays[2]))
    assert after < 0.1 * before


def test_pairs_are_turned_down_and_tried_again_at_the_same_levels(
    dataset: Path, tmp_path: Path
) -> None:
    model = tiny.model()
    plain = request(dataset, tmp_path / "plain")
    reach = sorted(
        m.metrics["max_mm"] for m in augment(make_plan(plain, model), model) if m.metrics
    )
    filters = Filters(max_mm=(reach[1] + reach[2]) / 2, retries=30)
    picky = request(dataset, tmp_path / "picky", filters=filters)
    made = [m for m in augment(make_plan(picky, model), model) if m.state != "failed"]
    assert sum(bool(m.refused) for m in made) == 2
    for m in (m for m in made if m.state == "made"):
        assert m.metrics["max_mm"] <= filters.max_mm
        first, second = m.job.options
        assert (m.metrics["moving_level"], m.metrics["level"]) == (first.level, second.level)
        assert bool(m.refused) == (m.metrics["seed"] != second.seed)


def test_the_sheet_shows_that_the_field_undoes_the_difference(done: Path) -> None:
    from PIL import Image

    sheet = np.asarray(Image.open(save_sheet(done)).convert("L"), dtype=float)
    for row in np.array_split(sheet, 2, axis=0):
        inner = (slice(row.shape[0] * 2 // 5, row.shape[0] * 3 // 5), slice(40, -40))
        cells = [np.abs(cell[inner] - 127.5).mean() for cell in np.array_split(row, 5, axis=1)[3:]]
        assert cells[1] < 1 < cells[0]


def test_another_run_is_not_mixed_in(dataset: Path, tmp_path: Path) -> None:
    model, out = tiny.model(), tmp_path / "out"
    next(augment(make_plan(request(dataset, out), model), model))
    with pytest.raises(InputError, match="not empty"):
        next(augment(make_plan(request(dataset, out), model), model))
    other = request(dataset, out, between=(5, 6), resume=True)
    with pytest.raises(InputError, match="differs in between"):
        next(augment(make_plan(other, model), model))


def test_draws_do_not_depend_on_what_else_is_there(dataset: Path, tmp_path: Path) -> None:
    model = tiny.model()
    few = make_plan(request(dataset, tmp_path, per_case=1), model).jobs
    many = make_plan(request(dataset, tmp_path, per_case=5), model).jobs
    named = {job.name: job for job in many}
    assert all(named[job.name] == job for job in few)
    assert len(read_dataset(dataset)) * 5 == len({tuple(o.seed for o in j.options) for j in many})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"formats": ("nnunet",)}, "nnunet is no format of pairs"),
        ({"between": (70, 90)}, "level 90"),
        ({"per_case": 0}, "--per-case"),
        ({"workers": 0}, "--workers"),
        ({"levels": (70, 90)}, "level 90"),
        ({"split": "train"}, "--split"),
        ({"options": {"steps": 0}}, "--steps"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(
    dataset: Path, tmp_path: Path, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        make_plan(request(dataset, tmp_path / "out", **values), tiny.model())


def test_a_full_disk_stops_the_run(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src_core.augment.jobs.free_bytes", lambda folder: 10)
    model = tiny.model()
    with pytest.raises(InputError, match="disk is full"):
        list(augment(make_plan(request(dataset, tmp_path / "out"), model), model))


@pytest.fixture
def named_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models").mkdir()
    made, path = tiny.model(), tmp_path / "models" / "tiny.safetensors"
    save_model(path, made.spec, made.network)
    monkeypatch.setattr(library, "user_folder", lambda: tmp_path / "models")
    return path


@pytest.mark.usefixtures("named_model")
def test_the_shell_makes_pairs_and_any_of_them_again(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call = ["pairs", str(dataset), "--out", str(out), "--model", "tiny", "--per-case", "1"]
    assert drdm([*call, "--levels", "20:40", "--between", "10", "--json"]) == 1
    summary = json.loads(capsys.readouterr().out)
    assert (summary["made"], summary["failed"]) == (2, 1)
    assert summary["failures"][0]["case"] == "cora"
    assert (out / "summary.html").is_file() and (out / "contact-sheet.png").is_file()
    assert drdm(["replay", str(out / "manifest.jsonl"), "--sample", "anna-001"]) == 0
    assert "same bits" in capsys.readouterr().out
    recipe = out / "pairs" / "bert-001" / "recipe.json"
    assert json.loads(recipe.read_text())["fixed"]["level"] == 10
    again = tmp_path / "again"
    assert drdm(["replay", str(recipe), "--out", str(again)]) == 0
    assert "same bits" in capsys.readouterr().out
    remade, there = tree(again), tree(recipe.parent)
    assert (
        json.loads(remade.pop("metrics.json")).items()
        >= json.loads(there.pop("metrics.json")).items()
    )
    assert remade == there
    assert drdm([*call, "--levels", "20:40"]) == 2
    assert "error: the folder is not empty" in capsys.readouterr().err
