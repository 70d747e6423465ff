"""A case as text: what it is, and never its voxels."""

from __future__ import annotations

import numpy as np

from src_core.cases.case import Case


def test_a_case_names_its_size_spacing_and_labels() -> None:
    image = np.arange(40 * 30 * 6, dtype=np.int16).reshape(40, 30, 6)
    case = Case.from_arrays(image, image // 3000, spacing=(1.5, 1.5, 8), name="heart")
    assert repr(case) == (
        "Case('heart', 40 x 30 x 6 voxels of 1.5 x 1.5 x 8 mm, Image(int16, 0 to 7199), "
        "LabelMap(int16, 0 to 2))"
    )


def test_frames_are_counted_and_large_cases_are_as_short() -> None:
    image = np.zeros((128, 120, 3, 7), np.float32)
    image[5] = 0.25
    case = Case.from_arrays(image, name="cine")
    assert repr(case.images[0]) == "Image(7 frames of float32, 0 to 0.25)"
    assert len(repr(case)) < 100 and "array" not in repr(case)
