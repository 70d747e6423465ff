"""A closed surface as a file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ellipsoid"]


def ellipsoid(
    middle: NDArray[np.float64], radii: NDArray[np.float64], rows: int = 9, columns: int = 14
) -> bytes:
    """A legacy VTK file, LPS mm, with normals and one number for each point."""
    polar, around = np.meshgrid(
        np.linspace(0.1, np.pi - 0.1, rows),
        np.arange(columns) * 2 * np.pi / columns,
        indexing="ij",
    )
    sphere = np.stack(
        [np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], -1
    ).reshape(-1, 3)
    normals = sphere / radii
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    first = np.arange(rows * columns).reshape(rows, columns)
    right = np.roll(first, -1, 1)
    faces = np.stack([first[:-1], first[1:], right[1:], right[:-1]], -1).reshape(-1, 4)
    count = len(sphere)
    return b"".join(
        [
            b"# vtk DataFile Version 4.2\n3D Slicer output. SPACE=LPS\nBINARY\nDATASET POLYDATA\n",
            f"POINTS {count} double\n".encode(),
            (middle + radii * sphere).astype(">f8").tobytes(),
            f"\nPOLYGONS {len(faces)} {5 * len(faces)}\n".encode(),
            np.insert(faces, 0, 4, axis=1).astype(">i4").tobytes(),
            f"\nPOINT_DATA {count}\nSCALARS number int\nLOOKUP_TABLE default\n".encode(),
            np.arange(count).astype(">i4").tobytes(),
            b"\nNORMALS Normals double\n",
            normals.astype(">f8").tobytes(),
            b"\n",
        ]
    )
