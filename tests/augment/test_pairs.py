"""Pairs of a data set: what a run writes; each pair is checked against SimpleITK elsewhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from src_core.augment import augment, make_plan
from src_core.augment.contact_sheet import save_sheet
from src_core.augment.manifest import lines
from src_core.cli import run as drdm
from src_core.datasets.reading import read_dataset
from src_core.io import read_case
from src_core.io.hashing import sha256_file
from tests.support import tiny
from tests.support.augmented_pairs import FILES, FORMATS, request
from tests.support.files import bytes_of, rows_of


def test_a_run_makes_the_pairs_it_can_and_reports_the_others(dataset: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "out", tiny.model()
    made = list(augment(make_plan(request(dataset, out), model), model))
    assert [m.state for m in made] == ["made"] * 4 + ["failed"] * 2
    rows = rows_of(out / "index.csv")
    assert [r["moving"] for r in rows] == [
        f"pairs/{n}-00{i}/moving.nii.gz" for n in ("anna", "bert") for i in (1, 2)
    ]
    assert {row["why"] for row in rows_of(out / "failures.csv")} == {made[-1].message}
    for row in rows:
        for kind in ("moving", "fixed"):
            case = read_case(out / row[kind], out / row[f"{kind}-labels"])
            assert case.grid == read_case(row["source"]).grid
    assert len({(r["moving_level"], r["moving_seed"], r["seed"]) for r in rows}) == 4
    assert not list(out.rglob("*.partial"))


def test_the_manifest_holds_all_of_a_pair(made_pairs: Path) -> None:
    reported = list(lines(made_pairs))
    assert [line["name"] for line in reported] == [
        f"{n}-00{i}" for n in ("anna", "bert") for i in (1, 2)
    ]
    for line in reported:
        assert line["certificate"]["certified"] and line["recipe"]["fixed"]["level"] >= 30
        assert {f"pairs/{line['name']}/{f}" for f in FILES} <= line["files"].keys()
        assert all(
            sha256_file(made_pairs / name) == digest for name, digest in line["files"].items()
        )
    assert json.loads((made_pairs / "pairs.json").read_text())["between"] == [30, 70]


def test_a_damaged_pair_is_made_again(dataset: Path, made_pairs: Path, tmp_path: Path) -> None:
    before, out = bytes_of(made_pairs), tmp_path / "out"
    shutil.copytree(made_pairs, out)
    (out / "pairs" / "bert-001" / "fixed.nii.gz").write_bytes(b"cut")
    model = tiny.model()
    plan = make_plan(request(dataset, out, formats=FORMATS, resume=True), model)
    assert [m.state for m in augment(plan, model)] == ["kept"] * 2 + ["made", "kept"] + [
        "failed"
    ] * 2
    assert bytes_of(out) == before


def test_flat_folders_and_the_challenge_hold_the_same_voxels(made_pairs: Path) -> None:
    described = json.loads((made_pairs / "learn2reg" / "dataset.json").read_text())
    names = [line["name"] for line in lines(made_pairs)]
    assert described["numPairedTraining"] == len(names) == 4 == described["numTraining"] // 2
    assert described["registration_direction"] == {"fixed": 0, "moving": 1}
    assert described["labels"] == {"0": {"0": "background", "2": "label_2"}}
    for name, pair in zip(names, described["training_paired_images"], strict=True):
        for side, number in (("fixed", "0000"), ("moving", "0001")):
            assert pair[side] == f"./imagesTr/{name}_{number}.nii.gz"
            there = (made_pairs / "learn2reg" / pair[side]).read_bytes()
            assert there == (made_pairs / "pairs" / name / f"{side}.nii.gz").read_bytes()
            assert there == (made_pairs / side / f"{name}.nii.gz").read_bytes()
    for row in described["training"]:
        images = read_case(
            made_pairs / "learn2reg" / row["image"], made_pairs / "learn2reg" / row["label"]
        )
        assert set(np.unique(images.label_map)) == {0, 2}


def test_the_flat_field_moves_moving_onto_fixed_in_itk(made_pairs: Path) -> None:
    moving, fixed = (
        sitk.ReadImage(str(made_pairs / k / "anna-001.nii.gz")) for k in ("moving", "fixed")
    )
    field = sitk.ReadImage(
        str(made_pairs / "displacement" / "anna-001.nii.gz"), sitk.sitkVectorFloat64
    )
    moved = sitk.Resample(moving, fixed, sitk.DisplacementFieldTransform(field), sitk.sitkLinear)
    inner = (slice(1, -1), slice(8, -8), slice(8, -8))
    arrays = [sitk.GetArrayFromImage(image)[inner] for image in (moving, fixed, moved)]
    before, after = (np.abs(a - arrays[1]).mean() for a in (arrays[0], arrays[2]))
    assert after < 0.1 * before


def test_the_sheet_shows_that_the_field_undoes_the_difference(made_pairs: Path) -> None:
    from PIL import Image

    sheet = np.asarray(Image.open(save_sheet(made_pairs)).convert("L"), dtype=float)
    for row in np.array_split(sheet, 2, axis=0):
        inner = (slice(row.shape[0] * 2 // 5, row.shape[0] * 3 // 5), slice(40, -40))
        cells = [np.abs(cell[inner] - 127.5).mean() for cell in np.array_split(row, 5, axis=1)[3:]]
        assert cells[1] < 1 < cells[0]


def test_draws_do_not_depend_on_what_else_is_there(dataset: Path, tmp_path: Path) -> None:
    model = tiny.model()
    few = make_plan(request(dataset, tmp_path, per_case=1), model).jobs
    many = make_plan(request(dataset, tmp_path, per_case=5), model).jobs
    named = {job.name: job for job in many}
    assert all(named[job.name] == job for job in few)
    assert len(read_dataset(dataset)) * 5 == len({tuple(o.seed for o in j.options) for j in many})


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
    remade, there = bytes_of(again), bytes_of(recipe.parent)
    assert (
        json.loads(remade.pop("metrics.json")).items()
        >= json.loads(there.pop("metrics.json")).items()
    )
    assert remade == there
    assert drdm([*call, "--levels", "20:40"]) == 2
    assert "error: the folder is not empty" in capsys.readouterr().err
