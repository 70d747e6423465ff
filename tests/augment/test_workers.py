"""Augmenting on many processes or a cluster: the same bytes whoever dies; filters, manifest."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from src_core import load_model
from src_core.augment import (
    Doing,
    Filters,
    Made,
    Request,
    augment,
    make_plan,
    parse_distribution,
    products,
    steps,
)
from src_core.augment.levels import draw
from src_core.augment.manifest import lines
from src_core.augment.run_folder import read_index
from src_core.augment.summary import save_summary
from src_core.cli import run
from src_core.errors import InputError
from src_core.generation import generate
from src_core.io import read_case
from src_core.io.hashing import sha256_file
from src_core.models.model import Model
from tests.support.clusters import QUIET, cluster, wait_for
from tests.support.rings import bytes_of, save_ring, save_tiny

FORMATS = ("cases", "nifti", "nnunet", "decathlon")
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
DRDM = [sys.executable, "-c", "import sys; from src_core.cli import main; main()"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def model(file: Path) -> Model:
    return load_model(file, "cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rings")
    for name, radius in (("p1_frame01", 6), ("p1_frame09", 4), ("p2", 7)):
        save_ring(folder, name, radius)
    return folder


@pytest.fixture(scope="module")
def alone(data: Path, model: Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one worker makes."""
    out = tmp_path_factory.mktemp("alone") / "out"
    assert Counter(m.state for m in done(asked(data, out), model)) == {"made": 12}
    return bytes_of(out)


def asked(data: Path, out: Path, **others: object) -> Request:
    values = {"per_case": 3, "levels": (20, 60), "formats": FORMATS, "with_sources": True, **others}
    return Request(data, out, **values)  # type: ignore[arg-type]


def done(request: Request, model: Model) -> list[Made]:
    return list(augment(make_plan(request, model), model))


def call(data: Path, out: Path, file: Path, *words: str) -> list[str]:
    shown = ["augment", str(data), "--out", str(out), "--model", str(file), "--device", "cpu"]
    shown += ["--per-case", "3", "--levels", "20:60", "--format", ",".join(FORMATS)]
    return [*DRDM, *shown, "--with-sources", *words]


def of_the_run(files: dict[str, bytes]) -> dict[str, bytes]:
    """All but what the shell adds when all is over."""
    return {k: v for k, v in files.items() if k not in ("contact-sheet.png", "summary.html")}


def made_so_far(out: Path) -> int:
    path = out / "manifest.jsonl"
    return path.read_bytes().count(b"\n") if path.is_file() else 0


@pytest.mark.slow
def test_two_processes_make_the_same_bytes_even_if_one_dies(
    data: Path, model: Model, alone: dict[str, bytes], tmp_path: Path
) -> None:
    killed = False
    for value in steps(make_plan(asked(data, tmp_path / "o", workers=2), model), model):
        if isinstance(value, Doing):
            continue
        assert value.state == "made"
        if not killed:
            killed = True
            multiprocessing.active_children()[0].kill()
    assert bytes_of(tmp_path / "o") == alone


@pytest.mark.slow
def test_processes_can_be_ended_before_a_job_is(data: Path, model: Model, tmp_path: Path) -> None:
    going = steps(make_plan(asked(data, tmp_path / "o", workers=2), model), model)
    first = next(going)
    assert isinstance(first, Doing) and first.job.name == "p1_frame01-000"
    going.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()
    assert read_index(tmp_path / "o") == [] and not list((tmp_path / "o").rglob("*.partial"))


