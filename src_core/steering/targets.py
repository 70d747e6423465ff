"""Targets as text: ``volume 3 x1.3``, which ``parse_target`` and ``target_text`` convert.

Both ways are without loss. The values are those of ``kinds``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from src_core.errors import InputError
from src_core.steering.amounts import NUMBER, Amount, Tolerance
from src_core.steering.kinds import (
    DrawnShapeTarget,
    HoldTarget,
    LargestTarget,
    PlaceTarget,
    PointTarget,
    RatioTarget,
    ShapeMeasure,
    ShapeTarget,
    SizeTarget,
    StillTarget,
    Target,
    ThicknessTarget,
    Three,
)

__all__ = [
    "LEAST_FACTOR",
    "MOST_FACTOR",
    "TARGET_FORM",
    "DrawnShapeTarget",
    "HoldTarget",
    "LargestTarget",
    "PlaceTarget",
    "PointTarget",
    "RatioTarget",
    "ShapeTarget",
    "SizeTarget",
    "StillTarget",
    "Target",
    "ThicknessTarget",
    "parse_target",
    "parse_targets",
    "target_text",
]

#: How targets are written in a shell.
TARGET_FORM = (
    "such as volume 3 x1.3, thickness 2 +2 mm, place 3 +4,0,0 mm, hold 1, "
    "point 10,20,5 -> 14,20,5 (docs/steering.md lists all)"
)
#: Factors that a deformation without folds can give to a size, a ratio or a thickness.
LEAST_FACTOR, MOST_FACTOR = 0.25, 4.0


def target_text(target: Target) -> str:
    """A target as ``parse_target`` reads it."""
    usual = parse_target(target.words).tolerance
    tolerance = "" if target.tolerance == usual else f" ~{target.tolerance}"
    return target.words + tolerance + ("" if target.weight == 1 else f" *{target.weight!r}")


def parse_target(text: str) -> Target:
    """A target of one line, such as ``volume 3 x1.3 ~5% *2``.

    Raises:
        InputError: it is not written so, its unit is missing, or no anatomy can have it.
    """
    # a weight and a tolerance end the line, in this order from the right
    body, _, weight = text.strip().replace("×", "x").partition(" *")
    body, _, tolerance = body.partition(" ~")
    kind, _, rest = " ".join(body.split()).partition(" ")
    if kind not in _READERS:
        raise _unreadable(text, f"one of: {', '.join(_READERS)}")
    reader, form = _READERS[kind]
    try:
        target = reader(kind, rest.strip())
        if tolerance:
            target = replace(target, tolerance=_tolerance(tolerance.strip(), target))
        return replace(target, weight=_positive(weight)) if weight else target
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise _unreadable(text, str(error) or form) from error


def _unreadable(text: str, expected: str) -> InputError:
    return InputError(f"the target '{text}' is not possible", option="targets", expected=expected)


def _size(kind: str, rest: str) -> Target:
    label, amount = _label_and_amount(rest, "mm2" if kind == "area" else "ml")
    return SizeTarget(label, amount, kind == "area")


def _ratio(kind: str, rest: str) -> Target:
    labels, _, amount = rest.partition(" ")
    label, _, other = labels.partition("/")
    if _label(label) == _label(other):
        raise ValueError("two different labels")
    return RatioTarget(_label(label), _label(other), _amount(amount, ""))


def _thickness(kind: str, rest: str) -> Target:
    return ThicknessTarget(*_label_and_amount(rest, "mm"))


def _shape_tolerance(measure: str) -> Tolerance:
    return Tolerance(3, "deg") if measure == "orientation" else Tolerance(0.02)


def _shape(kind: str, rest: str) -> Target:
    label, _, amount = rest.partition(" ")
    found = _amount(amount, "deg" if kind == "orientation" else "", any_sign=True)
    most = {"roundness": 1.0, "elongation": 1.5, "orientation": 180.0}[kind]
    least = 0.1 if kind == "roundness" else 0.0
    if found.kind == "times" or (found.kind == "value" and not least <= found.low <= most):
        raise ValueError(f"a number from {least:g} to {most:g}, or a difference such as +0.1")
    if found.kind == "plus" and kind != "orientation" and abs(found.low) >= most:
        raise ValueError(f"a difference of less than {most:g}")
    measure: ShapeMeasure = kind  # type: ignore[assignment]
    return ShapeTarget(measure, _label(label), found, tolerance=_shape_tolerance(kind))


def _place(kind: str, rest: str) -> Target:
    label, _, shift = rest.partition(" ")
    if not shift.endswith("mm"):
        raise ValueError("the unit: a shift such as +4,-2,0 mm")
    return PlaceTarget(_label(label), _three(shift.removesuffix("mm")))


def _point(kind: str, rest: str) -> Target:
    start, arrow, end = rest.partition("->")
    if not arrow:
        raise ValueError("two points, such as 10,20,5 -> 14,20,5")
    return PointTarget(_three(start), _three(end))


def _still(kind: str, rest: str) -> Target:
    if not re.fullmatch(r"\d+:\d+,\d+:\d+,\d+:\d+", rest):
        raise ValueError
    x, y, z = ((int(low), int(high)) for low, high in (p.split(":") for p in rest.split(",")))
    if any(low >= high for low, high in (x, y, z)):
        raise ValueError("first and past-last voxel, the smaller one first")
    return StillTarget((x, y, z))


def _largest(kind: str, rest: str) -> Target:
    if not rest.endswith("mm"):
        raise ValueError("the unit: a distance such as 12 mm")
    return LargestTarget(_positive(rest.removesuffix("mm")))


def _drawn(kind: str, rest: str) -> Target:
    label, _, file = rest.partition(" ")
    if not file:
        raise ValueError
    return DrawnShapeTarget(_label(label), file.strip())


def _hold(kind: str, rest: str) -> Target:
    return HoldTarget(_label(rest))


def _label_and_amount(rest: str, unit: str) -> tuple[int, Amount]:
    label, _, amount = rest.partition(" ")
    return _label(label), _amount(amount, unit)


def _label(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d*", text):
        raise ValueError("a label's value, 1 or more")
    return int(text)


def _amount(text: str, unit: str, any_sign: bool = False) -> Amount:
    """An amount in a unit; no factor, value or range that nothing can have."""
    found = Amount.parse(text.strip())
    if found is None:
        value = f"80 {unit}" if unit else "0.9"
        raise ValueError(f"x1.3, or a value such as {value}")
    if found.kind == "times" and not LEAST_FACTOR <= found.low <= MOST_FACTOR:
        raise ValueError(f"a factor from x{LEAST_FACTOR:g} to x{MOST_FACTOR:g}")
    if found.kind != "times" and found.unit != unit:
        raise ValueError(f"the unit {unit}" if unit else "a number without a unit")
    if found.kind == "value" and not any_sign and found.low <= 0:
        raise ValueError("more than 0")
    return found


def _tolerance(text: str, target: Target) -> Tolerance:
    found = Amount.parse(text)
    unit = _unit(target)
    if found is None or found.kind != "value" or found.is_range or found.low <= 0:
        raise ValueError("a tolerance above 0, such as ~5%")
    if found.unit not in ("%", unit) or (found.unit == "%" and unit in ("mm", "deg")):
        raise ValueError(f"a tolerance in {unit or '%'}")
    return Tolerance(found.low, found.unit)


def _unit(target: Target) -> str:
    """The unit of a target's tolerance."""
    if isinstance(target, SizeTarget):
        return "mm2" if target.area else "ml"
    if isinstance(target, (RatioTarget, HoldTarget, DrawnShapeTarget)):
        return ""
    if isinstance(target, ShapeTarget):
        return "deg" if target.measure == "orientation" else ""
    return "mm"


