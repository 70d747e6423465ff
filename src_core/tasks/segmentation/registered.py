"""Fields between other real subjects: a reference for what deformations can give at best.

An oracle, not a method for few labels: the fields are between all training subjects of the data
set, those outside a subset too, and labels guide their registration. They hold shape without pose
and scale; their lengths are those between people, and are not matched to other kinds.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.evaluation.cases import load_case
from src_core.evaluation.registered.bank import RegisteredBank, fill_bank, plan_bank
from src_core.evaluation.registered.pairs import CasePair, pairs_of
from src_core.experiments.records import StageProgress
from src_core.fields import certify
from src_core.generation.proof import FLOOR
from src_core.io.hashing import sha256_file
from src_core.models.model import ModelSpec
from src_core.tasks.options import WHOLE
from src_core.tasks.segmentation.crop import CropGrid, plane_axes
from src_core.tasks.segmentation.fields import on_crop

__all__ = ["RegisteredFields", "check_registered"]

#: Pairs of cases that are registered, for each deformation of a case.
_PAIRS = 4
#: What is left of a field that folds, again and again until it does not.
_LEFT = 0.9
_SHRINKAGES = 60


def check_registered(entries: Mapping[str, Entry], where: Path) -> None:
    """Refuse to begin without what fields between subjects need.

    Raises:
        InputError: SimpleITK is missing, or there are fewer than three subjects.
    """
    if find_spec("SimpleITK") is None:
        raise InputError("SimpleITK is not installed", do='pip install "napari-drdm[itk]"')
    if len({e.subject for e in entries.values()}) < 3:
        raise InputError(
            "fields between other subjects than a case's own are unavailable",
            where=str(where),
            expected="three training subjects",
        )


class RegisteredFields:
    """A bank of fields between training subjects, and its fields for each case.

    Args:
        folder: where the bank is kept, in a folder named by its digest.
        entries: all training cases by name.
        labels: values that are painted over the images.
        spec: of the 2D model on whose grid slices are registered, each case's largest.
        crop: what the segmenter sees.
        times: fields of each case.
    """

    def __init__(
        self,
        folder: Path,
        entries: Mapping[str, Entry],
        labels: tuple[int, ...],
        spec: ModelSpec,
        crop: CropGrid,
        times: int,
    ) -> None:
        self._entries = [replace(entry, called=name) for name, entry in entries.items()]
        self._spec, self._crop, self._times = spec, crop, times
        count = _enough(self._entries, times)
        self.digest = _digest(self._entries, (labels, count, spec.size, spec.state))
        place = folder / f"registered-{self.digest[:12]}"
        self._plan = plan_bank(place, self._entries, count, labels, 2)
        self._bank = RegisteredBank(self._plan, spec.state)

    def fill(self, process: tuple[int, int] = WHOLE) -> Iterator[StageProgress]:
        """Register the pairs that the bank lacks.

        Args:
            process: number of this process, and of all that fill the bank.
        """
        total = len(self._plan.pairs)
        for done in fill_bank(self._plan, self._entries, self._spec, process=process):
            yield StageProgress("pairs of subjects", done, total)

    @torch.inference_mode()
    def fields(self, name: str, seed: int) -> Iterator[Tensor]:
        """Fields (1, 2, g, g) mm of a case, between other subjects.

        Which ones follows from the seed and the case; they come again where there are too few.
        """
        entry = next(e for e in self._entries if e.name == name)
        case, crop = load_case(entry, self._spec, self._plan.labels), self._crop
        axes, pitch = plane_axes(case.view.case.grid), crop.size * crop.spacing / crop.field_side
        count = self._bank.count(case)
        order = np.random.default_rng((seed, case.code)).permutation(count) + 1
        for number in range(self._times):
            u = self._bank.field(case, int(order[number % count]))
            assert u is not None
            yield _unfolded(on_crop(u, case.view.fit, axes, crop), pitch)


def _enough(entries: Sequence[Entry], times: int) -> int:
    """Pairs for ``times`` fields of every case between other subjects, or all there are."""
    count, everything = _PAIRS * times, len(entries) * (len(entries) - 1)
    while count < everything and _fewest(pairs_of(entries, count), entries) < times:
        count *= 2
    return min(count, everything)


def _fewest(pairs: Sequence[CasePair], entries: Sequence[Entry]) -> int:
    """Fields of the case that has the fewest."""
    own = Counter(subject for pair in pairs for subject in pair.subjects)
    return len(pairs) - max(own[e.subject] for e in entries)


def _digest(entries: Sequence[Entry], facts: tuple[object, ...]) -> str:
    files = [
        (e.name, e.subject, sha256_file(e.image), e.labels and sha256_file(e.labels))
        for e in entries
    ]
    return hashlib.sha256(repr((files, facts)).encode()).hexdigest()


def _unfolded(field: Tensor, pitch: float) -> Tensor:
    """As much of a field (1, 2, g, g) mm as folds nowhere on its grid, in half precision."""
    for number in range(_SHRINKAGES):
        left = (field * _LEFT**number).half().float()
        if certify(left / pitch, FLOOR)[0].certified:
            return left
    return torch.zeros_like(field)
