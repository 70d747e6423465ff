"""A data set augmented with poses and intensities: recorded, replayed, reported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from src_core import read_case
from src_core.augment import augment, make_plan
from src_core.augment.manifest import lines
from src_core.cli import run
from src_core.errors import InputError
from src_core.generation.recipe import differences
from src_core.models.model import Model
from src_core.transforms import Bank
from tests.support.augmenting import asked, shell

OPTIONS = {"pose": "nnunet", "intensity": "nnunet"}


@pytest.fixture(scope="module")
def posed(data: Path, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("posed") / "out"
    plan = make_plan(asked(data, out, options=OPTIONS, with_sources=True), model)
    assert {m.state for m in augment(plan, model)} == {"made"}
    return out


def test_every_new_case_has_a_pose_of_its_own(posed: Path) -> None:
    made = [line for line in lines(posed) if line["index"]]
    poses = {json.dumps(line["recipe"]["drawn"]["pose"]) for line in made}
    assert len(made) == 6 and len(poses) > 3
    facts = json.loads((posed / "augment.json").read_text())["options"]
    assert facts["pose"]["rotation_2d"] == 180 and facts["intensity"]["noise"] == [0, 0.1]


def test_sources_stay_as_they_are(posed: Path) -> None:
    for line in lines(posed):
        if not line["index"]:
            home = posed / "cases" / line["name"]
            new = read_case(home / "image.nii.gz", home / "labels.nii.gz")
            old = read_case(line["source"], line["source_labels"])
            assert np.array_equal(new.image, old.image)
            assert np.array_equal(new.label_map, old.label_map)
            assert "drawn" not in line["recipe"]


def test_a_case_of_the_manifest_is_replayed_bit_for_bit(
    posed: Path, file: Path, capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ("--pose", "small", "--intensity", "nnunet", "--per-case", "2")
    assert shell(data, out, file, *words) == 0
    names = [line["name"] for line in lines(out)]
    assert len(names) == 6
    for name in names[:3]:
        assert run(["replay", str(out / "manifest.jsonl"), "--sample", name]) == 0
        assert "same bits in every array" in capsys.readouterr().out


def test_more_of_them_change_none(posed: Path, data: Path, model: Model, tmp_path: Path) -> None:
    plan = make_plan(asked(data, tmp_path / "out", options=OPTIONS, per_case=3), model)
    assert {m.state for m in augment(plan, model)} == {"made"}
    more = {line["name"]: line["recipe"] for line in lines(tmp_path / "out")}
    for line in lines(posed):
        if line["index"]:
            assert differences(line["recipe"], more[line["name"]]) == []


def test_a_label_that_leaves_the_image_is_reported(
    data: Path, model: Model, tmp_path: Path
) -> None:
    far = "small,shift=60"
    plan = make_plan(asked(data, tmp_path / "out", options={"pose": far}), model)
    made = list(augment(plan, model))
    cut = [m for m in made if any(m.metrics["label_cut_percent"].values())]
    assert cut and all("out of the image" in m.message for m in cut)
    assert all("out of the image" not in m.message for m in made if m not in cut)


def test_its_fields_are_no_bank(posed: Path) -> None:
    with pytest.raises(InputError, match="the fields of this run hold a pose"):
        Bank(posed).names  # noqa: B018
