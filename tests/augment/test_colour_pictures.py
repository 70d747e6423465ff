"""Pictures in colour in the shell and in a batch: one field, all channels, the chosen guide."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from src_core.cli import run
from src_core.io import read_case
from tests.support.augmenting import shell


def save(home: Path) -> Path:
    """A picture of three patterns with a label map, in the folders of a data set."""
    rows, columns = np.indices((40, 52))
    pixels = np.stack([rows * 5, columns * 4, (rows + columns) * 2], axis=-1).astype(np.uint8)
    labels = ((rows - 20) ** 2 + (columns - 26) ** 2 < 100).astype(np.uint8)
    for kind, values in (("images", pixels), ("labels", labels)):
        (home / kind).mkdir(parents=True)
        Picture.fromarray(values).save(home / kind / "leaf.png")
    return home / "images" / "leaf.png"


def test_a_batch_and_a_call_of_the_shell(file: Path, tmp_path: Path) -> None:
    photo, out = save(tmp_path / "data"), tmp_path / "out"
    words = ("--format", "nifti,nnunet", "--levels", "30", "--per-case", "1", "--guide", "3")
    assert shell(tmp_path / "data", out, file, *words) == 0
    made = [out / f"images{n}" / "leaf-001.nii.gz" for n in ("", "-2", "-3")]
    before, new = read_case(photo), read_case(made)
    for old, image in zip(before.images, new.images, strict=True):
        assert not np.array_equal(old.data, image.data)
    (home,) = (out / "nnunet").iterdir()
    facts = json.loads((home / "dataset.json").read_text())
    assert list(facts["channel_names"].values()) == ["red", "green", "blue"]
    assert len(list((home / "imagesTr").glob("leaf-001_000?.png"))) == 3
    (recipe,) = (out / "recipes").glob("*.json")
    assert json.loads(recipe.read_text())["options"]["guide"] == 3
    one = tmp_path / "one"
    call = ["generate", str(photo), "--model", str(file), "--level", "30", "--steps", "1"]
    assert run([*call, "--guide", "1", "--out", str(one)]) == 0
    assert np.asarray(Picture.open(one / "image.png")).shape == (40, 52, 3)
    assert run([*call, "--guide", "4", "--out", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "none").exists()
