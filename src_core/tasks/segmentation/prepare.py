"""The request of a comparison of augmentations, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from src_core.augment.plan import names_of
from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.experiments.journal import Journal, run_facts
from src_core.io.hashing import sha256_file
from src_core.models.device import choose_device
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.tasks.data import labelled, read_split, run_digest
from src_core.tasks.options import WHOLE, check_levels
from src_core.tasks.segmentation.options import SegmentationRequest
from src_core.tasks.segmentation.registered import check_registered
from src_core.tasks.segmentation.stored import CompactTrials
from src_core.tasks.segmentation.subsets import subset

__all__ = ["DECIDING", "SegmentationData", "open_journal", "read_data"]

#: Options that decide a training's result; a run may resume with more methods, subjects, subsets
#: and repeats.
DECIDING = (
    "times", "levels", "elastic_strength", "steps", "batch", "size", "spacing", "rate", "seed",
    "validate",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SegmentationData:
    """Cases of a checked request.

    Attributes:
        model: name of the model, and its digest.
        trained, validated, tested, external: the cases, each under its name.
        sources: digests of the files of each training case, by its name.
        digest: of everything that decides a training's result.
    """

    model: tuple[str, str]
    trained: dict[str, Entry]
    validated: dict[str, Entry]
    tested: dict[str, Entry]
    external: dict[str, Entry]
    sources: dict[str, str]
    digest: str

    @property
    def subjects(self) -> list[str]:
        """Training subjects."""
        return sorted({e.subject for e in self.trained.values()})

    def cases_of(self, subjects: Sequence[str]) -> list[str]:
        """Names of the training cases of subjects."""
        return [name for name, entry in self.trained.items() if entry.subject in subjects]


def read_data(request: SegmentationRequest) -> SegmentationData:
    """Check the request; nothing is computed yet.

    Raises:
        InputError: data sets, model or an option is wrong.
    """
    choose_device(request.device)
    model = load_model(request.model, "cpu")
    _check(model, request)
    tested = "val" if request.validate else "test"
    trained, tests = read_split(request.train, request.test, tested)
    validated = [e for e in labelled(request.train, "val", needed=False) if e.split == "val"]
    external = [] if request.external is None else labelled(request.external, "test")
    cases = _named(trained)
    if "registered" in request.methods and not request.report_only:
        check_registered(cases, request.train)
    sources = {name: sha256_file(entry.image) for name, entry in cases.items()}
    digest = run_digest(_facts(request), model, (*trained, *tests, *external))
    data = SegmentationData(
        (model.spec.name, model.sha256),
        cases,
        _named(validated),
        _named(tests),
        _named(external),
        sources,
        digest,
    )
    for count in request.subjects:
        subset(data.subjects, count, 1, request.seed)
    return data


def open_journal(request: SegmentationRequest, data: SegmentationData) -> Journal:
    """The run of the folder, or a new one.

    Raises:
        InputError: the folder is not empty, or holds another run.
    """
    if request.report_only:
        run_facts(request.out)
    tests = {**data.tested, **data.external}
    return Journal(
        request.out,
        data.digest,
        _facts(request),
        resume=request.resume or request.report_only,
        overwrite=request.overwrite,
        trial_format=CompactTrials({name: e.subject for name, e in tests.items()}),
        process=0 if request.process == WHOLE else request.process[0],
    )


def _named(entries: Sequence[Entry]) -> dict[str, Entry]:
    return dict(zip(names_of(entries), entries, strict=True))


def _facts(request: SegmentationRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in DECIDING}


def _check(model: Model, request: SegmentationRequest) -> None:
    if model.spec.ndim != 2:
        raise InputError(
            "it is 3D, and slices are segmented", where=str(request.model), expected="a 2D model"
        )
    check_levels(request.levels, model.spec.schedule.levels)
