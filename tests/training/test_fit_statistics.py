"""Statistics from training data: reproducible, of training rows alone; they tell kinds apart."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.evaluation.fit_table import auroc, fit_report, measure_kinds, read_kinds
from src_core.io import write_image
from src_core.training import fit_statistics
from src_core.training.counterexamples import counterexample, seen_again
from src_core.training.fit_statistics import TrainingFeatures, make_fit_statistics, statistics_of
from tests.support import tiny


def written(folder: Path, rows: list[tuple[str, str]]) -> Path:
    """Images of noise for subjects, and the CSV that lists them."""
    with (folder / "set.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "subject", "split"])
        for number, (subject, split) in enumerate(rows):
            values = np.random.default_rng(number).normal(size=(30, 40, 2)).astype(np.float32)
            case = Case.from_arrays(values, spacing=(1.0, 1.5, 8.0))
            name = f"{number}.nii.gz"
            write_image(folder / name, case.image, case.images[0], case.grid)
            table.writerow([name, subject, split])
    return folder / "set.csv"


def test_rows_to_train_on_alone_count_and_the_same_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit_statistics, "_COUNT", {2: 12})
    rows = [("a", "train"), ("a", "train"), ("b", "train"), ("c", "test")]
    dataset, model = written(tmp_path, rows), tiny.unet()
    one, again = (make_fit_statistics(dataset, model) for _ in range(2))
    assert (one.subjects, one.images, one.level) == (2, 6, 40)
    assert np.array_equal(one.weights, again.weights) and one.offset == again.offset


def test_one_subject_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two subjects"):
        make_fit_statistics(written(tmp_path, [("a", "train")]), tiny.unet())


def test_the_discriminant_separates_and_its_thresholds_lie_between() -> None:
    rng = np.random.default_rng(0)
    shift = np.array([3.0, 0.0, -2.0])
    known, others = rng.normal(size=(200, 3)), rng.normal(size=(200, 3)) + shift
    owners = tuple(str(i % 4) for i in range(200))
    cases = tuple(rng.normal(size=(6, 3)) for _ in range(8))
    subjects = tuple(str(i % 4) for i in range(8))
    found = statistics_of(TrainingFeatures(5, known, owners, others, cases, subjects, 48))
    direction = found.weights * found.scale**-1
    assert direction / np.linalg.norm(direction) == pytest.approx(
        shift / np.linalg.norm(shift), abs=0.1
    )
    assert np.mean([found.score(case) >= 0.5 for case in cases]) >= 0.8
    assert np.mean([found.score(one[None]) < 0.2 for one in others]) > 0.8


@pytest.mark.parametrize("shape", [(40, 40), (24, 24, 24)])
def test_made_images_are_images(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    image = rng.random(shape).astype(np.float32)
    organs = np.zeros(shape, bool)
    organs[tuple(slice(8, 14) for _ in shape)] = True
    made = [counterexample(image, organs, rng) for _ in range(30)] + [seen_again(image, rng)]
    for one in made:
        assert one.shape == shape and one.dtype == np.float32
        assert one.min() >= 0 and one.max() <= 1 and one.std() > 0.01
    again = counterexample(image, organs, np.random.default_rng(3))
    assert np.array_equal(again, counterexample(image, organs, np.random.default_rng(3)))


def test_auroc_by_hand() -> None:
    assert auroc([0.9, 0.5], [0.1, 0.5]) == pytest.approx(3.5 / 4)
    assert auroc([], [0.1]) is None


def test_a_table_of_kinds(tmp_path: Path) -> None:
    written(tmp_path, [("a", "x"), ("b", "x"), ("c", "x")])
    table = tmp_path / "kinds.csv"
    table.write_text(
        "image,kind,fits\n0.nii.gz,known,yes\n1.nii.gz,other,no\nabsent.nii,other,no\n"
    )
    with pytest.raises(InputError, match="no statistics"):
        list(measure_kinds(tiny.unet(), read_kinds(table)))
    kinds = read_kinds(table)
    kinds[0].scores, kinds[1].scores, kinds[1].refused = [0.9], [0.3], 1
    known, other = fit_report(kinds)
    assert (known["auroc"], other["auroc"], other["refused"]) == ({}, {"known": 1.0}, 1)
    assert (other["doubtful_or_worse"], other["does_not_fit"]) == (1.0, 0.0)
