"""A consumed ``recover`` does a session's steps and nothing else; where steps end stands once."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch

import src_core as drdm
from src_core.errors import InputError
from src_core.generation import Options, Session, proof, run
from src_core.generation.metrics import displacement_metrics
from src_core.generation.proof import GuardCheck, weak_points
from src_core.generation.recovery import RecoveryStep
from src_core.generation.scale import scale_fit, scale_warning
from src_core.generation.search import level_for
from tests.support.tiny import BOX, case, model

#: What ``generate`` does after its last step.
LATER = [
    (proof, "guard"),
    (run, "guarded"),
    (run, "warp_case"),
    (run, "invert_field"),
    (run, "measure_field"),
]


def _forbidden(*_: Any, **__: Any) -> Any:
    raise AssertionError("recover() did what only a result needs")


def test_a_consumed_recovery_only_takes_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [s.recovery.displacement for s in drdm.recover(case(), model(), level=20, seed=3)]
    for module, name in LATER:
        monkeypatch.setattr(module, name, _forbidden)
    steps = drdm.recover(case(), model(), level=20, seed=3)
    assert inspect.isgenerator(steps)
    found = [s.recovery.displacement for s in steps]
    assert len(found) == 4 and all(map(torch.equal, found, wanted))
    with pytest.raises(AssertionError, match="only a result"):
        drdm.generate(case(), model(), level=20, seed=3)


def test_its_last_step_is_what_generate_starts_from() -> None:
    *_, last = drdm.recover(case(), model(), level=20, seed=3)
    result = drdm.generate(case(), model(), level=20, seed=3, allow_folds=True)
    assert (last.displacement() == result.displacement).all()


@pytest.mark.parametrize(
    ("made", "options", "words"),
    [
        (2, {"level": 81}, "81"),
        (2, {"seed": -1}, "-1"),
        (2, {"region": ((0, 4), (0, 60), (0, 3))}, "the region 0:4"),
    ],
)
def test_errors_come_with_the_call(made: int, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        drdm.recover(case(), model(made), **options)


@pytest.mark.parametrize("slices", ["shared", "each"])
def test_a_session_returns_the_last_step_of_every_slab(slices: str) -> None:
    options = Options(level=20, seed=3, slices=slices)  # type: ignore[arg-type]
    session, taken = Session(case(), model(), slices), []
    steps, ends = session.steps(options), ()
    while True:
        try:
            taken.append(next(steps))
        except StopIteration as finished:
            ends = finished.value
            break
    assert [e.index for e in ends] == [3] * (1 if slices == "shared" else 3)
    lasts = [s.recovery for s in taken if s.index % 4 == 3]
    assert all(one is other for one, other in zip(ends, lasts, strict=True))
    again = session.ends(options)
    assert all(
        torch.equal(a.displacement, b.displacement) for a, b in zip(again, ends, strict=True)
    )
    assert session.ends(Options(level=0)) == ()


@pytest.mark.parametrize("slices", ["shared", "each"])
def test_the_level_found_moves_as_far_as_allowed(slices: str) -> None:
    options = Options(seed=2, slices=slices, steps=2)  # type: ignore[arg-type]
    session = Session(case(), model(), slices)

    def reach(level: int) -> float:
        ends = session.ends(options.model_copy(update={"level": level}))
        field = session.view.field(torch.cat([end.displacement for end in ends]))
        return displacement_metrics(field, 1.0)["max_mm"]

    limit = reach(30) + 1e-6
    level = level_for(case(), model(), limit, options)
    assert level >= 30 and reach(level) <= limit < reach(level + 1)


def test_the_guard_s_check_knows_regions_and_its_last_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    view = Session(case(), model(), "shared", BOX).view
    generator = torch.Generator().manual_seed(1)
    u = 6 * torch.randn(1, 2, 16, 16, generator=generator)
    check, wanted, asked = GuardCheck(view), weak_points(view, u), []
    assert wanted.shape[-1] > 0
    monkeypatch.setattr(proof, "weak_points", lambda *a: asked.append(a) or wanted)
    assert not check.certifies(u) and torch.equal(check(u.clone()), wanted) and len(asked) == 1
    check(u + 1)
    assert len(asked) == 2


def test_a_scale_fits_up_to_a_quarter_beyond_what_was_trained_on() -> None:
    here, spec = case(), model().spec
    assert scale_fit(here.grid, spec) is None and scale_warning(here, spec) == ""
    kept = [a for a in range(3) if a != here.grid.slice_axis]
    mm = max(here.grid.shape[a] * here.grid.spacing[a] for a in kept) / 64
    for factor, fits in ((1.0, True), (1.24, True), (1.26, False), (0.81, True), (0.79, False)):
        known = spec.model_copy(update={"mm_per_pixel": (mm / factor, mm / factor)})
        scale = scale_fit(here.grid, known)
        assert scale is not None and scale.here == pytest.approx(mm)
        assert scale.fits == fits == (scale_warning(here, known) == "")


def test_ends_are_recovery_steps() -> None:
    (end,) = Session(case(), model()).ends(Options(level=5, seed=1))
    assert isinstance(end, RecoveryStep) and end.level == 0
