"""Data sets of nnU-Net and the decathlon, in and out: channels, codes, folds, their own checks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Picture

from src_core import load_model
from src_core.augment import Made, Request, augment, make_plan
from src_core.augment.layouts.layout import Member
from src_core.augment.layouts.nnunet import folds
from src_core.datasets.described import read_catalogue
from src_core.datasets.reading import read_dataset
from src_core.io import read_case, read_field
from src_core.models.model import Model
from tests.support.rings import oblique, ring, save_ring, save_tiny

INSIDE = np.s_[8:-8, 8:-8]
CASES = ("p1_ed", "p1_es", "p2")
NNUNET = os.environ.get("NAPARI_DRDM_NNUNET") or (sys.executable if find_spec("nnunetv2") else "")
CHECK = """
import sys
from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity
if __name__ == "__main__":
    verify_dataset_integrity(sys.argv[1], 1)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(save_tiny(tmp_path_factory.mktemp("model")), "cpu")


def made(data: Path, out: Path, model: Model, *formats: str, **others: object) -> list[Made]:
    values = {"per_case": 1, "levels": (40, 40), "with_sources": True, **others}
    request = Request(data, out, formats=formats, **values)  # type: ignore[arg-type]
    return list(augment(make_plan(request, model), model))


def volume(path: Path) -> np.ndarray:
    return np.asarray(nib.load(path).dataobj)


def save(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, oblique()), path)


def raw(
    home: Path, labels: dict[str, object], cases: tuple[str, ...] = ("p1_ed", "p1_es", "p2")
) -> Path:
    """An nnU-Net v2 raw data set of two channels."""
    for number, case in enumerate(cases):
        image, values = ring(5 + number)
        save(home / "imagesTr" / f"{case}_0000.nii.gz", image)
        save(home / "imagesTr" / f"{case}_0001.nii.gz", (300 - image).astype(np.float32))
        save(home / "labelsTr" / f"{case}.nii.gz", np.where(values, values - 1, 0).astype(np.uint8))
    facts = {"channel_names": {"0": "T1", "1": "CT"}, "labels": labels, "file_ending": ".nii.gz"}
    facts |= {"numTraining": len(cases), "regions_class_order": [1, 2]}
    (home / "dataset.json").write_text(json.dumps(facts))
    return home


