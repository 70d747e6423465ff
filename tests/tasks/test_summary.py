"""Means, paired differences and the table of a task."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src_core.experiments.records import Record
from src_core.tasks.output import markdown
from src_core.tasks.summary import means_of, paired_of


def record(case: str, method: str, value: float, seed: int = 1, subjects: int = 5) -> Record:
    keys = {"method": method, "subjects": subjects, "seed": seed}
    return Record(case, case[0], keys, {"dsc": value, "asd": math.nan})


def test_means_and_paired_differences_with_intervals_by_subject():
    values = {"a1": 0.2, "a2": 0.4, "b1": 0.6, "b2": 0.6}
    records = [record(c, "none", v) for c, v in values.items()]
    records += [record(c, "drdm", v + 0.1) for c, v in values.items()]
    records.append(record("c1", "drdm", 0.9))
    none = next(m for m in means_of(records) if (m["method"], m["measure"]) == ("none", "dsc"))
    assert none["mean"] == pytest.approx(0.45) and none["n"] == 4 and none["seeds_sd"] is None
    assert (none["low"], none["high"]) == pytest.approx((0.3, 0.6))  # a twice, b twice
    pair = next(p for p in paired_of(records) if (p["method"], p["measure"]) == ("drdm", "dsc"))
    reported = pair["difference"], pair["low"], pair["high"]
    assert reported == pytest.approx((0.1, 0.1, 0.1)) and pair["n"] == 4
    assert all(m["n"] == 0 for m in means_of(records) if m["measure"] == "asd")


def test_trainings_of_other_seeds_are_paired_with_their_own():
    records = [record("a1", "none", 0.1, 1), record("a1", "none", 0.5, 2)]
    records += [record("a1", "drdm", 0.2, 1), record("a1", "drdm", 0.8, 2)]
    pair = next(p for p in paired_of(records) if p["method"] == "drdm")
    assert pair["difference"] == pytest.approx(0.2)
    mean = next(m for m in means_of(records) if m["method"] == "drdm" and m["measure"] == "dsc")
    assert mean["seeds_sd"] == pytest.approx(np.std([0.2, 0.8], ddof=1))


def test_the_table_shows_what_there_is():
    records = [record(c, "none", v) for c, v in {"a1": 0.25, "b1": 0.75}.items()]
    columns = [("dsc", "DSC", 100.0, 1), ("asd", "ASD mm", 1.0, 2)]
    assert markdown(means_of(records), columns, "dsc").splitlines()[2:] == [
        "| 5 | none | 50.0 (25.0 to 75.0) |  |"
    ]
