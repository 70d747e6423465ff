"""``drdm task segmentation`` on rings made here, by a small network with random weights."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from src_core.cli import run
from src_core.tasks.segmentation.slice_stacks import read_stack
from tests.support.files import rows_of
from tests.support.tiny import save_unet

pytest.importorskip("monai")

OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = Rotation.from_euler("zyx", (80, 10, 5), degrees=True).as_matrix() * (1.2, 1.5, 8)
SMALL = (
    "--subjects",
    "2",
    "--times",
    "2",
    "--steps",
    "3",
    "--batch",
    "2",
    "--size",
    "32",
    "--device",
    "cpu",
)


def ring(radius: float) -> tuple[np.ndarray, np.ndarray]:
    x, y, z = np.indices((40, 52, 3)) - np.array([20, 26, 1]).reshape(3, 1, 1, 1)
    distance = np.sqrt(x**2 + y**2) + 0.5 * (abs(z) == 1)
    labels = np.where(distance < radius, 9, np.where(distance < radius + 4, 4, 0)).astype(np.uint8)
    return (np.array([20, 90, 140])[labels // 4] + 10 * np.cos(x / 2)).astype(np.int16), labels


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data set of three subjects to train and two to test, and a model."""
    rows = ["image,labels,subject,split"]
    for index, name in enumerate(("a_ed", "a_es", "b_ed", "c_ed", "t_ed", "u_ed")):
        for kind, values in zip("il", ring(6.0 + index), strict=True):
            nib.save(nib.Nifti1Image(values, OBLIQUE), tmp_path / f"{name}-{kind}.nii.gz")
        split = "train" if index < 4 else "test"
        rows.append(f"{name}-i.nii.gz,{name}-l.nii.gz,{name[0]},{split}")
    (tmp_path / "set.csv").write_text("\n".join(rows) + "\n")
    save_unet(tmp_path / "tiny.safetensors")
    return tmp_path


def call(home: Path, out: str, *more: str) -> int:
    data = str(home / "set.csv")
    model = ("--model", str(home / "tiny.safetensors"))
    return run(
        ["task", "segmentation", data, data, "--out", str(home / out), *model, *SMALL, *more]
    )


