"""The displacement of a recovery's end is its flow's to the bit, so the guard need not redo it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from src_core.diffusion.guard import guard
from src_core.generation import Session, make_options
from src_core.generation.proof import GuardCheck, guarded
from src_core.generation.recovery import RecoveryStep
from tests.support import tiny

BOX = ((2, 14), (1, 15), (0, 3))


def end(level: int = 70, **options: Any) -> tuple[Session, RecoveryStep]:
    slices, region = options.pop("slices", "shared"), options.pop("region", None)
    session = Session(tiny.case(), tiny.model(), slices, region)
    chosen = make_options(80, level=level, seed=3, slices=slices, region=region, **options)
    return session, session.ends(chosen)[-1]


@pytest.mark.parametrize(
    "options", [{}, {"slices": "each"}, {"variety": 1.0}, {"region": BOX, "variety": 0.5}]
)
def test_it_is_the_flow_s(options: dict[str, Any]) -> None:
    _, last = end(**options)
    assert last.displacement.any()
    assert torch.equal(last.displacement, last.flow.displacement())


@pytest.mark.parametrize("allow_folds", [False, True])
def test_the_guard_gives_the_same_with_it_and_without(allow_folds: bool) -> None:
    session, last = end(level=80)
    alone = guarded(session.view, last.flow, allow_folds)
    known = guarded(session.view, last.flow, allow_folds, last.displacement)
    assert torch.equal(alone.displacement, known.displacement) and alone.scale == known.scale


def test_what_folds_is_still_damped() -> None:
    session, last = end(level=80)
    wild = last.flow.scaled(6.0)
    check = GuardCheck(session.view)
    assert not check.certifies(wild.displacement())
    damped = guard(wild, check, wild.displacement())
    assert check.certifies(damped.displacement) and damped.scale < 1
    assert torch.equal(damped.displacement, guard(wild, check).displacement)