def integrity(home: Path, tmp_path: Path) -> None:
    """nnU-Net's own check, by the Python that has it."""
    if not NNUNET:
        pytest.skip("no nnunetv2 here: name a Python that has it in NAPARI_DRDM_NNUNET")
    (tmp_path / "check.py").write_text(CHECK)
    call = [NNUNET, str(tmp_path / "check.py"), str(home)]
    homes = {n: str(tmp_path) for n in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")}
    ran = subprocess.run(call, capture_output=True, encoding="utf-8", env={**os.environ, **homes})
    assert ran.returncode == 0 and "verify_dataset_integrity Done" in ran.stdout, ran.stderr[-800:]


def test_an_nnunet_data_set_comes_in_with_its_channels(tmp_path: Path) -> None:
    home = raw(tmp_path / "Dataset007_Rings", {"background": 0, "wall": [1, 2], "core": 2})
    entries = read_dataset(home)
    assert [(e.name, e.subject) for e in entries] == [
        ("p1_ed", "p1"),
        ("p1_es", "p1"),
        ("p2", "p2"),
    ]
    assert [p.name for p in entries[2].images] == ["p2_0000.nii.gz", "p2_0001.nii.gz"]
    assert entries[0].labels == home / "labelsTr" / "p1_ed.nii.gz"
    catalogue = read_catalogue(home)
    assert catalogue.channels == ("T1", "CT")
    assert catalogue.labels == {"background": 0, "wall": [1, 2], "core": 2}
    facts = json.loads((home / "dataset.json").read_text())
    images = ["imagesTr/p2_0001.nii.gz", "imagesTr/p2_0000.nii.gz"]
    facts["dataset"] = {"other": {"images": images, "label": "labelsTr/p2.nii.gz"}}
    (home / "dataset.json").write_text(json.dumps(facts))
    (listed,) = read_dataset(home / "dataset.json")
    assert listed.name == "other" and [str(p)[-8] for p in listed.images] == ["1", "0"]


def test_channels_go_through_one_field_and_come_out_as_they_came(
    model: Model, tmp_path: Path
) -> None:
    home = raw(tmp_path / "Dataset007_Rings", {"background": 0, "wall": [1, 2], "core": 2})
    found = made(home, tmp_path / "o", model, "nnunet", "nifti", number=42)
    assert [m.job.name for m in found if m.state == "made"] == [
        f"{case}-00{i}" for case in ("p1_ed", "p1_es", "p2") for i in (0, 1)
    ]
    new = tmp_path / "o" / "nnunet" / "Dataset042_Dataset007Rings"
    first, second = (volume(new / "imagesTr" / f"p2-001_000{c}.nii.gz") for c in (0, 1))
    assert (first.dtype, second.dtype) == (np.int16, np.float32)
    assert np.abs(first + second - 300)[INSIDE].max() <= 0.5 + 1e-3
    assert found[5].metrics["max_mm"] > 1
    assert np.array_equal(
        volume(new / "imagesTr" / "p2-000_0001.nii.gz"),
        volume(home / "imagesTr" / "p2_0001.nii.gz"),
    )
    assert np.array_equal(volume(tmp_path / "o" / "images-2" / "p2-001.nii.gz"), second)
    facts = json.loads((new / "dataset.json").read_text())
    assert facts["labels"] == {"background": 0, "wall": [1, 2], "core": 2}
    assert facts["channel_names"] == {"0": "T1", "1": "CT"} and facts["numTraining"] == 6
    assert facts["regions_class_order"] == [1, 2]
    again = read_dataset(new)
    assert len(again) == 6 and all(len(e.images) == 2 and e.labels for e in again)
    integrity(new, tmp_path)


def test_values_with_gaps_become_codes(model: Model, tmp_path: Path) -> None:
    save_ring(tmp_path / "set", "a", 6)
    made(tmp_path / "set", tmp_path / "o", model, "nnunet", "decathlon", "nifti")
    new = tmp_path / "o" / "nnunet" / "Dataset500_set"
    facts = json.loads((new / "dataset.json").read_text())
    assert facts["labels"] == {"background": 0, "label_2": 1, "label_3": 2}
    coded = volume(new / "labelsTr" / "a-001.nii.gz")
    plain = volume(tmp_path / "o" / "labels" / "a-001.nii.gz")
    assert set(np.unique(plain)) == {0, 2, 3}
    assert np.array_equal(coded, np.array([0, 9, 1, 2])[plain])
    decathlon = json.loads((tmp_path / "o" / "decathlon" / "dataset.json").read_text())
    assert decathlon["labels"] == {"0": "background", "2": "label_2", "3": "label_3"}
    integrity(new, tmp_path)


def test_pictures_stay_pictures_for_nnunet(model: Model, tmp_path: Path) -> None:
    image, labels = ring(6)
    for kind, data in (("images", image), ("labels", labels)):
        (tmp_path / "set" / kind).mkdir(parents=True)
        Picture.fromarray(data[..., 1].T.astype(np.uint8)).save(tmp_path / "set" / kind / "a.png")
    made(tmp_path / "set", tmp_path / "o", model, "nnunet", spacing=1.4)
    new = tmp_path / "o" / "nnunet" / "Dataset500_set"
    assert json.loads((new / "dataset.json").read_text())["file_ending"] == ".png"
    kept = np.asarray(Picture.open(new / "imagesTr" / "a-000_0000.png"))
    assert np.array_equal(kept, np.asarray(Picture.open(tmp_path / "set" / "images" / "a.png")))
    moved = np.asarray(Picture.open(new / "labelsTr" / "a-001.png"))
    assert moved.shape == (44, 30) and set(np.unique(moved)) == {0, 1, 2}
    integrity(new, tmp_path)


def decathlon(home: Path) -> Path:
    """Two contrasts along the fourth axis."""
    image, labels = ring(6)
    save(home / "imagesTr" / "la_1.nii.gz", np.stack([image, 300 - image], -1).astype(np.int16))
    save(home / "labelsTr" / "la_1.nii.gz", labels)
    facts = {
        "name": "X",
        "licence": "CC0",
        "modality": {"0": "T1", "1": "T2"},
        "labels": {"0": "background", "2": "wall", "3": "core"},
        "training": [{"image": "./imagesTr/la_1.nii.gz", "label": "labelsTr/la_1.nii.gz"}],
    }
    (home / "dataset.json").write_text(json.dumps(facts))
    return home


def test_a_decathlon_data_set_goes_out_as_either(model: Model, tmp_path: Path) -> None:
    home = decathlon(tmp_path / "set")
    made(home, tmp_path / "o", model, "decathlon", "nnunet")
    four = volume(tmp_path / "o" / "decathlon" / "imagesTr" / "la_1-001.nii.gz")
    assert four.shape == (30, 44, 3, 2) and np.abs(four.sum(-1) - 300)[INSIDE].max() <= 1
    new = tmp_path / "o" / "nnunet" / "Dataset500_set"
    for channel in (0, 1):
        three = volume(new / "imagesTr" / f"la_1-001_000{channel}.nii.gz")
        assert np.array_equal(three, four[..., channel])
    facts = json.loads((new / "dataset.json").read_text())
    assert facts["labels"] == {"background": 0, "wall": 1, "core": 2}
    assert facts["channel_names"] == {"0": "T1", "1": "T2"} and facts["licence"] == "CC0"
    again = json.loads((tmp_path / "o" / "decathlon" / "dataset.json").read_text())
    assert again["labels"] == {"0": "background", "2": "wall", "3": "core"}
    assert again["licence"] == "CC0" and again["modality"] == {"0": "T1", "1": "T2"}
    integrity(new, tmp_path)


def test_monai_reads_what_is_made_for_the_decathlon(model: Model, tmp_path: Path) -> None:
    data = pytest.importorskip("monai.data")
    home = raw(tmp_path / "set", {"background": 0, "wall": 1, "core": 2})
    made(home, tmp_path / "o", model, "decathlon")
    new = tmp_path / "o" / "decathlon"
    listed = data.load_decathlon_datalist(str(new / "dataset.json"), True, "training")
    assert len(listed) == 6
    for row in listed:
        both = volume(Path(row["image"]))
        assert both.dtype == np.float32 and both.shape == (30, 44, 3, 2)
        assert np.abs(both.sum(-1) - 300)[INSIDE].max() <= 0.51
        assert volume(Path(row["label"])).shape == (30, 44, 3)


def test_the_field_beside_moves_the_source_to_the_case(model: Model, tmp_path: Path) -> None:
    from src_core.fields.warp_case import warp_case

    home = raw(tmp_path / "set", {"background": 0, "wall": 1, "core": 2}, ("a",))
    made(home, tmp_path / "o", model, "nnunet")
    field, _ = read_field(tmp_path / "o" / "fields" / "a-001.nii.gz")
    (entry,) = read_dataset(home)
    moved = warp_case(read_case(entry.images, entry.labels), field)
    new = tmp_path / "o" / "nnunet" / "Dataset500_set"
    assert np.array_equal(moved.label_map, volume(new / "labelsTr" / "a-001.nii.gz"))


@pytest.mark.parametrize("what", ["labels", "channel", "value", "cine"])
def test_what_nnunet_would_refuse_fails_in_one_line(
    what: str, model: Model, tmp_path: Path
) -> None:
    home = raw(tmp_path / "set", {"background": 0, "wall": 1, "core": 2})
    image, values = ring(5)
    if what == "labels":
        (home / "labelsTr" / "p1_es.nii.gz").unlink()
    elif what == "channel":
        (home / "imagesTr" / "p1_es_0001.nii.gz").unlink()
    elif what == "value":
        save(home / "labelsTr" / "p1_es.nii.gz", values)
    else:
        save(home / "imagesTr" / "p1_es_0000.nii.gz", np.stack([image, image + 1], -1))
    found = made(home, tmp_path / "o", model, "nnunet")
    reported = {"labels": "labelled cases", "channel": "1 channels", "value": "label values 3",
            "cine": "3 channels or frames"}[what]  # fmt: skip
    assert [m.state for m in found] == ["made"] * 2 + ["failed"] * 2 + ["made"] * 2
    assert reported in found[2].message and "p1_es" in found[2].message
    new = tmp_path / "o" / "nnunet" / "Dataset500_set"
    assert len(list((new / "labelsTr").iterdir())) == 4
    integrity(new, tmp_path)


def test_folds_keep_a_subject_in_one_and_test_on_sources() -> None:
    members = [Member(f"s{s}-{i}", f"s{s}", i, True) for s in range(7) for i in range(3)]
    made_ = folds(members)
    assert len(made_) == 5
    for fold in made_:
        seen = {name.split("-")[0] for name in fold["train"]}
        assert not seen & {name.split("-")[0] for name in fold["val"]}
        assert all(name.endswith("-0") for name in fold["val"])
    assert sorted(n for f in made_ for n in f["val"]) == [f"s{s}-0" for s in range(7)]
    assert folds(members[:3]) == []
    bare = folds([m for m in members[:6] if m.index])
    assert [len(f["val"]) for f in bare] == [2, 2]
