"""``drdm gallery``, ``report`` and ``movie``: files, exit codes, nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from src_core.cli import run
from src_core.inspection import film_steps
from tests.support import tiny


@pytest.fixture
def model(tmp_path: Path) -> list[str]:
    return ["--model", str(tiny.save(tmp_path / "models")), "--device", "cpu", "--steps", "2"]


@pytest.fixture
def new(image: Path, labels: Path, model: list[str], tmp_path: Path) -> Path:
    words = [str(image), "--labels", str(labels), "--level", "20", *model]
    assert run(["generate", *words, "--out", str(tmp_path / "new")]) == 0
    return tmp_path / "new"


def test_films_and_reports_of_a_folder(
    new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", str(new)]) == 0
    assert "case: level 20" in (new / "report.html").read_text(encoding="utf-8")
    small = ["--side", "64", "--crop", "none"]
    assert run(["movie", str(new), *small]) == 0
    assert run(["movie", str(new / "recipe.json"), "--kind", "flicker", *small]) == 0
    with Image.open(new / "recovery.gif") as film:
        assert film.n_frames == 9
    with Image.open(new / "flicker.gif") as film:
        assert (film.n_frames, film.info["duration"]) == (2, 700)
    before = (new / "report.html").read_bytes()
    capsys.readouterr()
    assert run(["report", str(new)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert run(["report", str(new), "--overwrite"]) == 0
    assert (new / "report.html").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--kind", "cine"], "one frame only"),
        (["--out", "a.avi"], ".gif or .mp4"),
        (["--at", "1,2,99"], "outside the image"),
        (["--at", "1,2"], "cannot be read"),
        (["--fps", "51"], "--fps"),
    ],
)
def test_calls_that_are_wrong_exit_with_2_and_leave_nothing(
    new: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(new.iterdir())
    capsys.readouterr()
    assert run(["movie", str(new), *words]) == 2
    assert told in capsys.readouterr().err
    assert sorted(new.iterdir()) == before


def test_a_gallery_is_written_whole_or_not_at_all(
    image: Path,
    labels: Path,
    model: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "sheets"
    words = ["gallery", str(image), "--labels", str(labels), *model, "--seeds", "2", "--side", "64"]
    assert run([*words, "--levels", "5,95", "--out", str(out)]) == 2
    assert "95" in capsys.readouterr().err and not out.exists()
    assert run([*words, "--levels", "5,20", "--out", str(out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)["entries"]
    assert [(e["level"], e["seed"]) for e in facts] == [(5, 1), (5, 2), (20, 1), (20, 2)]
    names = ["gallery.csv", "gallery.html", "gallery.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert run([*words, "--levels", "5", "--out", str(out)]) == 2

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(film_steps, "PlaneStrip", interrupted)
    assert run([*words, "--levels", "5", "--out", str(tmp_path / "other")]) == 130
    assert not (tmp_path / "other").exists()
