"""Moments of a run: its steps, between them in velocity, and the parts that are looked at."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_core.cases.case import Case
from src_core.diffusion.flow import correction_ddf
from src_core.fields import compose
from src_core.fields.warp_case import warp_case
from src_core.generation import Session, generate, make_options
from src_core.generation.run import finish
from src_core.inspection.part_view import Part, warp_part
from src_core.inspection.trajectory import Trajectory, TrajectoryPoint
from tests.support.tiny import BOX, case, model

LEVEL = 60


@pytest.fixture(scope="module", params=["shared", "each"])
def session(request: pytest.FixtureRequest) -> Session:
    return Session(case(), model(), request.param)


def traced(session: Session) -> Trajectory:
    slabs: dict[int, list] = {}
    for step in session.steps(make_options(80, level=LEVEL, seed=3)):
        slabs.setdefault(step.slab, []).append(step.recovery)
    return Trajectory(session.view, list(slabs.values()))


def test_steps_are_met_exactly_and_between_them_the_velocity_is_split(session: Session) -> None:
    trace = traced(session)
    assert trace.total == 3
    for k in range(4):
        steps = torch.cat([slab[k].displacement for slab in trace._slabs])
        assert torch.equal(trace.at(k), steps)
    first = trace.last_steps[0]
    half = correction_ddf(first.flow.corrections[1] / 2)
    once = trace.at(1.5)[:1]
    torch.testing.assert_close(once, compose(trace.at(1)[:1], half))
    missed = (compose(once, half) - trace.at(2)[:1]).abs().max()
    assert missed < 0.2 * (trace.at(2) - trace.at(1)).abs().max()


def test_a_moment_in_figures(session: Session) -> None:
    trace = traced(session)
    curve = trace.curve
    assert [n.position for n in curve] == [0, 1, 2, 3]
    assert curve[-1].remaining_mm == 0 and curve[0].remaining_mm > 0
    field = session.view.field(trace.at(3))
    longest = np.linalg.norm(field, axis=-1).max()
    assert curve[-1].max_mm == pytest.approx(longest, rel=0.05)
    partial = Trajectory(session.view, [u[:2] for u in trace._slabs])
    assert trace.whole and not partial.whole and (partial.total, partial.planned) == (1, 3)
    assert partial.numbers(1).remaining_mm is None
    assert curve[-1].min_det < 1


def test_a_glimpse_is_a_part_of_the_warped_case(session: Session) -> None:
    trace, view = traced(session), session.view
    u = trace.at(3)
    whole = warp_case(view.case, view.field(u))
    volumes = (*view.case.images, *view.case.labels)
    for part in (
        Part(),
        Part(fixed=(None, None, 1)),
        Part(fixed=(None, 20, None)),
        Part(fixed=(11, None, None)),
    ):
        image, labels = warp_part(view, u, part, volumes)
        index = part.index(3)
        difference = np.abs(image.astype(int) - whole.image[index])
        assert difference.max() <= 1 and (difference > 0).mean() < 0.02
        assert (labels != whole.label_map[index]).mean() < 0.002
    coarse = warp_part(view, u, Part(stride=2), view.case.images)[0]
    assert coarse.shape == whole.image.shape
    assert np.array_equal(coarse[::2], coarse[1::2]) and np.array_equal(
        coarse[:, ::2], coarse[:, 1::2]
    )
    image = warp_part(view, u, Part(), view.case.images)[0]
    assert np.array_equal(coarse[::2, ::2, ::2], image[::2, ::2, ::2])


def test_a_run_at_level_0_moves_nothing(session: Session) -> None:
    assert Trajectory(session.view, []).curve == (TrajectoryPoint(0, 0.0, 1.0, 0.0),)


def test_a_part_of_a_larger_image_ends_where_this_one_does() -> None:
    part = Part((None, 70, 7), 5, 2)
    assert part.within((40, 60, 3)) == Part((None, 59, 2), 0, 2)
    assert part.within((40, 90, 9, 4)) == Part((None, 70, 7), 3, 2)


def test_one_frame_of_a_cine() -> None:
    cine = np.random.default_rng(2).integers(0, 99, (30, 26, 2, 4)).astype(np.int16)
    session = Session(Case.from_arrays(cine, spacing=(1, 1.5, 8)), model())
    trace = traced(session)
    whole = warp_case(session.case, session.view.field(trace.at(2)))
    seen = warp_part(session.view, trace.at(2), Part((None, None, 1), 3), session.case.images)[0]
    assert np.abs(seen.astype(int) - whole.image[:, :, 1:2, 3:4]).max() <= 1


def test_a_session_makes_the_bits_of_generate() -> None:
    session, options = Session(case(), model(), region=BOX), make_options(80, level=48, region=BOX)
    lasts = [s.recovery for s in session.steps(options) if s.recovery.index == s.recovery.total]
    *_, result = finish(session, options, lasts)
    again = generate(case(), model(), level=48, region=BOX)
    assert np.array_equal(result.displacement, again.displacement)
    assert result.recipe["outputs"] == again.recipe["outputs"]


def test_padding_does_not_count() -> None:
    """A field that is large in the padding alone: a narrow image on a square grid."""
    view = Session(case((52, 20, 3)), model()).view
    inside = view.fit.inside(16)
    assert inside.shape == (16, 16)
    assert 0 < int(inside.any(0).sum()) < int(inside.any(1).sum()) == 16
