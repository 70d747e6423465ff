"""Tests prepared by the shell: kinds, pairs, equal displacement, nothing that betrays a kind."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src_core.tasks.reader import run as preparing
from tests.support.files import bytes_of, rows_of
from tests.support.reader_tests import answer_all, prepare


def key_of(folder: Path) -> list[dict[str, str]]:
    return rows_of(folder / "key" / "key.csv")


def test_a_question_has_a_real_and_a_synthetic_picture_of_different_subjects(pairs):
    rows = {row["picture"]: row for row in key_of(pairs)}
    names = sorted({name[:-1] for name in rows})
    assert names == [f"{n:03d}" for n in range(1, 7)]
    both = [(rows[f"{name}a"], rows[f"{name}b"]) for name in names]
    assert Counter(frozenset(r["kind"] for r in pair) for pair in both) == {
        frozenset({"real", "generated"}): 3, frozenset({"real", "elastic"}): 3,
    }  # fmt: skip
    assert all(a["subject"] != b["subject"] for a, b in both)
    assert Counter(a["kind"] == "real" for a, _ in both) == {True: 3, False: 3}


def test_single_pictures_are_as_many_of_each_kind(singles):
    kinds = Counter(row["kind"] for row in key_of(singles))
    assert kinds == {"real": 3, "generated": 3, "elastic": 3}
    assert json.loads((singles / "plan.json").read_text())["mode"] == "score"


def test_elastic_ones_move_as_much_and_real_ones_by_less_than_a_voxel(pairs, singles):
    rows = key_of(pairs) + key_of(singles)
    for row in rows:
        if row["kind"] == "real":
            assert float(row["max_mm"]) < np.hypot(1.5, 1.2) / 2
        assert 0.3 < float(row["noise_kept"]) < 0.75
    for some in (key_of(pairs), key_of(singles)):
        moved = {
            kind: {(r["case"], r["seed"], r["slice"]): float(r["mean_mm"])
                   for r in some if r["kind"] == kind}
            for kind in ("generated", "elastic")
        }  # fmt: skip
        assert min(min(m.values()) for m in moved.values()) > 0.5


def test_the_elastic_picture_of_a_case_moves_as_the_model_would(rings, model, tmp_path):
    """Of one case, both kinds come from it, with the same seed."""
    alone = tmp_path / "alone"
    for part in ("images", "labels"):
        (alone / part).mkdir(parents=True)
        shutil.copy(rings / part / "p3.nii.gz", alone / part)
    words = ["--mode", "score", "--questions", "1", "--size", "64", "--slice", "largest"]
    assert prepare(alone, model, tmp_path / "t", *words) == 0
    rows = {row["kind"]: row for row in key_of(tmp_path / "t")}
    # the case comes three times, with another slice each; on the same slice both are equal
    assert len({row["slice"] for row in rows.values()}) == 3
    from src_core.datasets.reading import read_dataset
    from src_core.models.library import load_model
    from src_core.tasks.reader.making import PictureMaker
    from src_core.tasks.reader.pictures import PictureCrop
    from src_core.tasks.reader.sources import PictureSource

    maker = PictureMaker(load_model(model, "cpu"), 48, "middle", PictureCrop(0.8, 64), False)
    (entry,) = read_dataset(alone)
    made = [maker.make(PictureSource(kind, entry, 0, 5, True)).figures
            for kind in ("generated", "elastic")]  # fmt: skip
    assert made[0]["mean_mm"] == pytest.approx(made[1]["mean_mm"], rel=1e-5)
    assert made[0]["max_mm"] != pytest.approx(made[1]["max_mm"], rel=1e-3)
    fixed = maker.make(PictureSource("elastic", entry, 0, 5, True, mean_mm=2.0)).figures
    assert fixed["mean_mm"] == pytest.approx(2.0, rel=0.5)


def test_nothing_a_reader_gets_betrays_a_kind(pairs, singles):
    """Names, sizes, times in order of names, texts and formats are alike; the plan has no kinds."""
    for folder in (pairs, singles):
        files = sorted((folder / "pictures").iterdir())
        assert {path.stem for path in files} == {row["picture"] for row in key_of(folder)}
        assert len({path.stat().st_size for path in files}) == 1
        times = [path.stat().st_mtime_ns for path in files]
        assert times == sorted(times)
        shown = []
        for path in files:
            with Image.open(path) as picture:
                shown.append((picture.size, picture.mode, tuple(picture.info.items())))
        assert set(shown) == {((64, 64), "L", shown[0][2])} and "real or synthetic" in str(shown[0])
        plan = (folder / "plan.json").read_text(encoding="utf-8")
        assert not [
            word for word in ("real", "generated", "elastic", "p0", "p1") if f'"{word}"' in plan
        ]
        outside_key = [p.name for p in folder.rglob("*") if p.is_file() and "key" not in p.parts]
        assert not [n for n in outside_key if any(k in n for k in ("real", "generated", "elastic"))]


def test_all_pictures_have_the_whole_range_of_greys(pairs):
    for path in (pairs / "pictures").iterdir():
        with Image.open(path) as picture:
            pixels = np.asarray(picture)
        assert pixels.min() == 0 and pixels.max() == 255


def test_blur_is_equal_by_choice(rings, model, tmp_path):
    out = tmp_path / "sharp"
    assert prepare(rings, model, out, "--sharp") == 0
    real = [row for row in key_of(out) if row["kind"] == "real"]
    assert real and all(row["mean_mm"] == "" for row in real)


def test_a_test_resumes_and_is_the_same_bits(rings, model, pairs, tmp_path, monkeypatch):
    make, made = preparing.PictureMaker.make, []

    def stopping(self, source):
        if len(made) == 4:
            raise KeyboardInterrupt
        made.append(source)
        return make(self, source)

    out = tmp_path / "t"
    with monkeypatch.context() as patched:
        patched.setattr(preparing.PictureMaker, "make", stopping)
        assert prepare(rings, model, out) == 130
    assert not (out / "plan.json").exists() and len(list((out / "pictures").iterdir())) == 4
    assert prepare(rings, model, out, "--resume") == 0
    mine, theirs = bytes_of(out), bytes_of(pairs)
    same = [name for name in mine if name.startswith(("pictures", "plan", "key"))]
    assert {n: mine[n] for n in same} == {n: theirs[n] for n in same} and len(same) == 16


@pytest.fixture
def augmented(rings, tmp_path) -> Path:
    """A folder as an augmentation leaves it: an index with displacements, and a manifest."""
    run = tmp_path / "run"
    shutil.copytree(rings / "images", run / "images")
    index, manifest = ["image,name,subject,mean_mm"], []
    for number in range(5):
        name = f"p{number}-L40-S1"
        index.append(f"images/p{number}.nii.gz,{name},p{number},{1 + 0.25 * number}")
        manifest.append(json.dumps({"name": name, "subject": f"p{number}"}))
    (run / "index.csv").write_text("\n".join(index) + "\n")
    (run / "manifest.jsonl").write_text("\n".join(manifest) + "\n")
    return run


def test_images_that_exist_are_shown_as_they_are(rings, model, augmented, tmp_path):
    """Elastic ones then move as much as those of the index."""
    out = tmp_path / "t"
    assert prepare(rings, model, out, "--generated", str(augmented), "--part", "1") == 0
    rows = key_of(out)
    by_kind = {k: [r for r in rows if r["kind"] == k] for k in ("generated", "elastic")}
    index = {row["name"]: row for row in rows_of(augmented / "index.csv")}
    assert all(r["mean_mm"] == r["level"] == r["seed"] == "" for r in by_kind["generated"])
    asked = sorted(float(index[r["case"]]["mean_mm"]) for r in by_kind["generated"])
    moved = sorted(float(r["mean_mm"]) for r in by_kind["elastic"])
    assert moved == pytest.approx(asked, rel=0.35)  # over the image; the square is a part of it
    subjects = {row["picture"]: row["subject"] for row in rows}
    assert all(subjects[f"{n:03d}a"] != subjects[f"{n:03d}b"] for n in range(1, 7))


def test_elastic_ones_need_a_displacement_to_be_equal_to(rings, model, tmp_path, capsys):
    given = ["--generated", str(rings)]
    assert prepare(rings, model, tmp_path / "t", *given) == 2
    error = capsys.readouterr().err
    assert "displacement of the generated images is unknown" in error and error.count("\n") == 1
    assert prepare(rings, model, tmp_path / "t", *given, "--kinds", "generated") == 0
    assert prepare(rings, model, tmp_path / "u", *given, "--elastic", str(rings)) == 0
    made = [r for r in key_of(tmp_path / "u") if r["kind"] != "real"]
    assert len(made) == 6 and all(r["mean_mm"] == "" for r in made)


def test_answers_are_never_lost_to_a_new_test(rings, model, pairs, tmp_path, capsys):
    out = shutil.copytree(pairs, tmp_path / "t")
    answer_all(out, "R1", lambda r: "left")
    before = bytes_of(out / "answers")
    assert prepare(rings, model, out, "--overwrite", "--seed", "2") == 2
    assert "answers in the folder" in capsys.readouterr().err
    assert prepare(rings, model, out) == 2
    assert "not empty" in capsys.readouterr().err
    assert bytes_of(out / "answers") == before
    shutil.rmtree(out / "answers")
    assert prepare(rings, model, out, "--overwrite", "--seed", "2") == 0
    assert (out / "plan.json").read_bytes() != (pairs / "plan.json").read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--level", "0"], "0 is not possible, --level"),
        (["--questions", "0"], "0 is not possible, --questions"),
        (["--kinds", "real"], "--kinds"),
        (["--part", "1.5"], "1.5 is not possible, --part"),
        (["--generated", "nowhere"], "no such data set, nowhere"),
        (["--report-only"], "there is no reader test"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(rings, model, tmp_path, capsys, words, message):
    assert prepare(rings, model, tmp_path / "out", *words) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (tmp_path / "out").exists()
