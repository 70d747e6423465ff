"""Which case, slice and seed each picture is made from: no kind has cases of its own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from src_core.datasets.reading import Entry
from src_core.tasks.reader.options import KINDS, ReaderRequest
from src_core.tasks.reader.sources import plan_sources


def entries(subjects: int, each: int = 1, what: str = "p") -> list[Entry]:
    names = [(f"{what}{n}", k) for n in range(subjects) for k in range(each)]
    return [Entry(Path(f"{name}_{k}.nii"), None, name) for name, k in names]


def planned(pools, means=(), **options):
    request = ReaderRequest(real=Path("r"), out=Path("o"), **options)
    questions = plan_sources(request, pools, dict(means))
    return [sources for _, sources in questions]


@pytest.mark.parametrize("subjects", [4, 5, 6, 9])
def test_subjects_come_in_every_kind(subjects):
    """A kind is not told by who is shown, whatever the number of subjects."""
    found = planned({"real": entries(subjects)}, mode="score", questions=30)
    for kind in KINDS:
        shown = Counter(one.entry.subject for (one,) in found if one.kind == kind)
        assert len(shown) >= 0.8 * subjects and sum(shown.values()) == 30
    whole = Counter(one.entry for (one,) in found)
    assert max(whole.values()) - min(whole.values()) <= 1


def test_all_subjects_come_before_any_comes_again():
    found = planned({"real": entries(12, each=2)}, mode="score", questions=4)
    assert len({one.entry.subject for (one,) in found}) == 12


def test_a_case_that_comes_again_takes_another_turn():
    found = planned({"real": entries(3)}, mode="score", questions=4)
    turns = {}
    for (one,) in found:
        turns.setdefault(one.entry, []).append(one.turn)
    assert all(sorted(some) == [0, 1, 2, 3] for some in turns.values())


def test_pairs_are_of_two_subjects_also_at_the_end_of_a_round():
    found = planned({"real": entries(3, each=2)}, questions=25)
    assert len(found) == 50
    assert all(a.entry.subject != b.entry.subject for a, b in found)
    assert Counter(a.kind == "real" for a, _ in found) == {True: 25, False: 25}


def test_one_subject_is_shown_with_itself():
    assert len(planned({"real": entries(1)}, questions=2)) == 4


def test_both_kinds_of_a_number_have_its_seed():
    found = planned({"real": entries(4)}, questions=5, seed=7)
    seeds = {k: sorted(s.seed for q in found for s in q if s.kind == k) for k in KINDS}
    assert seeds["generated"] == seeds["elastic"] == [7, 8, 9, 10, 11]


def test_images_that_exist_are_their_own_pool_and_give_their_displacement():
    pools = {"real": entries(4), "generated": entries(4, what="g")}
    means = {e.name: 1.0 + n for n, e in enumerate(pools["generated"])}
    found = planned(pools, means, questions=4, mode="score")
    by_kind = {k: [one for (one,) in found if one.kind == k] for k in KINDS}
    assert {one.entry.subject[0] for one in by_kind["generated"]} == {"g"}
    assert not any(one.made for one in by_kind["generated"])
    assert all(one.made for one in by_kind["elastic"] + by_kind["real"])
    assert sorted(one.mean_mm for one in by_kind["elastic"]) == [1, 2, 3, 4]


def test_the_seed_decides_and_names_follow_no_kind():
    pools = {"real": entries(8)}
    kinds = [[s.kind for q in planned(pools, questions=8, seed=n) for s in q] for n in (1, 1, 2)]
    assert kinds[0] == kinds[1] != kinds[2]
    names = [s.name for q in planned(pools, questions=8) for s in q]
    assert names == [f"{n:03d}{letter}" for n in range(1, 17) for letter in "ab"]
