"""The warning where new cases vary far less in size than the subjects do."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from src_core.augment.label_spread import VolumeTally, label_warning
from src_core.augment.products import PAIRS
from src_core.augment.run_folder import MANIFEST
from src_core.cli import run
from tests.support.rings import save_ring


def line(subject, case, index, before, after, state="made"):
    """Logarithms of the volumes of label 3."""
    volumes = {"3": [math.exp(before), math.exp(after)]}
    metrics = {"label_volume_ml": volumes}
    head = {"name": f"{case}_{index}", "case": case, "index": index, "subject": subject}
    return {**head, "state": state, "metrics": metrics, "files": {}}


def subjects(places, offset):
    """Two new cases of each subject, that far to either side of what they were made from."""
    return [
        line(f"s{n}", f"s{n}_ed", i, place, place + sign * offset)
        for n, place in enumerate(places)
        for i, sign in ((1, -1), (2, 1))
    ]


def spread(found):
    tally = VolumeTally()
    for one in found:
        tally.add(one)
    return tally.spread()


def test_spreads_are_those_over_seeds_and_between_subjects():
    found = spread(subjects([1.0, 2.0, 3.0], 0.1))
    assert found.seeds == pytest.approx(0.2 / math.sqrt(2))
    assert (found.subjects, found.count) == (pytest.approx(1.0), 3)
    assert found.warning.startswith("label sizes vary little: standard deviation 14 % over")
    assert "100 % between the 3 subjects" in found.warning


@pytest.mark.parametrize(("offset", "warned"), [(0.2, True), (0.22, False), (0.5, False)])
def test_the_warning_begins_below_three_tenths(offset, warned):
    assert bool(spread(subjects([1.0, 2.0, 3.0], offset)).warning) is warned


def test_two_subjects_or_one_new_case_of_each_say_nothing():
    assert spread(subjects([1.0, 3.0], 0.01)) is None
    assert spread(subjects([1.0, 2.0, 3.0], 0.01)[::2]) is None
    assert spread([]) is None


def test_a_subject_counts_once_and_its_cases_are_sources_of_their_own():
    found = subjects([1.0, 2.0, 3.0], 0.1)
    # a second case of the first subject, much larger: sources differ, its seeds do not
    found += [line("s0", "s0_es", i, 3.0, 3.0 + 0.1 * (-1) ** i) for i in (1, 2)]
    both = spread(found)
    assert both.seeds == pytest.approx(0.2 / math.sqrt(2))
    assert both.subjects == pytest.approx(math.sqrt(1 / 3))


def test_copies_rejected_cases_and_lost_labels_do_not_count():
    found = subjects([1.0, 2.0, 3.0], 0.1)
    more = [line("s0", "s0_ed", 0, 1.0, 9.0), line("s0", "s0_ed", 3, 1.0, 9.0, "rejected")]
    more += [line("s1", "s1_ed", 3, 2.0, -math.inf)]
    assert spread(found + more) == spread(found)


def test_the_warning_of_a_run_is_read_from_its_manifest(tmp_path):
    assert label_warning(tmp_path) == ""
    text = "".join(json.dumps(one) + "\n" for one in subjects([1.0, 2.0, 3.0], 0.01))
    (tmp_path / MANIFEST).write_text(text)
    assert "vary little" in label_warning(tmp_path)
    assert label_warning(tmp_path, PAIRS) == ""


def test_shell_and_summary_page_warn_in_one_line(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, radius in enumerate((3.0, 5.0, 8.0), start=1):
        save_ring(tmp_path / "rings", f"p{number}", radius)
    words = ["augment", str(tmp_path / "rings"), "--model", str(file), "--device", "cpu"]
    words += ["--per-case", "2", "--levels", "3:5", "--out", str(tmp_path / "out")]
    assert run(words) == 0
    lines = capsys.readouterr().err.splitlines()
    (warning,) = (text for text in lines if "vary little" in text)
    assert warning.startswith("warning: label sizes") and "between the 3 subjects" in warning
    page = (tmp_path / "out" / "summary.html").read_text()
    assert page.count("vary little") == 1 and warning.removeprefix("warning: ") in page
    assert run([*words, "--resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warning"] == warning.removeprefix("warning: ")
