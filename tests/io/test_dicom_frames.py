"""Enhanced DICOM: frames in any order, with their own slopes, several volumes, segmentations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src_core.errors import GeometryWarning, InputError
from src_core.io import read_case
from tests.support.dicom import SEGMENTATION, frame, write_frames

RNG = np.random.default_rng(6)
STORED = RNG.integers(1, 2000, (5, 6, 8), dtype=np.uint16)  # frames, rows, columns
ORDER = [3, 0, 4, 2, 1]
AXES = (0.6, 0.8, 0, -0.8, 0.6, 0)


def place(z: float) -> tuple[float, float, float]:
    return -20.0, 3.0, -40.0 + 5 * z


def test_frames_lie_where_their_groups_put_them(tmp_path: Path) -> None:
    slopes = (0.5, 2, 0.25, 3, 1.5)
    groups = [frame(place(z), slope=slope) for z, slope in zip(ORDER, slopes, strict=True)]
    case = read_case(write_frames(tmp_path / "a.dcm", STORED, groups, AXES))
    for number, z in enumerate(ORDER):
        assert np.allclose(case.image[:, :, z], STORED[number].T * slopes[number] - 5)
    corner = (case.grid.affine @ [7, 5, 4, 1])[:3] * [-1, -1, 1]
    along, down = np.array(AXES[:3]), np.array(AXES[3:])
    assert corner == pytest.approx(place(4) + 7 * 1.2 * along + 5 * 1.4 * down, abs=1e-4)


def test_values_without_a_slope_keep_their_type(tmp_path: Path) -> None:
    groups = [frame(place(z)) for z in ORDER]
    case = read_case(write_frames(tmp_path / "a.dcm", STORED, groups))
    assert case.image.dtype == np.uint16
    assert np.array_equal(case.image, STORED[np.argsort(ORDER)].transpose(2, 1, 0))


def test_a_tilt_shears_the_grid(tmp_path: Path) -> None:
    groups = [frame((-20.0, 3.0 + 2 * z, -40.0 + 5 * z)) for z in range(5)]
    path = write_frames(tmp_path / "a.dcm", STORED, groups)
    with pytest.warns(GeometryWarning, match="sheared"):
        case = read_case(path)
    assert (case.grid.affine @ [0, 0, 4, 1])[:3] == pytest.approx((20, -11, -20), abs=1e-4)


def test_several_volumes_are_frames_of_time(tmp_path: Path) -> None:
    stored = RNG.integers(1, 2000, (6, 6, 8), dtype=np.uint16)
    found = [(1, 2), (0, 1), (1, 1), (2, 2), (0, 2), (2, 1)]  # slice, time
    groups = [frame(place(z), (z + 1, time)) for z, time in found]
    case = read_case(write_frames(tmp_path / "a.dcm", stored, groups))
    assert case.image.shape == (8, 6, 3, 2)
    for number, (z, time) in enumerate(found):
        assert np.array_equal(case.image[:, :, z, time - 1], stored[number].T)


def test_frames_at_one_place_without_an_order_are_refused(tmp_path: Path) -> None:
    groups = [frame(place(z)) for z in (0, 0, 1, 1)]
    with pytest.raises(InputError, match="2 frames lie at one place, without an order"):
        read_case(write_frames(tmp_path / "a.dcm", STORED[:4], groups))


def test_a_missing_frame_is_refused(tmp_path: Path) -> None:
    groups = [frame(place(z)) for z in (0, 1, 3)]
    with pytest.raises(InputError, match="5 to 10 mm apart"):
        read_case(write_frames(tmp_path / "a.dcm", STORED[:3], groups))


def segmented(path: Path, masks: np.ndarray, groups: list, **values: object) -> Path:
    return write_frames(
        path,
        masks.astype(np.uint16),
        groups,
        kind=SEGMENTATION,
        SegmentationType="BINARY",
        **values,
    )


def test_segments_become_labels_and_missing_slices_are_empty(tmp_path: Path) -> None:
    masks = np.zeros((3, 6, 8), dtype=bool)
    masks[0, 1:3, 2:5], masks[1, 4:, :2], masks[2, 0, 7] = True, True, True
    groups = [frame(place(0), segment=1), frame(place(0), segment=7), frame(place(2), segment=7)]
    labels = read_case(segmented(tmp_path / "seg.dcm", masks, groups)).image
    expected = np.zeros((8, 6, 3), dtype=np.uint16)
    expected[2:5, 1:3, 0], expected[:2, 4:, 0], expected[7, 0, 2] = 1, 7, 7
    assert np.array_equal(labels, expected)


def test_overlapping_segments_are_refused(tmp_path: Path) -> None:
    masks = np.ones((2, 6, 8), dtype=bool)
    groups = [frame(place(0), segment=1), frame(place(0), segment=2)]
    with pytest.raises(InputError, match="segments overlap"):
        read_case(segmented(tmp_path / "seg.dcm", masks, groups))


def test_fractions_are_refused(tmp_path: Path) -> None:
    groups = [frame(place(0), segment=1)]
    with pytest.raises(InputError, match="one of fractions"):
        read_case(segmented(tmp_path / "seg.dcm", 100 * np.ones((1, 6, 8)), groups))
