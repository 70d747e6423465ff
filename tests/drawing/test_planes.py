"""Planes of a case: which way up, at true proportions, around labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src_core.cases.case import Case
from src_core.drawing.planes import choose_planes, cropped, length_unit, orientation_text
from src_core.drawing.strips import PlaneStrip
from src_core.errors import InputError
from src_core.io import read_case
from tests.support.shell_files import volume

SHAPE, SPACING = (20, 30, 12), (1.0, 0.5, 1.2)
#: In RAS mm: right, in front, above.
PLACE = np.array([6.0, 5.0, 4.0])


def oriented(axes: tuple[int, int, int], signs: tuple[int, int, int]) -> tuple[Case, np.ndarray]:
    """A volume whose voxel axes run along anatomical ones, and the voxel nearest to ``PLACE``."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for voxel, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
        affine[axis, voxel] = sign * SPACING[voxel]
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(SHAPE) - 1) / 2) + 0.25
    voxel = np.rint(np.linalg.solve(affine[:3, :3], PLACE - affine[:3, 3])).astype(int)
    image = np.zeros(SHAPE, np.uint8)
    image[tuple(voxel)] = 200
    return Case.from_arrays(image, affine=affine), voxel


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, 1), (1, -1, -1)])
def test_the_patient_s_right_front_and_head_are_left_and_up(
    axes: tuple[int, int, int], signs: tuple[int, int, int]
) -> None:
    case, voxel = oriented(axes, signs)
    planes = choose_planes(case, at=tuple(voxel), planes="three")
    assert [plane.ends for plane in planes] == ["RLAP", "RLSI", "APSI"]
    for plane in planes:
        values = plane.values(case.image)
        row, column = np.argwhere(values == 200)[0]
        assert row < (values.shape[0] - 1) / 2 and column < (values.shape[1] - 1) / 2
    assert "Radiological" in orientation_text(case)


def test_vectors_point_where_the_picture_does() -> None:
    case, voxel = oriented((0, 1, 2), (1, 1, 1))
    plane = choose_planes(case, at=tuple(voxel), planes="three")[0]
    u = np.zeros((*SHAPE, 3))
    u[..., 0], u[..., 1] = 2, 4  # two voxels to the right of the patient, four to the front
    right, down = plane.vectors(u)
    assert np.allclose(right, -2 * SPACING[0]) and np.allclose(down, -4 * SPACING[1])


def test_images_without_orientation_are_drawn_as_they_are_stored(tmp_path: Path) -> None:
    values = np.arange(30 * 20, dtype=np.int16).reshape(30, 20)
    bare = Case.from_arrays(values, spacing=(2.0, 3.0))
    (plane,) = choose_planes(bare)
    assert plane.ends == "" and "no orientation" in orientation_text(bare)
    assert np.array_equal(plane.values(bare.image), values.T)
    from PIL import Image

    Image.fromarray(np.arange(600, dtype=np.uint8).reshape(20, 30)).save(tmp_path / "a.png")
    picture, measured = (read_case(tmp_path / "a.png", spacing=mm) for mm in (None, 0.7))
    assert choose_planes(measured)[0].ends == ""
    assert [length_unit(case) for case in (picture, measured, bare)] == ["px", "mm", "mm"]
    assert length_unit(Case.from_arrays(values)) == "px"


def test_pixels_are_square_in_millimetres() -> None:
    case, voxel = oriented((0, 1, 2), (-1, -1, 1))
    planes = choose_planes(case, at=tuple(voxel), planes="three")
    strip = PlaneStrip(case, planes, side=200)
    for plane in planes:
        one = PlaneStrip(case, (plane,), side=200).of_case(case)
        width, height = plane.size
        assert one.width / one.height == pytest.approx(width / height, rel=0.01)
        assert max(one.size) == 200
    axial, coronal, sagittal = (plane.size for plane in planes)
    widths = [round(strip.scale * w) for w, _ in (axial, coronal, sagittal)]
    assert strip.of_case(case).width == sum(widths) + 2 * 4
    assert strip.scale == pytest.approx(200 / 20)  # 20 mm is the longest side


def test_a_stack_of_thick_slices_shows_one_and_a_volume_three() -> None:
    thick = Case.from_arrays(volume(), spacing=(1.5, 1.5, 8.0))
    assert [plane.axis for plane in choose_planes(thick)] == [2]
    assert len(choose_planes(thick, planes="three")) == 3
    cube = Case.from_arrays(volume(), spacing=1.0)
    assert [plane.axis for plane in choose_planes(cube)] == [2, 1, 0]
    with pytest.raises(InputError, match="outside"):
        choose_planes(cube, at=(1, 2, 3))
    with pytest.raises(InputError, match="no three planes"):
        choose_planes(Case.from_arrays(volume((40, 52))), planes="three")


def test_a_crop_holds_the_labels_and_stays_inside() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:5, 20:26, 5] = 1
    case = Case.from_arrays(np.arange(7200.0).reshape(SHAPE), labels, spacing=SPACING)
    (whole,) = choose_planes(case, planes="slice")
    (part,) = cropped((whole,), case)
    assert part.index == 5 and part.values(labels).sum() == labels[..., 5].sum()
    for (low, high), count in zip(part.box, SHAPE[:2], strict=True):
        assert 0 <= low < high <= count
    assert part.size[0] == pytest.approx(part.size[1], abs=1.0) and part.size < whole.size
    bare = Case.from_arrays(np.arange(7200.0).reshape(SHAPE), spacing=SPACING)
    assert cropped((whole,), bare) == (whole,)
