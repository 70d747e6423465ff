"""The spread of label sizes over the new cases of one source, against that between subjects.

Spreads are standard deviations (with n - 1) of the logarithm of a label's volume, averaged over the
labels.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev

from src_core.augment.jobs import Line
from src_core.augment.manifest import lines
from src_core.augment.products import CASES, Product

__all__ = ["LabelSpread", "VolumeTally", "label_warning"]

_FEWEST_SUBJECTS = 3
#: Below this share of the spread between subjects, new cases hardly differ in size.
_LITTLE = 0.3
#: Label -> source or subject -> logarithms of volumes.
_Logs = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class LabelSpread:
    """Spread of label sizes of a run.

    Attributes:
        seeds: over the new cases of one source, the mean over sources.
        subjects: between the subjects, before deformation.
        count: of subjects.
    """

    seeds: float
    subjects: float
    count: int

    @property
    def text(self) -> str:
        """Both spreads in words."""
        return (
            f"{100 * self.seeds:.0f} % over the new cases of a source, "
            f"{100 * self.subjects:.0f} % between the {self.count} subjects"
        )

    @property
    def warning(self) -> str:
        """A line where the new cases vary far less than the subjects do; else empty."""
        if self.seeds >= _LITTLE * self.subjects:
            return ""
        return f"label sizes vary little: standard deviation {self.text}"


def _by_label() -> _Logs:
    return defaultdict(lambda: defaultdict(list))


@dataclass
class VolumeTally:
    """Volumes of labels, gathered line by line of a manifest."""

    _made: _Logs = field(default_factory=_by_label)
    _sources: dict[str, dict[str, Mapping[str, float]]] = field(default_factory=dict)

    def add(self, line: Line) -> None:
        """One line; undeformed copies, and labels that a pose cut off, do not count."""
        if line["state"] != "made" or not line["index"]:
            return
        volumes = line["metrics"].get("label_volume_ml", {})
        zoom = math.log(line["metrics"].get("pose_volume", 1.0))  # no variety of the anatomy
        cut = line["metrics"].get("label_cut_percent", {})
        for label, (_, new) in volumes.items():
            if new > 0 and not cut.get(label):
                self._made[label][line["case"]].append(math.log(new) - zoom)
        before = {label: math.log(old) for label, (old, _) in volumes.items() if old > 0}
        self._sources.setdefault(line["subject"], {})[line["case"]] = before

    def spread(self) -> LabelSpread | None:
        """The spread, None for fewer than three subjects, or one new case of each source."""
        found = [(seeds, *between) for seeds, between in self._of_labels()]
        if not found:
            return None
        seeds, subjects, counts = zip(*found, strict=True)
        return LabelSpread(fmean(seeds), fmean(subjects), max(counts))

    def _of_labels(self) -> Iterator[tuple[float, tuple[float, int]]]:
        """Over seeds; between subjects, of how many: for each label that has both."""
        for label, by_case in self._made.items():
            several = [stdev(logs) for logs in by_case.values() if len(logs) > 1]
            means = [
                fmean(known)
                for cases in self._sources.values()
                if (known := [volumes[label] for volumes in cases.values() if label in volumes])
            ]
            if several and len(means) >= _FEWEST_SUBJECTS:
                yield fmean(several), (stdev(means), len(means))


def label_warning(out: Path, product: Product = CASES) -> str:
    """The warning of a run of new cases, from its manifest; empty where there is none to give."""
    if product is not CASES:
        return ""
    tally = VolumeTally()
    for line in lines(out):
        tally.add(line)
    spread = tally.spread()
    return spread.warning if spread else ""
