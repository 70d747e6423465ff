"""The time left of a run: over all of its stages, by what earlier runs have taken."""

from __future__ import annotations

import pytest

from napari_drdm.runs.stages import StageTimes

#: Seconds of a run that is played below.
TAKES = {"steps": 8.0, "guard": 1.0, "warp": 2.0, "inverse": 4.0, "proof": 3.0}


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def play(times: StageTimes, watch: Watch, voxels: int = 10**6) -> list[float]:
    """The error of the time left at the beginning and in the middle of each stage."""
    run, end = times.begin(3, voxels, 4), watch.now + sum(TAKES.values()) * voxels / 1e6
    errors = []
    for stage, seconds in TAKES.items():
        takes = seconds * voxels / 1e6
        errors.append(run.left(stage) + watch.now - end)
        watch.now += takes / 2
        done = 0.5 if stage == "steps" else 0.0
        errors.append(run.left(stage, done) + watch.now - end)
        watch.now += takes / 2
    run.finish()
    return errors


def test_a_second_run_knows_what_is_left_in_every_stage() -> None:
    watch = Watch()
    times = StageTimes(watch)
    assert max(map(abs, play(times, watch))) > 1  # nothing was measured before
    assert play(times, watch) == pytest.approx([0] * 10)
    assert play(times, watch, voxels=3 * 10**6) == pytest.approx([0] * 10)


def test_all_stages_to_come_are_counted() -> None:
    watch = Watch()
    times = StageTimes(watch)
    play(times, watch)
    run = times.begin(3, 10**6, 4)
    assert run.left("steps") == pytest.approx(18)
    assert run.left("inverse") == pytest.approx(7)
    assert run.left("proof") == pytest.approx(3)


def test_a_stage_that_was_passed_over_is_not_measured() -> None:
    """The steps of a run that is finished later are cached."""
    watch = Watch()
    times = StageTimes(watch)
    play(times, watch)
    run = times.begin(3, 10**6, 4)
    run.left("guard")
    run.left("warp")
    run.finish()
    assert times.begin(3, 10**6, 4).left("steps") == pytest.approx(15)


def test_what_takes_longer_than_before_has_nothing_left_of_its_own() -> None:
    watch = Watch()
    times = StageTimes(watch)
    play(times, watch)
    run = times.begin(3, 10**6, 4)
    run.left("inverse")
    watch.now += 100
    assert run.left("inverse") == pytest.approx(3)
