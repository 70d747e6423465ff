"""Two real hearts: their labels meet, and the field between them changes a third heart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from src_core.datasets.entry import Entry
from src_core.evaluation.cases import load_case
from src_core.evaluation.registered.placed import align, in_frame, overlaps, painted, transported
from src_core.evaluation.registered.registration import demons
from src_core.fields import certify
from src_core.fields.sampling import warp
from tests.support.tiny import unet

pytest.importorskip("SimpleITK")
LABELS = (1, 2, 3)


def test_hearts_of_two_people_meet_and_change_a_third(data_dir: Path) -> None:
    spec = unet().spec
    names = ["patient071_frame01", "patient033_frame14", "patient056_frame12"]
    folder = data_dir / "acdc"
    entries = [
        Entry(folder / "images" / f"{n}.nii.gz", folder / "labels" / f"{n}.nii.gz", n[:10])
        for n in names
    ]
    cases = [load_case(entry, spec, LABELS) for entry in entries]
    with torch.inference_mode():
        placed = [painted(case, spec.state) for case in cases]
        frame = placed[0]
        moving, fixed = (in_frame(frame, one) for one in placed[:2])
        u = demons(fixed.values[0, 0], moving.values[0, 0])
        before = overlaps(moving.shares, fixed.shares)
        after = overlaps(warp(moving.shares, u), fixed.shares)
        third = transported(u, frame, placed[2], align(frame, placed[2]))
        _, changed = cases[2].warped(third)
        _, still = cases[2].warped(torch.zeros_like(third))
    assert min(after) > 0.7 and all(b > a + 0.05 for a, b in zip(before, after, strict=True))
    assert certify(third.double())[0].strict_folding_permille < 1
    areas = [[float((labels == v).sum()) for v in LABELS] for labels in (still, changed)]
    assert np.abs(np.log(np.divide(*areas))).max() > 0.1
