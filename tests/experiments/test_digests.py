"""A run of an earlier version resumes: what its digest is made of stays the same to the letter."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src_core.datasets.entry import Entry
from src_core.evaluation.options import EvaluationRequest
from src_core.evaluation.plan import make_plan, plan_digest
from src_core.tasks.data import run_digest
from src_core.tasks.registration import prepare as registration
from src_core.tasks.registration.options import RegistrationRequest
from src_core.tasks.segmentation import prepare as segmentation
from src_core.tasks.segmentation.options import SegmentationRequest

#: As earlier versions made them; that of a registration since its tuning can be extended.
EVALUATION = "4e6c68ab1ca18583977552ec3ee25c40c0d97093d57a98d034fb6d4e109f020b"
SEGMENTATION = "6c6bafc13921f04626269859cd9ed6b31bab6a9987fbb84e71dc0a86c24b8e0a"
REGISTRATION = "e43367426b4c0cb961f9221cfae7ee3c6337ddf354351f27e3f78479a7d843b4"


def digest(folder: Path, request: Any, names: tuple[str, ...]) -> str:
    (folder / "i").write_bytes(b"image")
    (folder / "l").write_bytes(b"labels")
    entries = [Entry(folder / "i", folder / "l", "s")] * 2
    facts = {name: getattr(request, name) for name in names}
    return run_digest(facts, SimpleNamespace(sha256="m"), entries)  # type: ignore[arg-type]


def test_of_an_evaluation():
    request = EvaluationRequest("m", "d", "o", levels=(70, 40), seeds=2, rows=("elastic",))
    plan = make_plan(request, 80, 8)
    assert plan.rows == ("recovered", "elastic") and plan.levels == (40, 70)
    assert plan_digest(plan, model="m", cases=[("a", "b", None)], batches=1200) == EVALUATION


@pytest.mark.parametrize(
    ("request_class", "module", "expected"),
    [
        (SegmentationRequest, segmentation, SEGMENTATION),
        (RegistrationRequest, registration, REGISTRATION),
    ],
)
def test_of_a_task(tmp_path, request_class, module, expected):
    request = request_class(tmp_path, tmp_path, tmp_path)
    assert digest(tmp_path, request, module.DECIDING) == expected
