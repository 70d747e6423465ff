"""``drdm evaluate`` on rings made here, by a small network with random weights."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import nn

from src_core.cli import run
from src_core.datasets.reading import Entry, balanced, read_dataset
from src_core.diffusion.schedule import Schedule
from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.plan import EvaluationPlan
from src_core.evaluation.plausibility import plausibility
from src_core.evaluation.reference import Reference
from src_core.evaluation.rows import removed, rows_of
from src_core.evaluation.segmenter import train_segmenter
from src_core.evaluation.steps import compare_steps
from src_core.evaluation.summary import paper_magnitudes
from src_core.experiments.groups import Group
from src_core.experiments.records import Record
from src_core.models.checkpoint import save_model
from src_core.models.model import ModelSpec
from src_core.models.nn import VelocityUNetConfig, build

LEVELS = ("--levels", "40,70", "--seeds", "2", "--device", "cpu")
QUICK = (*LEVELS, "--segmenter-batches", "0")


def save_tiny(path: Path, ndim: int = 2, still: bool = False) -> Path:
    side = 32 if ndim == 2 else 16
    schedule = Schedule(control=side, components=(side, side // 2, side // 4))
    network = VelocityUNetConfig(ndim=ndim, widths=(8, 12), embedding=8, output_stage=1)
    spec = ModelSpec(name="tiny", size=4 * side, schedule=schedule, network=network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = build(network)
        nn.init.normal_(net.head.weight, std=0.0 if still else 0.03)
        if still:
            nn.init.zeros_(net.head.bias)
    return save_model(path, spec, net)


def save_ring(folder: Path, name: str, radius: float, thick: bool = False) -> None:
    shape = (40, 52, 24 if thick else 3)
    x, y, z = np.indices(shape) - np.array([20, 26, 12 if thick else 1]).reshape(3, 1, 1, 1)
    distance = np.sqrt(x**2 + y**2 + (z**2 if thick else 0)) + 0.5 * (abs(z) == 1)
    labels = np.where(distance < radius, 3, np.where(distance < radius + 4, 2, 0)).astype(np.uint8)
    labels[(x < -13) & (abs(y) < 10)] = 1
    image = (np.array([20, 90, 60, 140])[labels] + 10 * np.cos(x / 2)).astype(np.int16)
    spacing = 1.5 if thick else 8.0
    for kind, data in (("images", image), ("labels", labels)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        affine = np.diag([-1.5, -1.5, spacing, 1])
        nib.save(nib.Nifti1Image(data, affine), folder / kind / f"{name}.nii.gz")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rings")
    for patient, radius in enumerate((6.0, 7.0, 5.0, 8.0, 6.5), start=1):
        save_ring(folder, f"patient{patient}_frame01", radius)
        save_ring(folder, f"patient{patient}_frame12", radius - 1.5)
    with (folder / "cases.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "labels", "split"])
        for path in sorted((folder / "images").iterdir()):
            split = "test" if path.name[7] in "12" else "train"
            writer.writerow([f"images/{path.name}", f"labels/{path.name}", split])
    return folder / "cases.csv"


@pytest.fixture(scope="module")
def done(model: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("done") / "figures"
    assert run(["evaluate", str(model), str(data), "--out", str(out), *QUICK, "--steps", "4"]) == 0
    return out


@pytest.fixture(autouse=True)
def undrawn(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take longer than all else here, and are drawn once, by ``done``."""
    monkeypatch.setattr("src_core.evaluation.figures.draw_figures", lambda *_: None)
    monkeypatch.setattr("src_core.evaluation.pictures.draw_pictures", lambda *_: None)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_tables_records_and_figures(done: Path) -> None:
    names = {p.name for p in done.iterdir()}
    assert {"evaluation.json", "table1.csv", "measures.csv", "paired.csv", "run.json"} <= names
    drawn = {p.name for p in (done / "figures").iterdir()}
    assert {"magnitude.png", "octaves.pdf", "shapes.png", "pictures-level-70.png"} <= drawn
    report = json.loads((done / "evaluation.json").read_text())
    assert report["labels"] == [1, 2, 3] and report["walls"] == [[2, 3]]
    assert set(report["absent"]) == {"release", "agreement"}
    assert report["reference_cases"] == 6
    assert report["plausibility"]["real_against_real"]["all shapes"] > 0


def test_every_level_has_the_rows_that_need_no_network(done: Path) -> None:
    table = [(int(r["level"]), r["row"], int(r["n"])) for r in rows(done / "table1.csv")]
    expected = [(0, "undeformed", 4)]
    for level in (40, 70):
        kinds = ("random", "recovered", "no network", "elastic")
        expected += [(level, row, 8) for row in kinds]
    assert table == expected