@pytest.mark.slow
def test_every_method_number_and_case_is_in_the_results(home, capsys):
    methods = "none,bigaug,appearance,elastic,drdm,drdm+appearance"
    assert call(home, "out", "--methods", methods, "--subjects", "1,2", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["labels"] == [4, 9] and report["training_cases"] == 4
    assert report["test_cases"] == ["t_ed-i", "u_ed-i"]
    rows = rows_of(home / "out" / "results.csv")
    assert {(r["method"], r["subjects"]) for r in rows} == {
        (m, s) for m in methods.split(",") for s in "12"
    }
    assert {r["label"] for r in rows} == {"", "4", "9"} and {r["subject"] for r in rows} == {
        "t",
        "u",
    }
    means = {(m["method"], m["subjects"], m["measure"]): m["mean"] for m in report["means"]}
    values = [
        float(r["value"])
        for r in rows
        if (r["method"], r["subjects"], r["metric"], r["label"]) == ("drdm", "2", "dsc", "4")
    ]
    assert means["drdm", 2, "dsc 4"] == pytest.approx(np.mean(values), abs=1e-5)
    assert {p["against"] for p in report["paired"] if p["method"] == "drdm"} == {
        m for m in methods.split(",") if m != "drdm"
    }
    table = (home / "out" / "table.md").read_text(encoding="utf-8").splitlines()
    assert len(table) == 2 + 12 and table[0].startswith("| subjects | method | 4 DSC | 4 sens. |")
    assert (home / "out" / "results.png").stat().st_size > 10_000


@pytest.mark.slow
def test_a_run_resumes_where_it_stopped_and_ends_as_one_that_did_not(home, monkeypatch):
    methods = ("--methods", "none,drdm", "--repeats", "2")
    assert call(home, "whole", *methods) == 0
    module = import_module("src_core.tasks.segmentation.run")
    trained = []

    def stopping(pool, *args, **kwargs):
        if len(trained) == 3:
            raise KeyboardInterrupt
        trained.append(kwargs["seed"])
        return train(pool, *args, **kwargs)

    train = module.train
    monkeypatch.setattr(module, "train", stopping)
    assert call(home, "parts", *methods) == 130
    whole = rows_of(home / "whole" / "results.csv")
    assert rows_of(home / "parts" / "results.csv") == whole[: 3 * len(whole) // 4]
    trained.clear()
    assert call(home, "parts", *methods, "--resume") == 0
    assert len(trained) == 1
    assert rows_of(home / "parts" / "results.csv") == whole


@pytest.mark.slow
def test_a_run_takes_further_methods_but_no_other_options(home, capsys):
    assert call(home, "out", "--methods", "none") == 0
    before = [r["value"] for r in rows_of(home / "out" / "results.csv")]
    assert call(home, "out", "--methods", "none,elastic", "--resume") == 0
    rows = rows_of(home / "out" / "results.csv")
    assert [r["value"] for r in rows if r["method"] == "none"] == before
    assert len(rows) == 2 * len(before)
    assert call(home, "out", "--methods", "none", "--resume", "--seed", "2") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert call(home, "out", "--methods", "none") == 2


@pytest.mark.slow
def test_fields_are_shared_between_runs(home):
    fields = ("--fields", str(home / "fields"), "--methods", "drdm")
    assert call(home, "one", *fields) == 0
    files = {f.name: f.stat().st_mtime_ns for f in (home / "fields").iterdir()}
    assert call(home, "two", *fields) == 0
    assert {f.name: f.stat().st_mtime_ns for f in (home / "fields").iterdir()} == files
    assert rows_of(home / "one" / "results.csv") == rows_of(home / "two" / "results.csv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--methods", "none,magic"), "magic is not possible, --methods"),
        (("--subjects", "4"), "4 subjects are unavailable"),
        (("--subjects", "few"), "few is not possible, --subjects"),
        (("--levels", "70:30"), "70:30 is not possible, --levels"),
        (("--levels", "high"), "high is not possible, --levels"),
        (("--size", "40"), "40 is not possible, --size"),
        (("--rate", "0"), "0.0 is not possible, --rate"),
        (("--times", "0"), "0 is not possible, --times"),
    ],
)
def test_what_is_not_possible_is_reported_in_one_line(home, capsys, options, message):
    assert call(home, "out", *options) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (home / "out").exists()


def test_slices_lie_on_a_square_grid_of_one_pixel_size(home):
    from src_core.datasets.reading import read_dataset
    from src_core.models.library import load_model

    entry = read_dataset(home / "set.csv")[0]
    spec = load_model(home / "tiny.safetensors", "cpu").spec.model_copy(update={"size": 32})
    stack = read_stack(entry, "a", spec, (4, 9))
    spacing = np.linalg.norm(OBLIQUE[:3, :3], axis=0)
    pixel = max(40 * spacing[0], 52 * spacing[1]) / 32
    assert stack.images.shape == (3, 1, 32, 32) and stack.classes.shape == (3, 32, 32)
    assert stack.spacing == pytest.approx((spacing[2], pixel, pixel))
    area = float((stack.classes[1] == 2).sum()) * pixel**2
    assert area == pytest.approx(np.pi * 6.0**2 * spacing[0] * spacing[1], rel=0.1)
    assert float(stack.images.min()) >= 0 and float(stack.images.max()) <= 1


def test_without_monai_nothing_is_started(home, capsys, monkeypatch):
    monkeypatch.setattr("src_core.tasks.data.find_spec", lambda name: None)
    assert call(home, "out") == 2
    assert "MONAI is not installed" in capsys.readouterr().err and not (home / "out").exists()
