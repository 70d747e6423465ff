"""``drdm task registration`` from data sets on disk to its table, interrupted and resumed."""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from src_core.augment.levels import draw
from src_core.cases.grid import Grid
from src_core.cli import run as drdm
from src_core.io import read_case
from src_core.models.checkpoint import save_model
from tests.support import tiny
from tests.support.registration_runs import LITTLE, done, request, write_case, write_data

pytest.importorskip("monai")
from src_core.diffusion.bspline_field import multiresolution_ddf
from src_core.tasks.registration.options import METHODS, RegistrationRequest
from src_core.tasks.registration.run import PreparedRegistration
from src_core.tasks.registration.synthetic_pairs import draw_pairs, open_pairs
from src_core.tasks.registration.window import InputWindow, read_windowed
from src_core.tasks.task import run_task
from src_core.transforms.live import Live
from src_core.transforms.scan import Scan


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two subjects in two phases to train on, two others to test."""
    return write_data(tmp_path, {"train": "ab", "test": "cd"})


@pytest.mark.slow
@pytest.mark.usefixtures("within_half_a_minute")
def test_every_method_is_trained_and_measured_on_real_pairs(tiny_models, data, capsys):
    options = [f"--{name}={value}" for name, value in LITTLE.items()]
    words = [str(data / "train"), str(data / "test"), "--model", "tiny", *options]
    assert drdm(["task", "registration", *words, "--out", str(data / "out"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    means = {(m["method"], m["measure"]): m["mean"] for m in report["means"]}
    assert {name for name, _ in means} == set(METHODS[:6])
    assert means["none", "mean_mm"] == 0 and means["none", "central"] == 0
    assert 0.3 < means["none", "dsc"] < 0.95
    assert all(m["n"] == 4 for m in report["means"] if m["measure"] == "dsc")
    text = (data / "out" / "results.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    dice = [r for r in rows if (r["method"], r["metric"], r["label"]) == ("none", "dsc", "2")]
    assert [r["case"] for r in dice] == ["c_ed to c_es", "c_es to c_ed", "d_ed to d_es",
                                         "d_es to d_ed"]  # fmt: skip
    window = InputWindow(32, 1.0)
    spec = tiny.model().spec
    entries = PreparedRegistration(request(data, "other")).data.tested
    one, other = (
        read_windowed(e, spec, (1, 2), window).masks([0, 1, 2])[:, 1] > 0.5 for e in entries[:2]
    )
    expected = 2 * float((one & other).sum()) / float(one.sum() + other.sum())
    assert float(dice[0]["value"]) == pytest.approx(expected, abs=0.01)
    table = (data / "out" / "table.md").read_text(encoding="utf-8")
    paired = {(p["method"], p["against"], p["measure"]): p for p in report["paired"]}
    gain = paired["drdm", "none", "dsc"]
    reported = "({:+.1f} to {:+.1f})".format(*(100 * gain[k] for k in ("low", "high")))
    assert gain["difference"] == pytest.approx(means["drdm", "dsc"] - means["none", "dsc"])
    assert f"| drdm less none | {100 * gain['difference']:+.1f} {reported} |" in table
    assert "| 2 | none+real |" in table
    assert (data / "out" / "results.png").stat().st_size > 1000


@pytest.mark.slow
def test_a_run_cut_short_resumes_and_ends_as_one_that_was_not(tiny_models, data):
    whole = done(request(data, "whole"))
    job = PreparedRegistration(request(data, "cut", every=1))
    steps: Iterator[Any] = run_task(job)
    for step in steps:
        if step.stage.startswith("training drdm+real"):
            break
    steps.close()
    kept = (data / "cut" / "records.jsonl").read_bytes()
    assert [json.loads(line)["method"] for line in kept.splitlines()] == [
        "none", "mrbs", "drdm", "none+real", "mrbs+real"]  # fmt: skip
    stages = {s.stage for s in run_task(PreparedRegistration(request(data, "cut", resume=True)))}
    assert {s for s in stages if s.startswith("training")} == {"training drdm+real, seed 1"}
    assert (data / "cut" / "records.jsonl").read_bytes().startswith(kept)
    again = json.loads((data / "cut" / "results.json").read_text(encoding="utf-8"))
    assert again["means"] == whole["means"] and again["paired"] == whole["paired"]


@pytest.mark.slow
def test_more_repeats_are_added_to_a_run_and_other_options_refused(tiny_models, data, capsys):
    first = request(data, "out", methods=("none", "mrbs"))
    assert {m["seeds_sd"] for m in done(first)["means"]} == {None}
    more = request(data, "out", methods=("none", "mrbs"), repeats=2, resume=True)
    job = PreparedRegistration(more)
    stages = {s.stage for s in run_task(job) if s.stage.startswith("training")}
    assert stages == {"training mrbs, seed 2"}
    by_seed = {m["method"]: m for m in job.report["means"] if m["measure"] == "mean_mm"}
    assert by_seed["mrbs"]["seeds_sd"] > 0 and by_seed["mrbs"]["n"] == 8
    words = [str(data / "train"), str(data / "test"), "--model", "tiny", "--resume"]
    assert drdm(["task", "registration", *words, "--out", str(data / "out")]) == 2
    assert "another model, data set or options" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--methods", "none,best"],
            "best is not possible, --methods, expected one or more of none, mrbs, drdm",
        ),
        (["--size", "36"], "36 is not possible, --size, expected a multiple of 8, 16 or more"),
        (["--part", "0"], "0.0 is not possible, --part, expected 0.1 to 1"),
        (["--rate", "0"], "0.0 is not possible, --rate, expected more than 0"),
        (["--tuning", "0"], "0 is not possible, --tuning, expected 1 or more"),
        (["--levels", "0:900"], "0:900 is not possible, --levels, expected levels of 1 to"),
        (["--batch", "1", "--methods", "drdm+mixed"], "--batch, expected 2 or more"),
        (["--pairs", "between"], "--pairs, expected a 3D model"),
        (["--subjects", "9"], "9 subjects are unavailable, --subjects, expected 1 to 2"),
    ],
)
def test_what_is_wrong_is_reported_in_one_line(tiny_models, data, capsys, options, message):
    words = [str(data / "train"), str(data / "test"), "--model", "tiny", *options]
    assert drdm(["task", "registration", *words, "--out", str(data / "out")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (data / "out").exists()


def test_without_monai_nothing_is_started(tiny_models, data, monkeypatch):
    monkeypatch.setattr("src_core.tasks.data.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="MONAI is not installed"):
        PreparedRegistration(request(data, "out"))
    assert not (data / "out").exists()


def test_phases_on_grids_of_their_own_are_refused(tiny_models, data):
    write_case(data / "test", "c_es", 5.0, (40, 34, 4))
    with pytest.raises(ValueError, match="c_ed has 3 slices and c_es 4, pairs"):
        done(request(data, "out", methods=("none",)))


def test_pairs_are_algorithm_4_on_the_slice_itself(tiny_models, data):
    entry = PreparedRegistration(request(data, "out")).data.trained[0]
    live = Live("tiny", (30, 70))
    draw_pairs(entry, "a_ed", data, live, 3, (30, 70), 1)
    drawn, splines = (open_pairs(data, "a_ed", kind) for kind in ("drdm", "mrbs"))
    assert drawn.slabs == splines.slabs
    code = zlib.crc32(b"a_ed")
    case = read_case(entry.image, None)
    grid = Grid((*case.grid.shape[:2], 1), case.grid.affine)
    values = case.image[:, :, drawn.slabs[1]][..., None]
    first = live.make(Scan(values, grid), *draw(1, "a_ed", 3, (30, 70)))
    moved = first.on(grid).image(torch.from_numpy(values)[None].float())[0].numpy()
    second = live.make(Scan(moved, grid), *draw(1, "a_ed", 4, (30, 70)))
    for turn, (made, expected) in enumerate(zip(drawn.read(1), (first, second), strict=True)):
        np.testing.assert_array_equal(made, expected.u)
        assert torch.equal(splines.read(1)[turn], multiresolution_ddf(made, 1, code, 1, turn))


def test_pairs_with_variety_take_the_labels_and_warp_them_for_the_second(tiny_models, data):
    entry = PreparedRegistration(request(data, "out")).data.trained[0]
    live = Live("tiny", (30, 70), variety=1.0)
    draw_pairs(entry, "a_ed", data, live, 2, (30, 70), 1)
    drawn = open_pairs(data, "a_ed", "drdm")
    case = read_case(entry.image, entry.labels)
    grid, slab = Grid((*case.grid.shape[:2], 1), case.grid.affine), [drawn.slabs[0]]
    values, labels = case.image[:, :, slab], np.asarray(case.label_map)[:, :, slab]
    first = live.make(Scan(values, grid, labels=labels), *draw(1, "a_ed", 1, (30, 70)))
    on = first.on(grid)
    moved = on.image(torch.from_numpy(values)[None].float())[0].numpy()
    warped = on.labels(torch.from_numpy(labels.astype(np.int64))[None])[0].numpy()
    second = live.make(Scan(moved, grid, labels=warped), *draw(1, "a_ed", 2, (30, 70)))
    for made, expected in zip(drawn.read(0), (first, second), strict=True):
        np.testing.assert_array_equal(made, expected.u)
    plain = Live("tiny", (30, 70)).make(Scan(values, grid), *draw(1, "a_ed", 1, (30, 70)))
    assert np.abs(plain.u - first.u).max() > 0.01
    draw_pairs(entry, "a_ed", data, Live("tiny", (30, 70)), 2, (30, 70), 1)
    np.testing.assert_array_equal(open_pairs(data, "a_ed", "drdm").read(0)[0], plain.u)


def test_pairs_are_kept_until_an_option_or_the_image_is_another(tiny_models, data):
    entry, live = PreparedRegistration(request(data, "out")).data.trained[0], Live("tiny", (30, 70))

    def made(count: int) -> list[tuple[int, bytes]]:
        draw_pairs(entry, "a_ed", data, live, count, (30, 70), 1)
        files = [data / f"a_ed.{kind}.safetensors" for kind in ("drdm", "mrbs")]
        return [(file.stat().st_mtime_ns, file.read_bytes()) for file in files]

    first = made(3)
    assert made(3) == first
    made(2)
    assert len(open_pairs(data, "a_ed", "mrbs").slabs) == 2
    assert [content for _, content in made(3)] == [content for _, content in first]
    write_case(data / "train", "a_ed", 9.0)
    assert all(a[1] != b[1] for a, b in zip(made(3), first, strict=True))


@pytest.mark.slow
def test_a_run_started_again_takes_no_weights_of_the_last(tiny_models, data):
    asked = {"methods": ("mrbs",), "overwrite": True}
    done(request(data, "out", **asked))
    stages = {
        s.stage for s in run_task(PreparedRegistration(request(data, "out", **asked, smooth=1.0)))
    }
    assert "training mrbs, seed 1" in stages


@pytest.mark.slow
def test_volumes_of_several_subjects(tmp_path):
    model = tiny.model(3)
    path = save_model(tmp_path / "tiny3.safetensors", model.spec, model.network)
    for part, names in (("train", "abc"), ("test", "de")):
        for name, radius in zip(names, (7.0, 5.0, 6.0), strict=False):
            write_case(tmp_path / part, name, radius, (24, 20, 18 + len(part)))
    methods = ("none", "drdm", "drdm+real")
    folders = (tmp_path / part for part in ("train", "test", "out"))
    asked = RegistrationRequest(*folders, model=str(path),
                    methods=methods, pairs="between", levels=(5, 20), **LITTLE)  # fmt: skip
    report = done(asked)
    means = {(m["method"], m["measure"]): m for m in report["means"]}
    assert means["none", "dsc"]["n"] == 2 and 0.2 < means["none", "dsc"]["mean"] < 0.95
    assert np.isfinite(means["drdm+real", "strict"]["mean"])