def test_rows_move_as_much_as_the_recovered_one(done: Path) -> None:
    means = {
        (r["row"], r["level"]): float(r["mean_mean"]) for r in rows(done / "table1.csv") if r["n"]
    }
    for level in ("40", "70"):
        assert means["elastic", level] == pytest.approx(means["recovered", level], rel=1e-4)
        wanted = min(means["recovered", level], means["random", level])
        assert means["no network", level] == pytest.approx(wanted, rel=0.05)


def test_all_is_certified_after_the_guard(done: Path) -> None:
    for row in rows(done / "table1.csv"):
        if row["certified_mean"]:
            assert float(row["certified_mean"]) == 1.0
            assert 0 < float(row["guard_scale_mean"]) <= 1


def test_what_is_measured_of_the_model_is_there(done: Path) -> None:
    found = {(r["row"], r["measure"]) for r in rows(done / "measures.csv")}
    of_recovered = {
        *("removed", "removed_8", "removed_32", "removed_finer", "shared", "diversity"),
        *("sensitivity_worst", "sensitivity_worst_of_all", "residual", "area 3", "thickness 2"),
    }
    assert {("recovered", m) for m in of_recovered} <= found
    assert {("drift", "drift"), ("drift", "drift_single_levels"), ("random", "shared")} <= found


