"""The segmenter of an evaluation: trained, kept, reused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from src_core.cli import run
from src_core.evaluation.segmenter import train_segmenter

pytestmark = pytest.mark.usefixtures("undrawn")


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
