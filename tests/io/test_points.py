"""Landmarks in files: read in LPS whatever the file has, and written back with all else kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from src_core.cases.point_set import PointSet
from src_core.errors import InputError
from src_core.io.points import named_points, read_points, write_points

RAS = np.array([[-10.5, 20.25, 3], [1, 2, -3]])
STEP, SIDE, UP = np.eye(3)
LPS = RAS * [-1, -1, 1]

FCSV = """# Markups fiducial file version = 4.11
# CoordinateSystem = {space}
# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID
1,-10.5,20.25,3,0,0,0,1,1,1,0,apex,"lowest, by eye",
2,1,2,-3,0,0,0,1,1,1,0,base,,
"""


def markups(space: str = "RAS", kind: str = "Fiducial") -> dict[str, object]:
    points = [
        {"id": "1", "label": "apex", "position": [-10.5, 20.25, 3], "positionStatus": "defined"},
        {"id": "2", "label": "later", "position": None, "positionStatus": "undefined"},
        {"id": "3", "label": "base", "position": [1, 2, -3]},
    ]
    lengths = [{"name": "length", "enabled": True, "value": 4.0}]
    own = {"type": kind, "coordinateSystem": space, "controlPoints": points}
    return {"markups": [{**own, "coordinateUnits": "mm", "measurements": lengths}]}


def save(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


@pytest.mark.parametrize(
    "text",
    [
        "# space=RAS\nx,y,z\n-10.5,20.25,3\n1,2,-3\n",
        "name;X;Y;Z;space\napex;-10.5;20.25;3;RAS\nbase;1;2;-3;RAS\n",
        "label,r,a,s\napex,-10.5,20.25,3\nbase,1,2,-3\n",
        "\ufefflabel,l,p,s\napex,10.5,-20.25,3\nbase,-1,-2,-3\n",
    ],
)
def test_a_table_states_its_axes(text: str, tmp_path: Path) -> None:
    points = read_points(save(tmp_path, "a.csv", text))
    assert np.array_equal(points.positions, LPS)
    write_points(tmp_path / "b.csv", points.moved(LPS + STEP))
    again = read_points(tmp_path / "b.csv")
    assert again.axes == points.axes and np.allclose(again.positions, LPS + STEP)
    assert [w in (tmp_path / "b.csv").read_text() for w in ("apex", "base")] == ["apex" in text] * 2


def test_axes_may_be_given_and_are_then_stated(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "x\ty\tz\n1\t2\t3\n")
    with pytest.raises(InputError, match=r"does not state the axes.*coordinates='LPS'"):
        read_points(path)
    points = read_points(path, "RAS")
    assert points.positions.tolist() == [[-1, -2, 3]]
    write_points(tmp_path / "b.csv", points)
    assert read_points(tmp_path / "b.csv").axes == "RAS"
    with pytest.raises(InputError, match="states that its coordinates are RAS"):
        read_points(tmp_path / "b.csv", "LPS")


@pytest.mark.parametrize("space", ["RAS", "0"])
def test_fcsv_of_slicer_keeps_its_other_columns(space: str, tmp_path: Path) -> None:
    points = read_points(save(tmp_path, "a.fcsv", FCSV.format(space=space)))
    assert np.array_equal(points.positions, LPS)
    write_points(tmp_path / "b.fcsv", points.moved(LPS + UP))
    lines = (tmp_path / "b.fcsv").read_text().splitlines()
    assert lines[:3] == FCSV.format(space=space).splitlines()[:3]
    assert lines[3] == '1,-10.500000,20.250000,4.000000,0,0,0,1,1,1,0,apex,"lowest, by eye",'
    assert np.array_equal(read_points(tmp_path / "b.fcsv").positions, LPS + UP)


def test_fcsv_in_lps_and_in_voxels(tmp_path: Path) -> None:
    points = read_points(save(tmp_path, "a.fcsv", FCSV.format(space="LPS")))
    assert np.array_equal(points.positions, RAS)
    with pytest.raises(InputError, match="coordinate system 2 is not known"):
        read_points(save(tmp_path, "b.fcsv", FCSV.format(space="2")))


@pytest.mark.parametrize("kind", ["Fiducial", "ClosedCurve"])
def test_markups_of_slicer_keep_points_without_a_place(kind: str, tmp_path: Path) -> None:
    path = save(tmp_path, "a.mrk.json", json.dumps(markups(kind=kind)))
    points = read_points(path)
    assert np.array_equal(points.positions, LPS)
    write_points(tmp_path / "b.mrk.json", points.moved(LPS + (STEP + SIDE)))
    (written,) = json.loads((tmp_path / "b.mrk.json").read_text())["markups"]
    places = [point["position"] for point in written["controlPoints"]]
    assert places == [[-11.5, 19.25, 3], None, [0, 1, -3]]
    assert written["measurements"] == [{"name": "length", "enabled": True}]
    assert json.loads(path.read_text()) == markups(kind=kind)


def test_points_of_no_file_become_a_table(tmp_path: Path) -> None:
    write_points(tmp_path / "a.csv", PointSet(LPS))
    assert (tmp_path / "a.csv").read_text().startswith("# space=LPS\nx,y,z\n10.500000,")
    assert np.array_equal(read_points(tmp_path / "a.csv").positions, LPS)
    with pytest.raises(InputError, match=r"keep the format of their file.*ends in \.csv"):
        write_points(tmp_path / "a.fcsv", PointSet(LPS))


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("a.csv", "", "the table is empty"),
        ("a.csv", "index,axis-0,axis-1\n0,1,2\n", "no columns x, y and z among index, axis-0"),
        ("a.csv", "# space=RAS\nx,y,z\n", "holds no points"),
        ("a.csv", "# space=RAS\nx,y,z\n1,2,3\n4,5\n", "point 2 has no three numbers"),
        ("a.csv", "# space=RAS\nx,y,z\n1,2,up\n", "point 1 has no three numbers"),
        ("a.csv", "# space=RAS\nx,y,z\n1,2,nan\n", "1 of 1 points .* not finite"),
        ("a.csv", "# space=scanner\nx,y,z\n1,2,3\n", "coordinate system scanner is not known"),
        ("a.csv", "x,y,z,space\n1,2,3,RAS\n1,2,3,LPS\n", "several coordinate systems"),
        ("a.fcsv", "# CoordinateSystem = RAS\n1,2,3\n", "no columns x, y and z among none"),
        ("a.mrk.json", "{}", "no markups file"),
        ("a.mrk.json", "[1", "no markups file"),
        ("a.mrk.json", json.dumps(markups(kind="Plane")), "kind Plane has more than control"),
        ("a.mrk.json", json.dumps(markups("IJK")), "coordinate system IJK is not known"),
        ("a.mrk.json", json.dumps({"markups": [{"controlPoints": []}]}), "does not state"),
        ("a.xyz", "1 2 3", r"not read from files ending in \.xyz.*\.fcsv"),
        ("a.vtk", "# vtk", "landmarks are not read from files ending in .vtk"),
    ],
)
def test_wrong_files_are_one_clear_line(name: str, text: str, error: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=error) as raised:
        read_points(save(tmp_path, name, text), kind="points")
    assert str(tmp_path / name) in str(raised.value) and "\n" not in str(raised.value)


def test_files_are_named_by_kind_and_number() -> None:
    sets = [PointSet(LPS, path=Path(name)) for name in ("p.csv", "q.fcsv", "r.mrk.json")]
    surface = PointSet(LPS, kind="surface", path=Path("Heart.VTK"))
    names = ["points.csv", "points-2.fcsv", "points-3.mrk.json", "surface.vtk"]
    assert list(named_points([*sets, surface])) == names
