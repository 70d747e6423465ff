"""Several values per voxel in ITK's formats: fields by their type and kinds; against SimpleITK."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from src_core.errors import InputError
from src_core.io import holds_field, read_case, read_field
from src_core.io.field_files import content_of, read_field_file
from tests.support.foreign_fields import GRIDS, lps

GRID = GRIDS["oblique, flipped"]
AFFINE = GRID.affine * np.array([-1, -1, 1, 1])[:, None]


def vectors(values: np.ndarray) -> sitk.Image:
    """An image (X, Y, Z, n) on the grid, by SimpleITK."""
    image = sitk.GetImageFromArray(values.transpose(2, 1, 0, 3), isVector=True)
    image.SetSpacing(GRID.spacing)
    image.SetOrigin(AFFINE[:3, 3].tolist())
    image.SetDirection((AFFINE[:3, :3] / GRID.spacing).ravel().tolist())
    return image


def edited(path: Path, **entries: str) -> Path:
    """An NRRD file with other entries of its header; those with ``:=`` are keys."""
    head, _, data = path.read_bytes().partition(b"\n\n")
    lines = head.decode().split("\n")
    for name, value in entries.items():
        key = name.replace("_", " ")
        known = [number for number, line in enumerate(lines) if line.startswith(f"{key}:")]
        where = known[0] if known else len(lines)
        lines[where : where + 1] = [f"{key}:{value}"]
    path.write_bytes("\n".join(lines).encode() + b"\n\n" + data)
    return path


@pytest.fixture
def nrrd(tmp_path: Path) -> Path:
    sitk.WriteImage(vectors(lps(GRID).astype(np.float32)), str(tmp_path / "u.nrrd"))
    return tmp_path / "u.nrrd"


@pytest.mark.parametrize("ending", [".mha", ".mhd", ".nrrd", ".nhdr"])
def test_floating_point_vectors_are_a_field(ending: str, tmp_path: Path) -> None:
    """As elastix writes ``deformationField.mhd``: LPS mm."""
    path = tmp_path / f"deformationField{ending}"
    sitk.WriteImage(vectors(lps(GRID)), str(path))
    u, place = read_field(path)
    np.testing.assert_allclose(u, lps(GRID), atol=1e-5)
    assert holds_field(path) and place.distance_mm(GRID) < 1e-4


@pytest.mark.parametrize("ending", [".mha", ".nrrd", ".nii.gz"])
@pytest.mark.parametrize(
    ("count", "kind", "words"),
    [
        (3, np.uint8, "colours or channels"),
        (3, np.int16, "colours or channels"),
        (2, np.float32, "channels of an image"),
        (6, np.float32, "channels of an image"),
    ],
)
def test_colours_and_channels_are_no_field(
    count: int, kind: type, words: str, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a{ending}"
    values = np.random.default_rng(0).integers(0, 99, (*GRID.shape, count)).astype(kind)
    sitk.WriteImage(vectors(values), str(path))
    assert not holds_field(path)
    for read in (read_case, read_field):
        with pytest.raises(InputError, match=words):
            read(path)


def test_slicer_s_resampling_field_is_itk_s(nrrd: Path) -> None:
    u, _ = read_field(edited(nrrd, displacement_field_type="=resampling"))
    np.testing.assert_allclose(u, lps(GRID), atol=1e-5)


def test_slicer_s_modeling_field_leads_the_other_way(nrrd: Path) -> None:
    path = edited(nrrd, displacement_field_type="=modeling")
    found = read_field_file(path)
    assert found.kind.forward and holds_field(path)
    np.testing.assert_allclose(found.displacement[..., 0, :], lps(GRID), atol=1e-5)
    with pytest.raises(InputError, match=r"from the source to the new image.*drdm apply"):
        read_field(path)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"kinds": " RGB-color domain domain domain"}, "a colour image"),
        ({"kinds": " list domain domain domain"}, "3 values per voxel .an axis of kind list"),
        ({"kinds": " covariant-vector domain domain domain"}, "an axis of kind covariant-vector"),
        ({"modality": "=DWMRI", "kinds": " list domain domain domain"}, "diffusion-weighted"),
        ({"modality": "=DWMRI"}, "3 diffusion-weighted images .modality DWMRI"),
        ({"Segment0_ID": "=S1"}, "overlapping segments in 3 layers"),
        ({"axis_0_index_type": "=numeric"}, "a sequence of 3 frames"),
    ],
    ids=str,
)
def test_nrrd_says_what_its_values_are(entries: dict[str, str], message: str, nrrd: Path) -> None:
    written = {key.replace("Segment0 ", "Segment0_"): value for key, value in entries.items()}
    path = nrrd
    if "Segment0_ID" in written:
        path.write_bytes(path.read_bytes().replace(b"\n\n", b"\nSegment0_ID:=S1\n\n", 1))
        written = {}
    edited(path, **written)
    assert not holds_field(path)
    for read in (read_case, read_field):
        with pytest.raises(InputError, match=message):
            read(path)
    np.testing.assert_allclose(read_field(path, kind="lps")[0], lps(GRID), atol=1e-5)


@pytest.mark.parametrize(
    "entries",
    [
        {"space": " right-anterior-superior"},
        {"measurement_frame": " (0,1,0) (1,0,0) (0,0,1)"},
    ],
    ids=str,
)
def test_vectors_in_other_axes_are_asked_about(entries: dict[str, str], nrrd: Path) -> None:
    path = edited(nrrd, **entries)
    with pytest.raises(InputError, match=r"in other axes than LPS.*field_kind"):
        read_field(path)
    assert read_field(path, kind="ras")[0].shape == (*GRID.shape, 3)


def test_a_frame_that_changes_nothing_is_none(nrrd: Path) -> None:
    path = edited(nrrd, measurement_frame=" (1,0,0) (0,1.0,-0) (0,0,1e0)")
    np.testing.assert_allclose(read_field(path)[0], lps(GRID), atol=1e-5)


def test_slicer_s_segments_in_one_layer_are_labels(tmp_path: Path) -> None:
    values = np.zeros((8, 10, 13), np.uint8)
    values[2:5, 3:6, 4:8] = 2
    path = tmp_path / "heart.seg.nrrd"
    image = sitk.GetImageFromArray(values)
    image.SetMetaData("Segment0_ID", "Segment_1")
    sitk.WriteImage(image, str(path))
    found = content_of(path)
    assert found is not None and found.holds == "labels" and "3D Slicer" in found.why
    np.testing.assert_array_equal(read_case(path).image, values.T)
    with pytest.raises(InputError, match="this is labels"):
        read_field(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [("u.nrrd", b"NRRD0004\nkinds: vector\n\n"), ("u.mha", b"ObjectType = Image\n")],
)
def test_a_header_that_ends_early_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="its header is not that of"):
        read_field(tmp_path / name)
    assert not holds_field(tmp_path / name) and content_of(tmp_path / name) is None


def test_an_inverse_transform_of_slicer_is_told_by_name(tmp_path: Path) -> None:
    path = tmp_path / "t.tfm"
    path.write_text(
        "#Insight Transform File V1.0\n#Transform 0\n"
        "Transform: InverseDisplacementFieldTransform_double_3_3\nParameters: 0\n"
    )
    with pytest.raises(InputError, match=r"inverse transform of 3D Slicer.*Transforms > Convert"):
        read_field(path)


def test_a_transform_says_itself_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "u.tfm"
    field = sitk.DisplacementFieldTransform(sitk.Cast(vectors(lps(GRID)), sitk.sitkVectorFloat64))
    sitk.WriteTransform(field, str(path))
    np.testing.assert_allclose(read_field(path)[0], lps(GRID), atol=1e-5)
    with pytest.raises(InputError, match=r"says itself what it holds.*field_kind"):
        read_field(path, kind="ras")
    with pytest.raises(InputError, match="this is no image: ITK transform"):
        read_case(path)
