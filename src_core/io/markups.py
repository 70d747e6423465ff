"""3D Slicer's markups, .mrk.json: control points of point lists, lines, curves and angles."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from src_core.cases.point_set import Axes, PointSet, to_lps
from src_core.errors import InputError
from src_core.io.case_files import write_json
from src_core.io.json_text import parse_json
from src_core.io.points import axes_of, checked_points

__all__ = ["read_markups", "write_markups"]

#: Kinds whose control points are all there is to them.
_KINDS = ("Fiducial", "Line", "Angle", "Curve", "ClosedCurve")


def read_markups(path: Path, axes: Axes | None) -> PointSet:
    """Defined control points of all markups in a file, in its order.

    Raises:
        InputError: no markups, other kinds than point lists, lines, curves and angles, other units
            than mm, or several coordinate systems.
    """
    content = _json(path)
    found = {
        axes_of(f"coordinateSystem={m['coordinateSystem']}" if m.get("coordinateSystem") else "",
                axes, path)
        for m in content["markups"]
    }  # fmt: skip
    for markup in content["markups"]:
        _check(markup, path)
    if len(found) > 1:
        raise InputError(
            "markups of several coordinate systems", where=str(path), expected="one in a file"
        )
    positions = [point["position"] for point in _defined(content)]
    own = found.pop() if found else axes or "LPS"
    try:
        return checked_points(
            [list(map(float, one)) for one in positions], own, "points", path, content
        )
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise _wrong(path) from error


def write_markups(path: Path, points: PointSet) -> None:
    """The markups that points came from at their new places; measurements are Slicer's to renew.

    Raises:
        InputError: it cannot be written.
    """
    content = copy.deepcopy(points.content)
    for point, place in zip(_defined(content), to_lps(points.positions, points.axes), strict=True):
        point["position"] = [round(float(value), 9) for value in place]
    for markup in content["markups"]:
        for measurement in markup.get("measurements", []):
            measurement.pop("value", None)
            measurement.pop("controlPointValues", None)
    write_json(path, content, indent=4)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = parse_json(path.read_text(encoding="utf-8-sig"))
        if all(isinstance(m["controlPoints"], list) for m in content["markups"]):
            return content
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise _wrong(path) from error
    raise _wrong(path)


def _check(markup: dict[str, Any], path: Path) -> None:
    kind, units = markup.get("type", "Fiducial"), markup.get("coordinateUnits", "mm")
    if kind not in _KINDS:
        raise InputError(
            f"a markup of the kind {kind} has more than control points",
            where=str(path),
            expected=", ".join(_KINDS),
            do="export its points as a point list",
        )
    if (units[0] if isinstance(units, list) and units else units) != "mm":
        raise InputError(f"the units are {units}", where=str(path), expected="mm")


def _defined(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for markup in content["markups"]:
        for point in markup["controlPoints"]:
            if point.get("positionStatus", "defined") == "defined":
                yield point


def _wrong(path: Path) -> InputError:
    return InputError(
        "this is no markups file of 3D Slicer",
        where=str(path),
        expected="JSON with markups and their controlPoints",
    )
