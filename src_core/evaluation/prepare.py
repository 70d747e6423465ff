"""The request of an evaluation, checked before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from src_core.datasets.reading import Entry, balanced, read_dataset, without_subjects
from src_core.errors import InputError
from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.law import read_training_spreads
from src_core.evaluation.options import EQUAL_SPREAD_ROWS, EvaluationRequest
from src_core.evaluation.plan import EvaluationPlan, make_plan, plan_digest
from src_core.evaluation.reference import read_anatomy
from src_core.evaluation.registered.bank import BankPlan, plan_bank
from src_core.evaluation.segmenter import load_segmenter, pool_factor
from src_core.evaluation.spread import spread_measures
from src_core.experiments.journal import Journal
from src_core.io.hashing import sha256_file
from src_core.models.device import choose_device
from src_core.models.library import load_model
from src_core.models.model import Model, with_variety
from src_core.models.release import release_network, release_spec

__all__ = ["PreparedEvaluation", "prepare"]

#: Cases from which labels, and which encloses which, are found.
_ANATOMY_CASES = 24


@dataclass(eq=False)
class PreparedEvaluation:
    """A checked request: models, cases, and in the end the report.

    Attributes:
        entries: cases to evaluate; ``real`` the other real ones.
        training_spreads: measure -> spread in training images, where it is known.
        notes: a line for each row or measure that is left out.
        absent: rows and measures left out -> why.
    """

    request: EvaluationRequest
    model: Model
    plan: EvaluationPlan
    entries: list[Entry]
    real: list[Entry]
    anatomy: Anatomy
    journal: Journal
    release: Model | None
    registered: BankPlan | None
    training_spreads: dict[str, float]
    notes: list[str]
    absent: dict[str, str]
    report: dict[str, Any] = field(default_factory=dict)


def prepare(request: EvaluationRequest) -> PreparedEvaluation:
    """Check the request and open the folder; nothing is computed yet.

    Raises:
        InputError: the model, the data set, an option or the folder is wrong.
    """
    model = with_variety(load_model(request.model, request.device), request.variety)
    plan = make_plan(request, model.spec.schedule.levels, model.spec.recovery.steps)
    everything = read_dataset(request.dataset)
    entries = balanced(_tested(everything), request.cases)
    real = _real(request, everything, {e.subject for e in entries})
    some = balanced(real or entries, None)[:_ANATOMY_CASES]
    anatomy = read_anatomy(some, model.spec, choice=plan.slice)
    if request.segmenter is not None:
        load_segmenter(request.segmenter, anatomy.labels, pool_factor(model.spec.size))
    training = _training_spreads(request, anatomy, model.spec.ndim)
    release, absent = _release(request, model, plan)
    absent |= _without(request, anatomy, real)
    registered = _registered(request, plan, real or entries, anatomy, model.spec.ndim)
    if isinstance(registered, str):
        absent["registered"] = registered
        registered = None
    absent |= _without_spread(plan, anatomy)
    digest = plan_digest(
        plan,
        model=model.sha256,
        cases=[(e.name, sha256_file(e.image), e.labels and sha256_file(e.labels)) for e in entries],
        real=[(e.name, e.subject) for e in real],
        release=None if release is None else sha256_file(request.release or ""),
        segmenter=request.segmenter and sha256_file(request.segmenter),
        batches=request.segmenter_batches,
        **({} if registered is None else {"registered": registered.pairs}),
    )
    facts = {
        "model": model.spec.name,
        "plan": plan.model_dump(),
        "cases": [e.name for e in entries],
    }
    journal = Journal(
        request.out, digest, facts, resume=request.resume, overwrite=request.overwrite
    )
    notes = [f"{name} is absent: {why}" for name, why in absent.items()]
    found = request, model, plan, entries, real, anatomy, journal, release, registered, training
    return PreparedEvaluation(*found, notes, absent)


def _tested(entries: list[Entry]) -> list[Entry]:
    """Entries with split=test, where there are any; else all that are not train or val."""
    test = [e for e in entries if e.split == "test"]
    return test or [e for e in entries if e.split not in ("train", "val")] or entries


def _real(request: EvaluationRequest, everything: list[Entry], subjects: set[str]) -> list[Entry]:
    """Labelled real cases of subjects that are not evaluated."""
    if request.reference is None:
        found = [e for e in everything if e.split == "train"]
    else:
        whole = read_dataset(request.reference)
        found = [e for e in whole if e.split == "train"] or whole
    others = without_subjects([e for e in found if e.labels is not None], subjects)
    if request.reference is not None and not others:
        raise InputError(
            "no labelled case of another subject",
            where=str(request.reference),
            expected="real subjects that are not evaluated, with labels",
        )
    return others


def _release(
    request: EvaluationRequest, model: Model, plan: EvaluationPlan
) -> tuple[Model | None, dict[str, str]]:
    if "release" not in plan.rows:
        return None, {}
    if request.release is None:
        return None, {"release": "its weights were not given"}
    if model.spec.ndim != 2:
        return None, {"release": "it is 2D"}
    spec = release_spec().model_copy(update={"schedule": model.spec.schedule})
    network = release_network(request.release)
    device = choose_device(request.device)
    sha256 = sha256_file(request.release)
    return Model(spec, network.to(device), device, sha256, str(request.release)), {}


def _training_spreads(request: EvaluationRequest, anatomy: Anatomy, ndim: int) -> dict[str, float]:
    if request.training_spreads is None:
        return {}
    names = [measure.name for measure in spread_measures(anatomy, ndim)]
    return read_training_spreads(request.training_spreads, names)


def _registered(
    request: EvaluationRequest,
    plan: EvaluationPlan,
    entries: list[Entry],
    anatomy: Anatomy,
    ndim: int,
) -> BankPlan | str | None:
    """The plan of the bank between the entries' subjects, or why there is none."""
    if request.registered is None:
        asked = request.rows is None or "registered" in request.rows
        return "no folder for its fields was given" if asked else None
    if "registered" not in plan.rows:
        return None
    if find_spec("SimpleITK") is None:
        return 'SimpleITK is missing: pip install "napari-drdm[itk]"'
    count = request.registered_fields
    found = plan_bank(request.registered, entries, count, anatomy.labels, ndim)
    return found if found.pairs else "fields between two subjects need two subjects"


def _without_spread(plan: EvaluationPlan, anatomy: Anatomy) -> dict[str, str]:
    """Rows of equal spread of label sizes, where there is no such spread."""
    rows = [row for row in plan.rows if row in EQUAL_SPREAD_ROWS]
    if not anatomy.labels:
        return dict.fromkeys(rows, "the cases have no labels")
    return {} if plan.seeds > 1 else dict.fromkeys(rows, "one seed has no spread")


def _without(request: EvaluationRequest, anatomy: Anatomy, real: list[Entry]) -> dict[str, str]:
    if not anatomy.labels:
        return {"shapes": "the cases have no labels", "agreement": "the cases have no labels"}
    why = "no other real subjects (a reference, or split=train in the CSV)"
    if not real and request.segmenter is None:
        return {"real against real": why, "agreement": why}
    absent = {} if real else {"real against real": why}
    if request.segmenter_batches < 1 and request.segmenter is None:
        return {**absent, "agreement": "no segmenter was trained (0 batches)"}
    if find_spec("monai") is None:
        return {**absent, "agreement": 'MONAI is missing: pip install "napari-drdm[evaluate]"'}
    return absent
