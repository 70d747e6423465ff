"""The lines of ``records.jsonl``: a training and its tests in about 2 KB.

``cases`` has the numbers of each label for every case: voxels in both, found, true, and the surface
distance in mm; ``course`` has steps, loss and validation Dice at each quarter of the training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any

from src_core.experiments.records import Key, Record, Trial
from src_core.tasks.segmentation.measures import LabelCount, figures_of

__all__ = ["COURSE", "EXTERNAL", "KEYS", "TEST", "CompactTrials", "course_record", "tested_record"]

KEYS = ("method", "subjects", "subset", "seed")
#: Values of a record's key ``tested``.
TEST, EXTERNAL, COURSE = "test", "external", "course"


class CompactTrials:
    """Format of trials whose records are made of ``LabelCount`` numbers.

    Args:
        subjects: of every tested case, by its name.
    """

    def __init__(self, subjects: Mapping[str, str]) -> None:
        self._subjects = subjects

    def to_json(self, trial: Trial) -> dict[str, Any]:
        """The object of a trial."""
        labels = _labels_of(trial.records)
        groups: dict[str, Any] = {TEST: {}, EXTERNAL: {}, COURSE: []}
        for record in trial.records:
            if record["tested"] == COURSE:
                figures = record.figures
                groups[COURSE].append([int(record.case), figures["loss"], _known(figures["dsc"])])
            else:
                groups[record["tested"]][record.case] = [_numbers(record, v) for v in labels]
        return {**trial.keys, "labels": labels, **{k: v for k, v in groups.items() if v}}

    def from_json(self, values: dict[str, Any]) -> Trial:
        """The trial of an object."""
        keys = {name: values[name] for name in KEYS}
        records = []
        for tested in (TEST, EXTERNAL):
            for case, numbers in values.get(tested, {}).items():
                counts = [_count(*n) for n in numbers]
                subject = self._subjects.get(case, case)
                records.append(tested_record(case, subject, keys, tested, counts, values["labels"]))
        records += [course_record(keys, *point) for point in values.get(COURSE, [])]
        return Trial(keys, tuple(records))


def tested_record(
    case: str,
    subject: str,
    keys: Mapping[str, Key],
    tested: str,
    counts: Sequence[LabelCount],
    labels: Sequence[int],
) -> Record:
    """The record of a tested case; its numbers are kept beside its measures."""
    figures = figures_of(counts, labels)
    for label, count in zip(labels, counts, strict=True):
        numbers = {"both": count.both, "found": count.found, "true": count.true}
        figures |= {f"{name} {label}": float(value) for name, value in numbers.items()}
    return Record(case, subject, {**keys, "tested": tested}, figures)


def course_record(keys: Mapping[str, Key], step: int, loss: float, dice: float | None) -> Record:
    """The record of a training after some steps."""
    figures = {"loss": round(loss, 4), "dsc": nan if dice is None else round(dice, 4)}
    return Record(str(step), "", {**keys, "tested": COURSE}, figures)


def _count(both: int, found: int, true: int, asd: float | None) -> LabelCount:
    return LabelCount(both, found, true, nan if asd is None else asd)


def _labels_of(records: Sequence[Record]) -> list[int]:
    names = {n for r in records for n in r.figures if n.startswith("true ")}
    return sorted(int(name.split()[1]) for name in names)


def _numbers(record: Record, label: int) -> list[float | int | None]:
    counts = [int(record.figures[f"{n} {label}"]) for n in ("both", "found", "true")]
    return [*counts, _known(record.figures[f"asd {label}"])]


def _known(value: float) -> float | None:
    return value if isfinite(value) else None
