"""What the prior alone answers to targets, while something is dragged."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_core.fields import certify
from src_core.generation import Session, make_options
from src_core.generation.steered import outcomes
from src_core.steering.targets import PointTarget, target_text
from tests.support.ringed import ringed_case


def drag(session: Session, voxel: tuple[float, float, float], move: tuple[float, float]) -> str:
    affine = session.case.grid.affine
    ends = [(affine @ [voxel[0] + a, voxel[1] + b, voxel[2], 1])[:3] * [-1, -1, 1]
            for a, b in ((0.0, 0.0), move)]  # fmt: skip
    first, last = (tuple(map(float, end)) for end in ends)
    return target_text(PointTarget(first, last))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def session(model) -> Session:
    return Session(ringed_case(), model)


def test_a_drag_is_answered_from_the_identity(session):
    lines = (drag(session, (22, 34, 0), (2, 3)), drag(session, (22, 12, 0), (0, 0)))
    options = make_options(80, level=45, targets=lines)
    still = torch.zeros(1, 2, *[session.model.spec.state] * 2)
    u = session.prior_answer(options, 0, still)
    saved = session.view.saved(session.view.field(u))
    found = outcomes(session.view, session.model.spec, options, saved)
    assert [o.within for o in found] == [True, True]
    assert found[0].asked == pytest.approx(float(np.hypot(2 * 1.5, 3 * 1.2)), rel=1e-3)
    assert certify(u.double())[0].min_det > 0.3


def test_an_answer_follows_a_map(session):
    options = make_options(80, level=45, seed=2, targets=("volume 3 x1.2",))
    plain = session.ends(make_options(80, level=45, seed=2))[0].displacement
    u = session.prior_answer(options, 0, plain)
    saved = session.view.saved(session.view.field(u))
    (found,) = outcomes(session.view, session.model.spec, options, saved)
    assert found.within
    # it bends the map no more than it has to
    assert float((u - plain).norm()) < float(plain.norm())


def test_nothing_asked_changes_nothing(session):
    u = torch.ones(1, 2, *[session.model.spec.state] * 2)
    assert session.prior_answer(make_options(80, level=45), 0, u) is u
