"""``drdm generate --target``: reached, written, printed and replayed."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from src_core.cli import run as drdm
from tests.support.ringed import ringed_case
from tests.support.tiny import save_unet


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder, case = tmp_path_factory.mktemp("ringed"), ringed_case()
    for name, data in (("image", case.image), ("labels", case.label_map)):
        nib.save(nib.Nifti1Image(data, case.grid.affine), folder / f"{name}.nii.gz")
    model = save_unet(folder / "tiny.safetensors")
    image, labels = str(folder / "image.nii.gz"), str(folder / "labels.nii.gz")
    return [image, "--labels", labels, "--model", str(model), "--level", "45"]


def test_targets_are_reached_recorded_and_replayed(files, tmp_path: Path, capsys) -> None:
    out = tmp_path / "new"
    targets = ["--target", "volume 3 x1.3", "--hold", "1", "--target", "thickness 2 +0.5mm"]
    assert drdm(["generate", *files, *targets, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "volume 3 x1.3: asked x1.3, got x1." in shown and shown.count(", reached") == 3
    assert "recoveries, draws " in shown
    metrics = json.loads((out / "metrics.json").read_text())
    texts = ["volume 3 x1.3", "thickness 2 +0.5 mm", "hold 1"]
    assert [one["target"] for one in metrics["targets"]] == texts
    assert all(one["within"] for one in metrics["targets"])
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["options"]["targets"] == texts
    assert drdm(["replay", str(out / "recipe.json")]) == 0
    assert "same bits in every array" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["--target", "volume 9 x1.3"], "'volume 9 x1.3': there is no label 9, --target, expected"),
        (
            ["--target", "volume 3 80"],
            "the target 'volume 3 80' is not possible, --target, expected",
        ),
        (["--target", "volume 3 x0"], "expected a factor from x0.25 to x4"),
        (["--target", "elongation 3 -1"], "that would be -"),
        (
            ["--target", "point 900,0,0 -> 901,0,0"],
            "outside the image, --target, expected LPS mm, x ",
        ),
        (["--hold", "3", "--target", "volume 3 x2"], "cannot both be, --target, leave one of"),
        (["--target", "place 1 +4,0,0 mm", "--motion", "loop"], "series in time take no targets"),
    ],
)
def test_wrong_targets_are_one_line_and_nothing_is_written(
    files, tmp_path: Path, capsys, given: list[str], line: str
) -> None:
    out = tmp_path / "new"
    assert drdm(["generate", *files, *given, "--out", str(out)]) == 2
    shown = capsys.readouterr().err
    assert line in shown and len(shown.strip().splitlines()) == 1
    assert not out.exists()


def test_a_replay_notices_another_drawing(files, tmp_path: Path, capsys) -> None:
    drawing, out = tmp_path / "drawn by hand.nii.gz", tmp_path / "new"
    labels = nib.load(files[2])
    nib.save(labels, drawing)
    assert drdm(["generate", *files, "--target", f"shape 3 {drawing}", "--out", str(out)]) == 0
    assert drdm(["replay", str(out / "recipe.json")]) == 0
    other = np.roll(np.asarray(labels.dataobj), 1, axis=0)
    nib.save(nib.Nifti1Image(other, labels.affine), drawing)
    assert drdm(["replay", str(out / "recipe.json")]) == 2
    assert (
        "the labels drawn by hand are not what the recipe was made from" in capsys.readouterr().err
    )
