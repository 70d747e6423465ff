"""Surfaces in files: points and normals are replaced, every other byte is kept."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from src_core.errors import InputError
from src_core.io.points import read_points, write_points

CORNERS = np.array([[0, 0, 0], [10, 0, 0], [0, 20, 0], [0, 0, 30.5]], np.float32)
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
SHIFT = np.array([1, 0, -2.25])
NORMALS = np.array([[-1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)


def vtk(binary: bool) -> bytes:
    kind = "BINARY" if binary else "ASCII"
    head = f"# vtk DataFile Version 4.2\n3D Slicer output. SPACE=LPS\n{kind}\n"
    parts = [f"{head}DATASET POLYDATA\nPOINTS 4 float\n".encode()]
    faces = np.insert(FACES, 0, 3, axis=1)

    def block(values: np.ndarray, kind: str) -> None:
        text = " ".join(map(str, values.ravel().tolist())).encode()
        parts.append((values.astype(kind).tobytes() if binary else text) + b"\n")

    block(CORNERS, ">f4")
    parts.append(b"\nPOLYGONS 4 16\n")
    block(faces, ">i4")
    parts.append(b"\nPOINT_DATA 4\nSCALARS label int\nLOOKUP_TABLE default\n")
    block(np.array([1, 2, 3, 4]), ">i4")
    parts.append(b"NORMALS Normals float\n")
    block(NORMALS, ">f4")
    return b"".join(parts)


def ply(form: str) -> bytes:
    names = "".join(f"property float {n}\n" for n in ("x", "y", "z", "nx", "ny", "nz"))
    header = (
        f"ply\nformat {form} 1.0\ncomment SPACE=LPS\nelement vertex 4\n{names}"
        "property uchar red\nelement face 4\nproperty list uchar int vertex_index\nend_header\n"
    )
    order = ">" if "big" in form else "<"
    if form == "ascii":
        rows = [[*c, *n, 7] for c, n in zip(CORNERS.tolist(), NORMALS.tolist(), strict=True)]
        faces = [[3, *face] for face in FACES.tolist()]
        body = "".join(" ".join(map(str, row)) + "\n" for row in [*rows, *faces]).encode()
    else:
        pairs = zip(CORNERS, NORMALS, strict=True)
        body = b"".join(struct.pack(f"{order}6fB", *c, *n, 7) for c, n in pairs)
        body += b"".join(struct.pack(f"{order}B3i", 3, *face) for face in FACES)
    return header.encode() + body


def stl(binary: bool) -> bytes:
    if binary:
        facets = [struct.pack("<12fH", 0, 0, 0, *CORNERS[f].ravel(), 9) for f in FACES]
        return b"heart; SPACE=LPS".ljust(80) + struct.pack("<I", 4) + b"".join(facets)
    loops = [
        "facet normal 0 0 0\nouter loop\n"
        + "".join(f"vertex {x} {y} {z}\n" for x, y, z in CORNERS[f].tolist())
        + "endloop\nendfacet\n"
        for f in FACES
    ]
    return f"solid heart SPACE=LPS\n{''.join(loops)}endsolid heart\n".encode()


def packed(data: bytes, compressed: bool, raw: bool) -> bytes:
    if compressed:
        half = len(data) // 2
        blocks = [zlib.compress(data[:half]), zlib.compress(data[half:])]
        head = struct.pack("<5I", 2, half, len(data) - half, *map(len, blocks))
        parts = [head, b"".join(blocks)]
    else:
        parts = [struct.pack("<I", len(data)) + data]
    return b"".join(parts if raw else map(base64.b64encode, parts))


def vtp(form: str, compressed: bool = False, raw: bool = False, space: str = "LPS") -> bytes:
    """Points, and normals behind them, as text, in place, or at the file's end."""
    arrays, appended = [], b""
    for name, values in (("Points", CORNERS), ("Normals", NORMALS)):
        if form == "ascii":
            body, where = " ".join(map(str, values.ravel().tolist())).encode(), ""
        else:
            body, where = packed(values.tobytes(), compressed, raw), ""
        if form == "appended":
            where, appended, body = f' offset="{len(appended)}"', appended + body, b""
        head = f'<DataArray type="Float32" Name="{name}" NumberOfComponents="3" format="{form}"'
        arrays.append(f"{head}{where}>".encode() + body + b"\n</DataArray>")
    codes = " ".join(str(ord(letter)) for letter in space)
    stated = (
        f'<FieldData><DataArray type="String" Name="SPACE" format="ascii">{codes} 0</DataArray>'
        "</FieldData>"
    )
    zipped = ' compressor="vtkZLibDataCompressor"' if compressed else ""
    end = f'<AppendedData encoding="{"raw" if raw else "base64"}">_'.encode() + appended
    return b"".join(
        [
            f'<VTKFile type="PolyData" byte_order="LittleEndian"{zipped}>\n<PolyData>'.encode(),
            stated.encode() if space else b"",
            b'<Piece NumberOfPoints="4"><PointData Normals="Normals">',
            arrays[1],
            b"</PointData><Points>",
            arrays[0],
            b"</Points></Piece></PolyData>",
            end + b"</AppendedData>" if form == "appended" else b"",
            b"</VTKFile>\n",
        ]
    )