def _positive(text: str) -> float:
    if not re.fullmatch(NUMBER, text.strip()) or not float(text) > 0:
        raise ValueError("a number above 0")
    return float(text)


def _three(text: str) -> Three:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not all(re.fullmatch(NUMBER, part) for part in parts):
        raise ValueError("three numbers in mm, such as 10,20,5")
    x, y, z = map(float, parts)
    return x, y, z


_Reader = Callable[[str, str], Target]
#: What reads the rest of a line, and what the line looks like, by its first word.
_READERS: dict[str, tuple[_Reader, str]] = {
    "volume": (_size, "volume 3 x1.3, volume 3 80 ml or volume 3 60..220 ml"),
    "area": (_size, "area 3 x1.3 or area 3 900 mm2"),
    "ratio": (_ratio, "ratio 2/3 x1.2 or ratio 2/3 0.9"),
    "thickness": (_thickness, "thickness 2 +2 mm, thickness 2 x1.2 or thickness 2 11 mm"),
    "roundness": (_shape, "roundness 3 0.9"),
    "elongation": (_shape, "elongation 3 0.1"),
    "orientation": (_shape, "orientation 3 +15 deg"),
    "place": (_place, "place 3 +4,-2,0 mm"),
    "point": (_point, "point 10,20,5 -> 14,20,5"),
    "still": (_still, "still 40:60,30:50,0:10"),
    "largest": (_largest, "largest 12 mm"),
    "shape": (_drawn, "shape 3 FILE"),
    "hold": (_hold, "hold 1"),
}


def parse_targets(given: object) -> object:
    """Targets of texts, targets, or one of either; anything else as it is, for pydantic to refuse.

    Raises:
        InputError: as ``parse_target``.
    """
    if isinstance(given, (str, Target)):
        given = (given,)
    if not isinstance(given, Iterable):
        return given
    return tuple(parse_target(one) if isinstance(one, str) else one for one in given)