def test_a_run_goes_on_and_ends_with_the_same_records(
    model: Path, data: Path, done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (done / "records.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "run.json").write_bytes((done / "run.json").read_bytes())
    (tmp_path / "records.jsonl").write_text("".join(whole[:5]) + whole[5][:40])
    call = ["evaluate", str(model), str(data), "--out", str(tmp_path), *QUICK, "--steps", "4"]
    assert run([*call, "--resume", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    again = (tmp_path / "records.jsonl").read_text().splitlines(keepends=True)
    assert [timeless(line) for line in again] == [timeless(line) for line in whole]
    assert again[:5] == whole[:5]
    before = json.loads((done / "evaluation.json").read_text())
    assert report["plausibility"] == before["plausibility"]


def timeless(line: str) -> dict[str, object]:
    values = json.loads(line)
    for record in values["records"]:
        record["figures"].pop("seconds", None)
    return values


def test_other_options_do_not_go_on_with_a_run(
    model: Path, data: Path, done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["evaluate", str(model), str(data), "--out", str(done), *QUICK]
    before = {p: p.read_bytes() for p in done.iterdir() if p.is_file()}
    assert run([*call, "--steps", "5", "--resume"]) == 2
    assert "another model, data set or options" in capsys.readouterr().err
    assert run(call) == 2
    assert "not empty" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in done.iterdir() if p.is_file()} == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--levels", "40,90"], "--levels"),
        (["--levels", "forty"], "--levels"),
        (["--steps", "0"], "--steps"),
        (["--seeds", "0"], "--seeds"),
        (["--cases", "99"], "--cases"),
        (["--rows", "random,magic"], "--rows"),
        (["--elastic-points", "3"], "--elastic-points"),
        (["--reference", "nowhere"], "nowhere"),
        (["--segmenter", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--release", "nowhere.pth"], "nowhere.pth"),
    ],
)
def test_bad_options_are_told_in_a_line_and_leave_nothing(
    model: Path,
    data: Path,
    tmp_path: Path,
    words: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert run(["evaluate", str(model), str(data), "--out", str(out), *words]) == 2
    error = capsys.readouterr().err
    assert error.count("error:") == 1 and told in error and "Traceback" not in error
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("labels\na.nii.gz\n", "no column image"),
        ("image\nmissing.nii.gz\n", "missing.nii.gz"),
        ("image,labels\n,x\n", "line 2"),
        ("image\n", "empty"),
    ],
)
def test_bad_data_sets_are_told(
    model: Path, tmp_path: Path, text: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "cases.csv"
    table.write_text(text)
    assert run(["evaluate", str(model), str(table), "--out", str(tmp_path / "out")]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_images_without_labels_are_measured_without_shapes(
    model: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    call = ["evaluate", str(model), str(data.parent / "images"), "--out", str(out)]
    rest = ["--levels", "60", "--seeds", "1", "--cases", "1", "--steps", "2", "--device", "cpu"]
    assert run([*call, *rest]) == 0
    report = json.loads((out / "evaluation.json").read_text())
    assert report["labels"] == [] and "shapes" in report["absent"]
    assert {r["row"] for r in report["table1"]} >= {"recovered", "no network", "elastic"}


def test_labels_without_other_subjects_draw_what_there_is(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    save_ring(tmp_path / "rings", "alone", 6.0)
    call = ["evaluate", str(model), str(tmp_path / "rings"), "--out", str(tmp_path / "out")]
    rest = ["--levels", "60", "--seeds", "1", "--steps", "2", "--device", "cpu"]
    assert run([*call, *rest, "--rows", "random,recovered", "--segmenter-batches", "0"]) == 0
    drawn = {p.stem for p in (tmp_path / "out" / "figures").iterdir()}
    assert drawn == {"magnitude", "octaves", "pictures-level-60"}


def test_volumes_are_measured_by_the_same_code(tmp_path: Path) -> None:
    model = save_tiny(tmp_path / "tiny3d.safetensors", ndim=3)
    for name, radius in (("a", 5.0), ("b", 6.0)):
        save_ring(tmp_path / "rings", name, radius, thick=True)
    call = ["evaluate", str(model), str(tmp_path / "rings"), "--out", str(tmp_path / "out")]
    rest = ["--levels", "60", "--seeds", "1", "--cases", "1", "--steps", "2", "--device", "cpu"]
    assert run([*call, *rest]) == 0
    report = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    measured = {m["measure"] for m in report["measures"] if m["row"] == "recovered"}
    assert {"volume 3", "thickness 2", "removed_16", "strict"} <= measured
    assert all(r["certified"]["mean"] == 1 for r in report["table1"] if "certified" in r)


def test_a_model_that_predicts_nothing_removes_nothing_and_does_not_drift(
    data: Path, tmp_path: Path
) -> None:
    still = save_tiny(tmp_path / "still.safetensors", still=True)
    call = ["evaluate", str(still), str(data), "--out", str(tmp_path / "out")]
    rest = ["--levels", "60", "--seeds", "2", "--cases", "1", "--steps", "2,3", "--device", "cpu"]
    assert run([*call, *rest, "--segmenter-batches", "0"]) == 0
    report = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    mean = {(m["row"], m["steps"], m["measure"]): m["mean"] for m in report["measures"]}
    assert mean["recovered", 2, "removed"] == pytest.approx(0, abs=1e-6)
    assert mean["drift", 2, "drift"] == mean["drift", 2, "drift_single_levels"] == 0
    assert mean["recovered", 2, "residual"] == 0
    assert mean["recovered", 2, "sensitivity_worst"] < 1e-4
    assert report["steps"]["fewest"] == 2


@pytest.mark.slow
def test_a_segmenter_is_trained_kept_and_taken_again(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("monai", reason="the segmenter needs MONAI")
    call = ["evaluate", str(model), str(data), "--cases", "1", "--seeds", "1", "--levels", "40"]
    call += ["--rows", "recovered", "--device", "cpu"]
    first, second = tmp_path / "first", tmp_path / "second"
    assert run([*call, "--out", str(first), "--segmenter-batches", "3"]) == 0
    kept = first / "segmenter.safetensors"
    assert run([*call, "--out", str(second), "--segmenter", str(kept)]) == 0
    agreements = [
        json.loads((out / "evaluation.json").read_text())["plausibility"]["rows"][0]["agreement"]
        for out in (first, second)
    ]
    assert agreements[0] == agreements[1] > 0
    assert not (second / "segmenter.safetensors").exists()
    capsys.readouterr()
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(model.read_bytes())
    assert run([*call, "--out", str(tmp_path / "third"), "--segmenter", str(bad)]) == 2
    assert "not a segmenter" in capsys.readouterr().err


@pytest.mark.slow
def test_a_segmenter_learns_what_labels_say_and_does_so_again() -> None:
    pytest.importorskip("monai", reason="the segmenter needs MONAI")
    rng = np.random.default_rng(0)
    offsets = np.indices((32, 32))[None] - rng.uniform(12, 20, (24, 2, 1, 1))
    distance = np.hypot(offsets[:, 0], offsets[:, 1])[:, None]
    classes = torch.from_numpy(np.where(distance < 5, 2, np.where(distance < 9, 1, 0))).byte()
    images = torch.tensor([30, 200, 110])[classes.long()].byte()
    made = []
    for _ in range(2):
        *_, (batches, last) = train_segmenter(images, classes, (4, 7), 1, 40)
        made.append(last)
    assert batches == 40
    weights = [list(m.network.state_dict().values()) for m in made]
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))
    labels = np.array([0, 4, 7])[classes[0, 0].numpy()]
    image = images[:1].float() / 255
    assert made[0].agreement(image, labels) > 0.75
    assert made[0].agreement(image, np.roll(labels, 12, axis=0)) < 0.5
    assert math.isnan(made[0].agreement(image, 0 * labels))


def test_cases_are_spread_over_subjects_and_take_turns() -> None:
    entries = [
        Entry(Path(f"p{i:02}_frame{f:02}.nii.gz"), None, f"p{i:02}")
        for i in range(20)
        for f in (1, 9)
    ]
    chosen = balanced(entries, 20)
    assert len({e.subject for e in chosen}) == 20
    assert abs(sum(e.name.endswith("01") for e in chosen) - 10) <= 1
    for count in (4, 5, 10):
        numbers = sorted(int(e.subject[1:]) for e in chosen[:count])
        assert np.diff([-1, *numbers, 20]).max() <= 2 * 21 / count
    assert sorted(e.name for e in balanced(entries, None)) == sorted(e.name for e in entries)


def test_phases_are_of_one_subject(data: Path) -> None:
    entries = read_dataset(data.parent)
    assert [e.subject for e in entries[:3]] == ["patient1", "patient1", "patient2"]
    assert all(e.labels is not None and e.labels.is_file() for e in entries)


def record(row: str, level: int, steps: int, seed: int, **figures: float) -> Record:
    keys = {"level": level, "seed": seed, "row": row, "steps": steps}
    return Record("case", f"subject{seed}", keys, figures)


def group(row: str, level: int, steps: int) -> Group:
    return Group({"row": row, "level": level, "steps": steps})


def test_removed_energy_counts_what_both_rows_have() -> None:
    random = group("random", 70, 0)
    recovered = group("recovered", 70, 8)
    for seed, (before, after) in enumerate([(8.0, 2.0), (4.0, 1.0)], start=1):
        random.records.append(record("random", 70, 0, seed, energy=before, energy_8=before / 2))
        recovered.records.append(record("recovered", 70, 8, seed, energy=after, energy_8=after))
    random.records.append(record("random", 70, 0, 3, energy=100.0, energy_8=1.0))
    found = removed(recovered, random)
    assert found["removed"].mean == 0.75
    assert found["removed_8"].mean == 0.5
    assert removed(random, random) == {}


def test_rows_are_compared_on_what_both_have_and_nearer_ones_are_told() -> None:
    real = Reference({"area 1": np.arange(40.0), "flat": np.ones(40)}, tuple("abcdefgh" * 5))
    recovered, elastic = group("recovered", 70, 8), group("elastic", 70, 0)
    for seed in range(1, 21):
        near = {"area 1": 2.0 * seed - 2, "agreement": 0.8, "flat": 1.0}
        recovered.records.append(record("recovered", 70, 8, seed, **near))
        far = {"area 1": 2.0 * seed + 18, "agreement": 0.6 + 0.01 * (seed % 2), "flat": 1.0}
        elastic.records.append(record("elastic", 70, 0, seed, **far))
    elastic.records.append(record("elastic", 70, 0, 99, agreement=0.0))
    found = plausibility([recovered, elastic], Anatomy((1,)), real)
    (told,) = found["verdicts"]
    assert (told["against"], told["nearer"], told["shapes"]) == ("elastic", 1, 1)
    assert told["agreement"] == pytest.approx(0.195)
    assert 0.19 < told["agreement_low"] < 0.195 < told["agreement_high"] < 0.2
    shift = 20 / np.arange(40.0).std()
    pair = next(p for p in found["paired"] if p["measure"] == "area 1")
    row = next(r for r in found["rows"] if r["row"] == "recovered")
    assert row["distances"]["area 1"] < 0.1
    assert pair["difference"] == pytest.approx(-shift, abs=0.1) and pair["better"]


def test_the_paper_s_magnitudes_are_met_between_levels() -> None:
    groups = []
    for level, mean, strict, scale in ((30, 2.0, 0.0, 1.0), (70, 4.0, 0.4, 0.9)):
        figures = {"mean": mean, "max": 3 * mean, "central": 0.0, "strict": strict}
        one = record("recovered", level, 8, 1, **figures, guard_scale=scale)
        groups += rows_of([one]).values()
    by_mean = {r["paper_level"]: r for r in paper_magnitudes(groups) if r["by"] == "mean"}
    assert by_mean[45]["strict"] == pytest.approx(0.2)
    assert by_mean[45]["guard_scale"] == pytest.approx(0.95)
    assert math.isnan(by_mean[70]["strict"])


def test_the_fewest_steps_lose_no_more_than_their_error() -> None:
    records = []
    for steps, lost in ((2, 0.3), (4, 0.005), (70, 0.0)):
        for seed in range(1, 6):
            value = 0.8 + 0.02 * seed - lost
            records.append(record("recovered", 70, steps, seed, agreement=value))
    found = compare_steps(rows_of(records), EvaluationPlan(levels=(70,), steps=(4, 2, 70)))
    assert found["against"] == 70 and found["fewest"] == 4
    two = next(line for line in found["losses"] if line["steps"] == 2)
    assert two["loss"] == pytest.approx(0.3) and two["loss_se"] == pytest.approx(0, abs=1e-12)
