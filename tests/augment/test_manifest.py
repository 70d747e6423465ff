"""The manifest of an augmentation and the page made of it; damaged files are made again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from src_core.augment.summary import save_summary
from src_core.cli import run
from src_core.generation import generate
from src_core.io import read_case
from src_core.models.model import Model
from tests.support.augment_workers import asked, done
from tests.support.files import bytes_of


def test_each_line_of_the_manifest_holds_all_of_a_case(
    alone: dict[str, bytes], data: Path, model: Model
) -> None:
    found = [json.loads(line) for line in alone["manifest.jsonl"].splitlines()]
    assert [line["name"][-3:] for line in found] == ["000", "001", "002", "003"] * 3
    line = found[2]
    source = read_case(line["source"], line["source_labels"])
    result = generate(source, model, **line["recipe"]["options"])
    assert result.recipe["outputs"] == line["recipe"]["outputs"]
    assert {**result.metrics, "seconds": 0} == {**line["metrics"], "seconds": 0}
    assert line["certificate"]["certified"] and line["certificate"]["min_det"] > 0
    listed = {name for each in found for name in each["files"]}
    homes = ("cases/", "fields/", "images/", "labels/", "recipes/", "metrics/")
    assert listed == {
        name for name in alone if name.startswith(homes) or "Tr/" in name
    }  # every file of every case, and no other


def test_any_sample_of_a_manifest_is_replayed(
    data: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o"
    words = ["augment", str(data), "--out", str(out), "--model", str(file), "--device", "cpu"]
    assert run([*words, "--per-case", "1", "--json"]) == 0
    manifest = str(out / "manifest.jsonl")
    assert json.loads(capsys.readouterr().out)["manifest"] == manifest
    assert run(["replay", manifest, "--sample", "p2-001"]) == 0
    assert "same bits in every array" in capsys.readouterr().out
    for more, reported in (([], "many samples"), (["--sample", "p3"], "no sample called p3")):
        assert run(["replay", manifest, *more]) == 2
        printed = capsys.readouterr().err
        assert (
            reported in printed
            and "--sample p1_frame01-001" in printed
            and len(printed.splitlines()) == 1
        )


def test_what_was_damaged_is_made_again(data: Path, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "o"
    done(asked(data, out, formats=("nifti",)), model)
    before = bytes_of(out)
    image = out / "images" / "p2-002.nii.gz"
    image.write_bytes(image.read_bytes()[:-1] + b"x")
    with (out / "manifest.jsonl").open("ab") as manifest:
        manifest.write(b'{"name": "p2-003", "state": "ma')
    states = {
        m.job.name: m.state for m in done(asked(data, out, formats=("nifti",), resume=True), model)
    }
    assert [name for name, state in states.items() if state == "made"] == ["p2-002"]
    assert bytes_of(out) == before


def test_sources_are_written_as_they_are(data: Path, alone: dict[str, bytes]) -> None:
    for name in ("p1_frame01", "p1_frame09", "p2"):
        for kind in ("images", "labels"):
            now = alone[f"{kind}/{name}-000.nii.gz"]
            assert _values(now) == _values((data / kind / f"{name}.nii.gz").read_bytes())


def _values(packed: bytes) -> bytes:
    import gzip

    return gzip.decompress(packed)[352:]


def test_the_page_says_what_the_manifest_holds(data: Path, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "o"
    found = done(asked(data, out, formats=("nifti",), with_sources=False), model)
    page = save_summary(out, failed=2).read_text("utf-8")
    assert f"{data}: model tiny, levels 20 to 60, seed 1." in page
    assert "<tr><td>new cases</td><td>9</td></tr>" in page
    assert "<tr><td>made from</td><td>3</td></tr>" in page and "<td>failed</td><td>2" in page
    smallest = min(m.metrics["min_det"] for m in found)
    proof = "9 of 9 have no folds (says nothing about plausibility)"
    assert f"{proof}, smallest determinant {smallest:.3f}" in page
    changes = [m.metrics["label_volume_change"]["3"] for m in found]
    row = f"<td>3</td><td>{np.mean(changes):+.1f} %</td><td>{min(changes):+.1f} %</td>"
    assert row in page and "failures.csv" in page