FILES = {
    "text.vtk": vtk(False),
    "bytes.vtk": vtk(True),
    "text.ply": ply("ascii"),
    "little.ply": ply("binary_little_endian"),
    "big.ply": ply("binary_big_endian"),
    "text.stl": stl(False),
    "bytes.stl": stl(True),
    "text.vtp": vtp("ascii"),
    "base64.vtp": vtp("binary"),
    "zipped.vtp": vtp("binary", compressed=True),
    "appended.vtp": vtp("appended"),
    "appended-zipped.vtp": vtp("appended", compressed=True),
    "raw.vtp": vtp("appended", raw=True),
    "raw-zipped.vtp": vtp("appended", compressed=True, raw=True),
}


@pytest.mark.parametrize("name", FILES)
def test_points_and_normals_are_replaced(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    surface = read_points(path, kind="surface")
    order = np.lexsort(CORNERS.T[::-1]) if name.endswith("stl") else np.arange(4)
    assert surface.axes == "LPS" and np.array_equal(surface.positions, CORNERS[order])
    normals = None
    if not name.endswith("stl"):
        assert np.array_equal(surface.normals, NORMALS)
        normals = NORMALS[::-1]
    again = tmp_path / f"again{path.suffix}"
    write_points(again, surface)
    same = read_points(again)
    assert np.array_equal(same.positions, surface.positions)
    if path.suffix != ".vtp" and "text" not in name and path.suffix != ".stl":
        assert again.read_bytes() == FILES[name]
    write_points(again, surface.moved(surface.positions + SHIFT, normals))
    moved = read_points(again)
    assert np.array_equal(moved.positions, surface.positions + SHIFT)
    if normals is not None:
        assert np.array_equal(moved.normals, normals)
    write_points(again, moved.moved(surface.positions, surface.normals))
    assert np.array_equal(read_points(again).positions, surface.positions)


def test_what_is_beside_the_points_stays(tmp_path: Path) -> None:
    for name in ("text.vtk", "bytes.vtk", "little.ply"):
        (tmp_path / name).write_bytes(FILES[name])
        surface = read_points(tmp_path / name)
        write_points(tmp_path / name, surface.moved(surface.positions * 2, surface.normals))
        new, old = (tmp_path / name).read_bytes(), FILES[name]
        tail = old[old.index(b"POLYGONS") :] if b"POLYGONS" in old else old[-52:]
        cut = tail.index(b"NORMALS") if b"NORMALS" in tail else len(tail)
        assert tail[:cut] in new and new != old


def test_facets_get_the_normals_of_their_new_corners(tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_bytes(FILES["bytes.stl"])
    surface = read_points(tmp_path / "a.stl")
    write_points(tmp_path / "a.stl", surface.moved(surface.positions * [1, 1, 2]))
    data = (tmp_path / "a.stl").read_bytes()
    first = struct.unpack_from("<12fH", data, 84 + 3 * 50)
    corners = CORNERS[FACES[3]] * [1, 1, 2]
    cross = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    assert np.allclose(first[:3], cross / np.linalg.norm(cross), atol=1e-6)
    assert first[12] == 9 and data[:16] == b"heart; SPACE=LPS"


def test_axes_that_were_given_are_written(tmp_path: Path) -> None:
    bare = {
        "a.vtk": FILES["bytes.vtk"].replace(b" SPACE=LPS", b""),
        "a.ply": FILES["little.ply"].replace(b"comment SPACE=LPS\n", b""),
        "a.stl": FILES["bytes.stl"].replace(b"heart; SPACE=LPS", b"heart           "),
        "a.vtp": vtp("appended", raw=True, space=""),
    }
    for name, data in bare.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match="does not state the axes"):
            read_points(tmp_path / name)
        surface = read_points(tmp_path / name, "RAS")
        write_points(tmp_path / name, surface)
        stated = read_points(tmp_path / name)
        assert stated.axes == "RAS" and np.array_equal(stated.positions, surface.positions)
        assert np.array_equal(np.unique(np.abs(stated.positions)), np.unique(CORNERS))


@pytest.mark.parametrize("name", ["bytes.vtk", "text.vtk", "text.ply", "little.ply", "bytes.stl",
                                  "text.stl", "base64.vtp", "raw-zipped.vtp"])  # fmt: skip
def test_a_file_that_ends_early_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    whole = FILES[name]
    for share in (0.0, 0.05, 0.3, 0.6):
        cut = whole[: int(share * len(whole))]
        if b"POLYGONS" in cut or b"end_header" in cut[:-120]:
            continue  # its points are whole
        path.write_bytes(cut)
        with pytest.raises(InputError, match=r"damaged \(|holds no points"):
            read_points(path)


@pytest.mark.parametrize(
    ("name", "old", "new", "error"),
    [
        ("text.vtk", b"POLYDATA", b"STRUCTURED_POINTS", "no header of polygons"),
        ("text.vtk", b"10.0", b"ten", "damaged|12 numbers|text"),
        ("text.vtk", b"10.0", b"nan", "not finite|damaged"),
        ("text.ply", b"vertex 4", b"vertex 400", "damaged"),
        ("text.ply", b"property float z\n", b"", "no x, y and z"),
        ("zipped.vtp", b"ZLib", b"LZ4", "compressed by vtkLZ4DataCompressor"),
        ("base64.vtp", b"Float32", b"Int32", "numbers of the type Int32"),
        ("text.vtp", b"SPACE", b"AXES_", "does not state the axes"),
    ],
)
def test_wrong_surfaces_are_refused(
    name: str, old: bytes, new: bytes, error: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name].replace(old, new, 1 if b"SPACE" not in old else -1))
    with pytest.raises(InputError, match=error):
        read_points(path)