@POSIX
@pytest.mark.slow
def test_all_killed_and_resumed_is_the_same_bytes(
    data: Path, file: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "o"
    words = call(data, out, file, "--workers", "2", "--resume")
    going = subprocess.Popen(words, start_new_session=True, **QUIET)
    wait_for(lambda: made_so_far(out) > 3)
    going.kill()
    going.wait()
    wait_for(lambda: not group_lives(going.pid), 20)
    assert 3 < made_so_far(out) < 12
    assert subprocess.run(words, capture_output=True).returncode == 0
    assert of_the_run(bytes_of(out)) == alone


def group_lives(leader: int) -> bool:
    """Whether a process of a session that is over still runs."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_keeps_what_is_whole(data: Path, file: Path, tmp_path: Path, workers: str) -> None:
    out = tmp_path / "o"
    words = call(data, out, file, "--workers", workers)
    going = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8"
    )
    wait_for(lambda: made_so_far(out) > 2)
    going.terminate()
    told = going.communicate(timeout=30)[1]
    assert going.returncode == 130 and "--resume" in told and "Traceback" not in told
    held = [line["name"] for line in lines(out)]
    assert 2 < len(held) < 12 and len(read_index(out)) == len(held)
    assert not list(out.rglob("*.partial"))
    for line in lines(out):
        assert all(sha256_file(out / name) == d for name, d in line["files"].items())
    described = json.loads((out / "decathlon" / "dataset.json").read_text())
    assert described["numTraining"] == len(held) == len(described["training"])


@POSIX
@pytest.mark.slow
@pytest.mark.skipif(find_spec("distributed") is None, reason="the extra dask is not installed")
def test_a_cluster_makes_the_same_bytes_even_if_a_worker_dies(
    data: Path, file: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "o"
    with cluster(tmp_path, workers=2) as (address, workers):
        going = subprocess.Popen(call(data, out, file, "--dask", address), **QUIET)
        wait_for(lambda: made_so_far(out) > 2)
        workers[0].kill()
        assert going.wait(timeout=120) == 0
    assert of_the_run(bytes_of(out)) == alone


def test_no_scheduler_is_one_line(
    data: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pytest.importorskip("distributed")
    from src_core.augment import cluster

    monkeypatch.setattr(cluster, "_PATIENCE", "1s")
    words = call(data, tmp_path / "o", file, "--dask", "tcp://127.0.0.1:9")[3:]
    assert run(words) == 2
    assert "error: no scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


def test_each_line_of_the_manifest_tells_all_of_a_case(
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
    for more, said in (([], "many samples"), (["--sample", "p3"], "no sample called p3")):
        assert run(["replay", manifest, *more]) == 2
        told = capsys.readouterr().err
        assert said in told and "--sample p1_frame01-001" in told and len(told.splitlines()) == 1


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


def test_a_refused_seed_is_replaced_at_the_same_level(
    data: Path, model: Model, tmp_path: Path
) -> None:
    free = done(asked(data, tmp_path / "free", formats=("nifti",), per_case=6), model)
    limit = float(np.median([m.metrics["max_mm"] for m in free if m.job.index]))
    tamed = {"formats": ("nifti",), "per_case": 6, "filters": Filters(max_mm=limit, retries=3)}
    found = done(asked(data, tmp_path / "o", **tamed), model)
    plain = {m.job.name: m for m in free}
    assert any(m.refused and m.state == "made" for m in found)
    for made in found:
        before, allowed = plain[made.job.name], limit
        if before.job.index == 0 or before.metrics["max_mm"] <= allowed:
            assert made.state == "made" and made.refused == () and made.metrics == before.metrics
            continue
        assert made.refused[0] == "moves too far"
        if made.state == "made":
            assert made.metrics["max_mm"] <= limit
            wanted = draw(1, made.job.case, made.job.index, (20, 60), len(made.refused))
            assert (made.metrics["level"], made.metrics["seed"]) == wanted
            assert made.metrics["level"] == before.metrics["level"]
        else:
            assert len(made.refused) == 4 and made.line["files"] == {}
    assert {r["image"] for r in read_index(tmp_path / "o")} == {
        f"images/{m.job.name}.nii.gz" for m in found if m.state == "made"
    }


def test_what_was_turned_down_is_not_tried_again(
    data: Path, file: Path, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    words = ["augment", str(data), "--out", str(tmp_path / "o"), "--model", str(file)]
    words += ["--per-case", "2", "--max-mm", "0.001", "--retries", "1", "--with-sources", "--json"]
    assert run([*words, "--device", "cpu"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["made"], summary["rejected"]) == (3, 6)
    assert summary["refused"] == {"moves too far": 12}
    monkeypatch.setattr(products, "iterate", None)
    assert run([*words[:-1], "--device", "cpu", "--resume"]) == 0
    told = capsys.readouterr().out
    assert "made 0, kept 3, failed 0" in told
    assert "turned down 12 seeds: moves too far 12; rejected 6" in told
    page = (tmp_path / "o" / "summary.html").read_text()
    assert "<tr><td>moves too far</td><td>12</td></tr>" in page


@pytest.mark.parametrize(
    ("filters", "metrics", "why"),
    [
        (Filters(max_mm=3), {"max_mm": 3.01}, "moves too far"),
        (Filters(max_mm=3), {"max_mm": 3.0}, ""),
        (Filters(min_mm=3), {"max_mm": 2.9}, "moves too little"),
        (Filters(keep_labels=True), {"labels_lost": [2]}, "label lost"),
        (Filters(keep_whole=True), {"labels_split": [2]}, "label split"),
        (Filters(), {"labels_split": [2], "labels_lost": [1], "max_mm": 99}, ""),
        (Filters(max_volume_change=10), {"label_volume_change": {"1": -10.5, "2": 3}},
         "label volume changed too much"),
        (Filters(max_volume_change=10), {"label_volume_change": {"1": -9.5, "2": 9}}, ""),
    ],
)  # fmt: skip
def test_filters(filters: Filters, metrics: dict[str, object], why: str) -> None:
    plain = {"max_mm": 5, "labels_lost": [], "labels_split": [], "label_volume_change": {}}
    assert filters.refused({**plain, **metrics}) == why


def test_levels_by_weight() -> None:
    assert parse_distribution("30:70") == (30, 70)
    assert parse_distribution("30, 45=2, 60") == {30: 1, 45: 2, 60: 1}
    normal = parse_distribution("50~4")
    assert min(normal) == 38 and max(normal) == 62 and max(normal, key=normal.get) == 50
    assert normal[54] / normal[50] == pytest.approx(np.exp(-0.5))
    counts = Counter(draw(1, "a", i, {30: 1, 45: 2, 60: 1, 70: 0})[0] for i in range(4000))
    assert counts[70] == 0 and counts[45] == pytest.approx(2000, abs=110)
    assert counts[30] == pytest.approx(1000, abs=95)
    for wrong in ("", "30=", "1:2,3", "~4", "30,45=-1", "a,b", "0=0,1=0"):
        with pytest.raises(InputError, match="levels"):
            parse_distribution(wrong)


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
    assert f"9 of 9 certified free of folds, smallest determinant {smallest:.3f}" in page
    changes = [m.metrics["label_volume_change"]["3"] for m in found]
    row = f"<td>3</td><td>{np.mean(changes):+.1f} %</td><td>{min(changes):+.1f} %</td>"
    assert row in page and "failures.csv" in page
