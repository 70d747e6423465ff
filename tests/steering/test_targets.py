from __future__ import annotations

import math

import pytest

from src_core.errors import InputError
from src_core.steering.amounts import Amount, Tolerance
from src_core.steering.contradictions import check_together
from src_core.steering.outcome import TargetOutcome
from src_core.steering.targets import (
    PlaceTarget,
    PointTarget,
    SizeTarget,
    StillTarget,
    ThicknessTarget,
    parse_target,
    parse_targets,
    target_text,
)

LINES = [
    "volume 3 x1.3",
    "volume 3 80 ml ~5% *2.0",
    "volume 3 60..220 ml",
    "volume 3 -4 ml",
    "area 3 900 mm2 ~10 mm2",
    "ratio 2/3 x1.2",
    "ratio 2/3 0.9",
    "thickness 2 +2 mm",
    "thickness 2 x1.2",
    "thickness 2 11 mm ~0.25 mm",
    "roundness 3 0.9",
    "elongation 3 0.1 ~0.05",
    "elongation 3 -0.1",
    "orientation 3 +15 deg",
    "orientation 3 -15 deg ~1 deg",
    "place 3 +4,-2,0 mm",
    "point 10,20,5 -> 14.25,-20,5",
    "still 40:60,30:50,0:10",
    "largest 12 mm",
    "shape 3 drawn maps/wanted.nii.gz",
    "hold 1",
    "hold 1 ~5% *0.5",
]


@pytest.mark.parametrize("line", LINES)
def test_a_target_is_written_as_it_was_read(line):
    target = parse_target(line)
    assert target_text(target) == line
    assert parse_target(target_text(target)) == target


def test_what_a_line_means():
    assert parse_target("volume 3 x1.3") == SizeTarget(3, Amount("times", 1.3, 1.3))
    assert parse_target("thickness 2 +2mm") == ThicknessTarget(2, Amount("plus", 2, 2, "mm"))
    assert parse_target("place 3 +4,-2,0mm ~1mm") == PlaceTarget(
        3, (4, -2, 0), tolerance=Tolerance(1, "mm")
    )
    assert parse_target("point 1,2,3->4,5,6 *3") == PointTarget((1, 2, 3), (4, 5, 6), weight=3)
    assert parse_target("still 1:2,3:4,5:6") == StillTarget(((1, 2), (3, 4), (5, 6)))


def test_numbers_keep_their_bits():
    line = target_text(SizeTarget(1, Amount("times", math.pi / 3, math.pi / 3)))
    assert parse_target(line).amount.low == math.pi / 3


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("volume 3", "x1.3, or a value such as 80 ml"),
        ("volume 3 x0", "a factor from x0.25 to x4"),
        ("volume 3 x5", "a factor from x0.25 to x4"),
        ("volume 3 500 %", "the unit ml"),
        ("volume 3 80", "the unit ml"),
        ("volume 3 0 ml", "more than 0"),
        ("volume 3 90..60 ml", "x1.3, or a value such as 80 ml"),
        ("volume x1.3", "a label's value, 1 or more"),
        ("volume 0 x1.3", "a label's value, 1 or more"),
        ("volume 3 x1.3 ~0%", "a tolerance above 0, such as ~5%"),
        ("volume 3 x1.3 ~2 mm", "a tolerance in ml"),
        ("volume 3 x1.3 *-1", "a number above 0"),
        ("ratio 2/2 x1.2", "two different labels"),
        ("thickness 2 +2", "the unit mm"),
        ("roundness 3 1.5", "a number from 0.1 to 1, or a difference such as +0.1"),
        ("place 3 4,2,0", "the unit: a shift such as +4,-2,0 mm"),
        ("place 3 4,2 mm", "three numbers in mm, such as 10,20,5"),
        ("point 1,2,3", "two points, such as 10,20,5 -> 14,20,5"),
        ("still 40:30,1:2,0:1", "first and past-last voxel, the smaller one first"),
        ("still 40:30", "still 40:60,30:50,0:10"),
        ("largest 12", "the unit: a distance such as 12 mm"),
    ],
)
def test_a_wrong_line_is_refused_in_one(line, expected):
    with pytest.raises(InputError) as wrong:
        parse_target(line)
    assert wrong.value.option == "targets"
    assert wrong.value.expected == expected
    assert line in str(wrong.value)


def test_an_unknown_kind_lists_the_known_ones():
    with pytest.raises(InputError, match="one of: volume, area"):
        parse_target("girth 3 x1.3")


def test_bounds_of_amounts():
    assert Amount("times", 1.5, 1.5).bounds(10) == (15, 15)
    assert Amount("plus", -2, -2, "mm").bounds(10) == (8, 8)
    assert Amount("value", 60, 220, "ml").bounds(10) == (60, 220)
    assert Tolerance(5, "%").width(-40) == 2
    assert Tolerance(5, "ml").width(-40) == 5


@pytest.mark.parametrize(
    "lines",
    [
        ("volume 3 x1.3", "area 3 900 mm2"),
        ("volume 3 x1.3", "hold 3"),
        ("place 3 +4,0,0 mm", "hold 3"),
        ("shape 3 a.nii", "roundness 3 0.9"),
        ("roundness 3 0.9", "elongation 3 0.1"),
        ("thickness 2 +2 mm", "thickness 2 x1.2"),
        ("point 1,2,3 -> 4,5,6", "point 1,2,3 -> 4,5,7"),
        ("point 1,2,3 -> 4,5,6", "point 9,2,3 -> 4,5,6"),
        ("largest 3 mm", "point 1,2,3 -> 9,2,3"),
        ("place 3 +4,0,0 mm", "largest 3 mm"),
        ("volume 2 x1.1", "volume 3 x1.3", "ratio 2/3 x1.2"),
        ("ratio 2/3 x1.5", "ratio 2/3 x0.7"),
        ("ratio 2/3 x2", "ratio 3/2 x2"),
    ],
)
def test_contradictions_are_refused(lines):
    with pytest.raises(InputError, match="cannot") as wrong:
        check_together([parse_target(line) for line in lines])
    assert wrong.value.option == "targets"


def test_what_can_be_together_is_not_refused():
    lines = ["volume 3 x1.3", "hold 1", "place 3 +4,0,0 mm", "ratio 2/3 x1.1", "largest 9 mm"]
    check_together([parse_target(line) for line in lines])
    check_together([parse_target("point 1,2,3 -> 4,5,6"), parse_target("point 9,2,3 -> 9,2,3")])


def test_one_text_is_one_target():
    assert parse_targets("hold 1") == parse_targets(["hold 1"]) == (parse_target("hold 1"),)
    assert parse_targets([parse_target("hold 1")]) == (parse_target("hold 1"),)
    assert parse_targets(3) == 3


def test_an_outcome_survives_a_file():
    found = TargetOutcome(parse_target("hold 1"), 1, 1.01, 1, 0.01, "x", True)
    assert TargetOutcome.from_facts(found.facts()) == found


@pytest.mark.parametrize("line", ["roundness 3 0", "roundness 3 -1.2", "elongation 3 -1.6"])
def test_shapes_that_nothing_has_are_refused(line):
    with pytest.raises(InputError, match="is not possible"):
        parse_target(line)
