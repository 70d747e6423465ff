"""The request of a test of targets, checked before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from src_core.datasets.reading import Entry, balanced, read_dataset, without_subjects
from src_core.errors import InputError
from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.reference import read_anatomy
from src_core.evaluation.segmenter import load_segmenter, pool_factor
from src_core.experiments.journal import Journal
from src_core.experiments.options import check_level
from src_core.io.hashing import sha256_file
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.tasks.data import labelled, run_digest
from src_core.tasks.options import WHOLE
from src_core.tasks.steering.options import SteeringRequest
from src_core.tasks.steering.target_sets import TargetSet, default_sets, read_sets, sets_text

__all__ = ["SteeringData", "read_data"]

#: Cases from which labels, and which encloses which, are found.
_ANATOMY_CASES = 24


@dataclass(frozen=True, eq=False)
class SteeringData:
    """What a checked request names.

    Attributes:
        entries: the cases; ``real`` labelled ones of other subjects.
        sets: what runs ask for.
        anatomy: labels, and which of them encloses which.
        with_segmenter: whether agreement is measured.
        journal: a trial for each case, set of targets (or plain level) and seed.
    """

    model: Model
    entries: list[Entry]
    real: list[Entry]
    sets: tuple[TargetSet, ...]
    anatomy: Anatomy
    with_segmenter: bool
    journal: Journal

    @property
    def walls(self) -> dict[int, int]:
        """Wall -> the label that it encloses."""
        return dict(self.anatomy.walls)


def read_data(request: SteeringRequest) -> SteeringData:
    """Check a request and open its folder; nothing is computed yet.

    Raises:
        InputError: the model, the data set, an option or the folder is wrong.
    """
    model = load_model(request.model, request.device)
    for level in (request.level, *request.plain_levels):
        check_level("level", level, model.spec.schedule.levels)
    split = "val" if request.validate else "test"
    entries = balanced(labelled(request.test, split), request.cases)
    real = _real(request, {e.subject for e in entries})
    some = balanced(real or entries, None)[:_ANATOMY_CASES]
    anatomy = read_anatomy(some, model.spec, choice=request.slice)
    sets = _sets(request, anatomy)
    wanted = request.segmenter is not None or (request.segmenter_batches > 0 and bool(real))
    if request.segmenter is not None:
        load_segmenter(request.segmenter, anatomy.labels, pool_factor(model.spec.size))
    facts = {
        "sets": sets_text(sets),
        "level": request.level,
        "plain_levels": list(request.plain_levels),
        "slice": request.slice,
        "segmenter": request.segmenter and sha256_file(request.segmenter),
        "segmenter_batches": request.segmenter_batches if request.segmenter is None else 0,
        "plain_seeds": request.plain_seeds,
        "real": [e.name for e in real],
    }
    journal = Journal(
        request.out,
        run_digest(facts, model, entries),
        {**facts, "model": model.spec.name, "cases": [e.name for e in entries]},
        resume=request.resume or request.report_only,
        overwrite=request.overwrite,
        process=0 if request.process == WHOLE else request.process[0],
    )
    with_segmenter = wanted and find_spec("monai") is not None
    return SteeringData(model, entries, real, sets, anatomy, with_segmenter, journal)


def _real(request: SteeringRequest, subjects: set[str]) -> list[Entry]:
    """Labelled real cases of subjects that are not tested."""
    path: Path = request.reference or request.test
    found = [e for e in read_dataset(path) if e.labels is not None]
    train = [e for e in found if e.split == "train"]
    return without_subjects(train or (found if request.reference else []), subjects)


def _sets(request: SteeringRequest, anatomy: Anatomy) -> tuple[TargetSet, ...]:
    """The sets of the options; the default ones where none is given.

    Raises:
        InputError: a label is in no case.
    """
    given = [*request.targets, *(read_sets(request.targets_file) if request.targets_file else ())]
    sets = tuple({one.words: one for one in given}.values())
    if not sets:
        return default_sets(anatomy.labels, dict(anatomy.walls))
    for one in sets:
        if absent := one.labels - set(anatomy.labels):
            raise InputError(
                f"no case has label {min(absent)} of '{one.words}'",
                option="targets",
                expected=f"labels of {', '.join(map(str, anatomy.labels))}",
            )
    return sets
