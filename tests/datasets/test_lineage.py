"""Data sets read for what they are: new cases show whom their sources show, labels lie beside."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import nibabel as nib
import pytest

from src_core import load_model
from src_core.augment import Request, augment, make_plan
from src_core.augment.lock import locked
from src_core.augment.manifest import lines
from src_core.datasets.reading import read_dataset, read_images
from src_core.errors import InputError
from src_core.models.model import Model
from tests.support.files import bytes_of
from tests.support.rings import oblique, ring, save_ring, save_tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(save_tiny(tmp_path_factory.mktemp("model")), "cpu")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, radius in (("p1_frame01", 6), ("p1_frame09", 4), ("p2_frame01", 7)):
        save_ring(tmp_path / "set", name, radius)
    return tmp_path / "set"


def made(data: Path, out: Path, model: Model, **others: object) -> list[str]:
    asked = Request(data, out, **{"per_case": 1, "levels": (20, 60), **others})  # type: ignore[arg-type]
    return [m.state for m in augment(make_plan(asked, model), model)]


@pytest.mark.parametrize("place", [".", "nnunet/Dataset500_set", "decathlon", "index.csv"])
def test_new_cases_have_the_subjects_of_their_sources(
    place: str, data: Path, model: Model, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    made(data, out, model, formats=("nnunet", "decathlon"), with_sources=True)
    entries = read_dataset(out / place)
    assert len(entries) == 6
    assert {(e.name[:2], e.subject) for e in entries} == {("p1", "p1"), ("p2", "p2")}


def test_folds_of_what_is_augmented_again_keep_patients_apart(
    data: Path, model: Model, tmp_path: Path
) -> None:
    once, twice = tmp_path / "once", tmp_path / "twice"
    made(data, once, model, formats=("nnunet",), with_sources=True)
    made(once / "nnunet" / "Dataset500_set", twice, model, formats=("nnunet",), with_sources=True)
    (file,) = twice.rglob("splits_final.json")
    for fold in json.loads(file.read_text(encoding="utf-8")):
        assert not {n[:2] for n in fold["train"]} & {n[:2] for n in fold["val"]}


def test_a_folder_of_images_beside_their_labels(data: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in ("p1", "p2", "p3_seg", "p4"):
        shutil.copy(data / "images" / "p1_frame01.nii.gz", flat / f"{name}.nii.gz")
    for name in ("p1_gt", "p2-Label"):
        shutil.copy(data / "labels" / "p1_frame01.nii.gz", flat / f"{name}.nii.gz")
    found = [(e.image.name, e.labels and e.labels.name) for e in read_dataset(flat)]
    assert found == [
        ("p1.nii.gz", "p1_gt.nii.gz"),
        ("p2.nii.gz", "p2-Label.nii.gz"),
        ("p3_seg.nii.gz", None),
        ("p4.nii.gz", None),
    ]
    assert [e.image.name[:2] for e in read_images(flat)] == ["p1", "p2", "p3", "p4"]


def test_labels_may_say_that_they_are_labels(data: Path) -> None:
    path = data / "labels" / "p2_frame01.nii.gz"
    path.rename(path.with_name("p2_frame01_seg.nii.gz"))
    assert [e.labels is not None for e in read_dataset(data)] == [True] * 3


def test_labels_of_other_names_are_reported(data: Path) -> None:
    for number, path in enumerate(sorted((data / "labels").iterdir())):
        path.rename(path.with_name(f"case{number}.nii.gz"))
    with pytest.raises(InputError, match=r"no label map has the name of an image.*p1_frame01"):
        read_dataset(data)


def test_a_source_that_changed_is_augmented_again(data: Path, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert made(data, out, model, formats=("nifti",)) == ["made"] * 3
    before = {line["name"]: line["files"] for line in lines(out)}
    image, labels = ring(9)
    for kind, values in (("images", image), ("labels", labels)):
        nib.save(nib.Nifti1Image(values, oblique()), data / kind / "p1_frame09.nii.gz")
    (data / "images" / "p2_frame01.nii.gz").unlink()
    (data / "labels" / "p2_frame01.nii.gz").unlink()
    again = made(data, out, model, formats=("nifti",), resume=True)
    assert again == ["kept", "made"]
    after = {line["name"]: line["files"] for line in lines(out)}
    assert [after[n] == before[n] for n in sorted(before)] == [True, False, True]


def test_one_run_at_a_time(data: Path, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert made(data, out, model, formats=("nifti",)) == ["made"] * 3
    before = bytes_of(out)
    with locked(out), pytest.raises(InputError, match="another run is using this folder"):
        made(data, out, model, formats=("nifti",), resume=True)
    assert bytes_of(out) == before
    assert made(data, out, model, formats=("nifti",), resume=True) == ["kept"] * 3
    assert bytes_of(out) == before


def test_the_index_of_a_run_keeps_subjects(data: Path, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made(data, out, model, formats=("nifti",))
    with (out / "index.csv").open(newline="") as file:
        assert [row["subject"] for row in csv.DictReader(file)] == ["p1", "p1", "p2"]
