"""Images in ITK's formats as layers: where SimpleITK has them, with spacing, units and names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from napari.layers import Image
from scipy.spatial.transform import Rotation

from napari_drdm.layers.reader import get_reader, read_layers
from napari_drdm.layers.snapshots import case_from_layers
from src_core.cases.grid import RAS_TO_LPS
from src_core.errors import InputError

SIZE, SPACING = (21, 17, 5), (1.3, 0.9, 4.0)


def oblique(dtype: Any = np.int16, turn: float = 30) -> Any:
    """A left-handed, oblique image as SimpleITK has it."""
    values = np.random.default_rng(3).integers(0, 900, SIZE[::-1]).astype(dtype)
    image = sitk.GetImageFromArray(values)
    turned = Rotation.from_euler("xyz", (10, -20, turn), degrees=True).as_matrix()
    image.SetDirection((turned * [1, 1, -1]).ravel().tolist())
    image.SetSpacing(SPACING)
    image.SetOrigin((12.5, -31, 7))
    return image


def series(folder: Path, image: Any) -> Path:
    """A DICOM series, one file a slice, without an ending."""
    folder.mkdir()
    writer, axes = sitk.ImageFileWriter(), image.GetDirection()
    writer.KeepOriginalImageUIDOn()
    for z in range(image.GetSize()[2]):
        one, place = image[:, :, z], image.TransformIndexToPhysicalPoint((0, 0, z))
        tags = {
            "0008|0060": "MR",
            "0020|000e": "1.2.3.4",
            "0020|000d": "1.2.3",
            "0008|0018": f"1.2.3.9.{z + 1}",
            "0020|0013": str(z + 1),
            "0020|0032": "\\".join(f"{v:.9g}" for v in place),
            "0020|0037": "\\".join(f"{axes[i]:.9g}" for i in (0, 3, 6, 1, 4, 7)),
        }
        for tag, value in tags.items():
            one.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{z}.dcm"))
        writer.Execute(one)
        (folder / f"{z}.dcm").rename(folder / f"IM{z}")
    return folder


@pytest.fixture(params=[".mha", ".mhd", ".nrrd", ".nhdr", "series"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One and the same image in every format; the series is right-handed, as DICOM is."""
    if request.param == "series":
        image = oblique()
        turned = np.reshape(image.GetDirection(), (3, 3)) * [1, 1, -1]
        image.SetDirection(turned.ravel().tolist())
        return series(tmp_path / "my scan", image)
    path = tmp_path / f"my scan{request.param}"
    sitk.WriteImage(oblique(), str(path))
    return path


def as_itk_has_it(path: Path) -> Any:
    if path.is_file():
        return sitk.ReadImage(str(path))
    return sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(path)))


def test_a_layer_lies_where_itk_has_the_image(file: Path) -> None:
    image, reader = as_itk_has_it(file), get_reader(file)
    assert reader is not None
    ((data, settings, kind),) = reader(file)
    assert kind == "image" and settings["name"] == "my scan"
    np.testing.assert_array_equal(data, sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(settings["scale"], image.GetSpacing()[::-1], rtol=1e-6)
    assert settings["units"] == ("mm",) * 3 and settings["axis_labels"] == ("z", "y", "x")
    place = settings["metadata"]["drdm"]["affine"] @ [7, 3, 2, 1]
    lps = image.TransformIndexToPhysicalPoint((7, 3, 2))
    np.testing.assert_allclose(place[:3], RAS_TO_LPS * lps, atol=1e-4)


def test_a_case_of_a_layer_is_its_file_or_series(file: Path) -> None:
    ((data, settings, _),) = read_layers(file)
    case = case_from_layers(Image(data, **settings)).case
    assert case.images[0].path == file.resolve()


def test_labels_are_known_by_their_name_in_every_format(tmp_path: Path) -> None:
    sitk.WriteImage(oblique(np.uint8) > 400, str(tmp_path / "heart_seg.nrrd"))
    ((data, settings, kind),) = read_layers(tmp_path / "heart_seg.nrrd")
    assert kind == "labels" and data.dtype == np.uint8 and settings["opacity"] == 0.4


def test_vectors_in_a_file_stay_arrows(tmp_path: Path) -> None:
    field = np.zeros((5, 6, 7, 3), np.float32)
    sitk.WriteImage(sitk.GetImageFromArray(field, isVector=True), str(tmp_path / "warp.mha"))
    assert [kind for *_, kind in read_layers(tmp_path / "warp.mha")] == ["vectors"]


def test_folders_without_dicom_are_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "deeper").mkdir()
    assert get_reader(tmp_path) is None and get_reader(tmp_path / "deeper") is None
    assert get_reader(tmp_path / "absent") is None


def test_without_simpleitk_one_line_says_how_to_get_it(file: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    reader = get_reader(file)
    assert reader is not None
    with pytest.raises(InputError, match=r"needs SimpleITK, .*pip install napari-drdm") as reported:
        reader(file)
    assert "\n" not in str(reported.value) and str(file) in str(reported.value)


def test_two_series_in_a_folder_are_one_clear_line(tmp_path: Path) -> None:
    folder = series(tmp_path / "one", oblique())
    for path in series(tmp_path / "two", oblique(turn=0)).iterdir():
        image = sitk.ReadImage(str(path))
        image.SetMetaData("0020|000e", "1.2.3.5")
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"B{path.name}.dcm"))
        writer.Execute(image)
    with pytest.raises(InputError, match="2 DICOM series"):
        read_layers(folder)


def test_a_viewer_opens_a_series_and_its_files(make_napari_viewer_proxy, tmp_path: Path) -> None:
    viewer = make_napari_viewer_proxy()
    folder = series(tmp_path / "scan", oblique())
    sitk.WriteImage(oblique(), str(tmp_path / "same.mha"))
    viewer.open(str(folder), plugin="napari-drdm")
    viewer.open(str(tmp_path / "same.mha"), plugin="napari-drdm")
    assert [layer.name for layer in viewer.layers] == ["scan", "same"]
    np.testing.assert_allclose(viewer.layers[1].scale, SPACING[::-1])
