"""Values that other readers get wrong in silence: right here, or refused in one line."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import tifffile
from PIL import Image

from src_core.errors import InputError
from src_core.io import read_case
from tests.support.dicom import SEGMENTATION, frame, write_frames, write_slices

VALUES = np.random.default_rng(7).integers(0, 3000, (9, 7, 5), dtype=np.uint16)
MASK = np.zeros((9, 12), dtype=bool)
MASK[2:5, 3:9] = True


def metaimage(folder: Path, name: str = "a.mha") -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(VALUES.T), str(folder / name), True)
    return folder / name


@pytest.mark.parametrize("name", ["a.mha", "a.mhd"])
def test_compressed_metaimages_are_checked(tmp_path: Path, name: str) -> None:
    path = metaimage(tmp_path, name)
    assert np.array_equal(read_case(path).image, VALUES)
    voxels = path if name == "a.mha" else tmp_path / "a.zraw"
    whole = voxels.read_bytes()
    start = whole.index(b"LOCAL") + 6 if name == "a.mha" else 0
    middle = start + (len(whole) - start) // 2
    for damaged in (
        whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :],
        whole[:middle],
        whole[:-1],
    ):
        voxels.write_bytes(damaged)
        with pytest.raises(InputError, match="compressed voxels end early or are damaged"):
            read_case(path)


def test_a_metaimage_that_is_a_list_of_files_is_refused(tmp_path: Path) -> None:
    head = "ObjectType = Image\nNDims = 3\nDimSize = 7 6 5\nElementType = MET_SHORT\n"
    (tmp_path / "l.mhd").write_text(f"{head}ElementDataFile = LIST\n/etc/passwd\n")
    with pytest.raises(InputError, match="a list of files"):
        read_case(tmp_path / "l.mhd")


@pytest.mark.parametrize("meaning", ["miniswhite", "minisblack"])
@pytest.mark.parametrize("dtype", ["?", "u1"])
def test_labels_in_a_tiff_are_its_numbers(tmp_path: Path, meaning: str, dtype: str) -> None:
    grey = np.arange(MASK.size, dtype=np.uint8).reshape(MASK.shape)
    tifffile.imwrite(tmp_path / "a.tif", grey)
    numbers = MASK.astype(dtype) if dtype == "?" else MASK.astype(dtype) * 2
    tifffile.imwrite(tmp_path / "m.tif", numbers, photometric=meaning)
    labels = read_case(tmp_path / "a.tif", tmp_path / "m.tif").label_map
    assert np.array_equal(labels[:, :, 0].T, numbers)


def test_labels_of_one_bit_in_a_png_are_0_and_1(tmp_path: Path) -> None:
    Image.fromarray(np.arange(MASK.size, dtype=np.uint8).reshape(MASK.shape)).save(
        tmp_path / "a.png"
    )
    Image.fromarray(MASK).save(tmp_path / "m.png")
    labels = read_case(tmp_path / "a.png", tmp_path / "m.png").label_map
    assert np.array_equal(labels[:, :, 0].T, MASK)


def test_a_png_of_16_bits_a_colour_is_refused(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + bytes(6 * 9) for _ in range(12))
    head = struct.pack(">IIBBBBB", 9, 12, 16, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts
    ]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    with pytest.raises(InputError, match="16 bits a colour"):
        read_case(tmp_path / "a.png")


def test_headers_that_promise_more_than_the_file_holds_are_refused(tmp_path: Path) -> None:
    sizes = "NRRD0004\ntype: short\ndimension: 3\nsizes: 2000 2000 600\n"
    where = "space: left-posterior-superior\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"
    (tmp_path / "a.nrrd").write_bytes(f"{sizes}{where}endian: little\nencoding: gzip\n\n".encode())
    with pytest.raises(InputError, match="the header promises 4800000000 bytes"):
        read_case(tmp_path / "a.nrrd")
    head = "ObjectType = Image\nNDims = 3\nDimSize = 2000 2000 600\nElementType = MET_SHORT\n"
    packed = f"{head}CompressedData = True\nElementDataFile = LOCAL\n".encode()
    (tmp_path / "a.mha").write_bytes(packed + zlib.compress(bytes(100)))
    with pytest.raises(InputError, match="end early or are damaged"):
        read_case(tmp_path / "a.mha")
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="9" '
        'SizeY="7" SizeZ="80000000" SizeC="1" SizeT="1"><TiffData IFD="0" PlaneCount="1"/></Pixels>'
        "</Image></OME>"
    )
    pixels = np.arange(63, dtype=np.uint8).reshape(7, 9)
    tifffile.imwrite(tmp_path / "o.tif", pixels, description=xml, metadata=None)
    with pytest.raises(InputError, match="the picture has 5040000000 pixels"):
        read_case(tmp_path / "o.tif")


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.nii.gz")
    with pytest.raises(InputError, match="this is no file"):
        read_case(tmp_path / "x.nii.gz")


def test_slices_stored_as_several_types_keep_their_numbers(tmp_path: Path) -> None:
    places = [(0, 0, 5 * z) for z in range(5)]
    low = np.full_like(VALUES, 100)
    low[..., 0] = 7
    folder = write_slices(tmp_path / "s", low, places)
    high = write_slices(tmp_path / "h", VALUES + 40000, places, PixelRepresentation=0)
    signed = write_slices(tmp_path / "i", low, places, PixelRepresentation=1)
    for z in (1, 3):
        (high / f"{z:03d}.dcm").replace(folder / f"{z:03d}.dcm")
    (signed / "000.dcm").replace(folder / "000.dcm")
    image = read_case(folder).image
    assert np.array_equal(image[..., [1, 3]], VALUES[..., [1, 3]].astype(int) + 40000)
    assert np.array_equal(image[..., [0, 2, 4]], low[..., [0, 2, 4]])


def test_planes_beside_each_other_are_refused(tmp_path: Path) -> None:
    stored = VALUES.transpose(2, 1, 0)[:4]
    places = [(x, 0, z) for x in (0, 100) for z in (0, 5)]
    groups = [frame(place, (number,)) for number, place in enumerate(places, start=1)]
    with pytest.raises(InputError, match="planes at one height lie 100 mm apart"):
        read_case(write_frames(tmp_path / "a.dcm", stored, groups))
    groups = [frame((x, 0, 0), segment=number) for number, x in enumerate((0, 8), start=1)]
    masks = np.zeros((2, 7, 9), dtype=np.uint16)
    with pytest.raises(InputError, match="planes at one height lie 8 mm apart"):
        read_case(write_frames(tmp_path / "s.dcm", masks, groups, kind=SEGMENTATION))


@pytest.mark.parametrize("count", [3, 5])
def test_frames_without_a_group_of_their_own_are_refused(tmp_path: Path, count: int) -> None:
    groups = [frame((0, 0, 5 * z)) for z in range(count)]
    with pytest.raises(InputError, match="no positions, or not all of them"):
        read_case(write_frames(tmp_path / "a.dcm", VALUES.transpose(2, 1, 0)[:4], groups))


@pytest.mark.parametrize(
    "values, message",
    [
        ({"PhotometricInterpretation": "MONOCHROME1"}, "0 is white"),
        ({"RescaleSlope": "0"}, "their slope is 0"),
    ],
)
def test_meanings_that_readers_differ_in_are_refused(
    tmp_path: Path, values: dict[str, str], message: str
) -> None:
    meanings = [(0, 0)] if "RescaleSlope" in values else None
    values = {} if meanings else values
    folder = write_slices(
        tmp_path / "s", VALUES[:, :, :1], [(0, 0, 0)], meanings=meanings, **values
    )
    with pytest.raises(InputError, match=message):
        read_case(folder)
