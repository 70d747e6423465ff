"""What lies beyond the image: bytes after compressed data, one frame of labels for a cine."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from src_core.errors import InputError
from src_core.io import read_case, write_image

VALUES = np.random.default_rng(8).integers(0, 900, (9, 7, 5, 3), dtype=np.int16)
LABELS = (VALUES[..., :1] % 3).astype(np.uint8)


def saved(path: Path, values: np.ndarray) -> Path:
    nib.save(nib.Nifti1Image(values, np.diag([1.4, 1.2, 8, 1])), path)
    return path


@pytest.mark.parametrize("rest", [b"\0" * 600, b"\x1a rest", b"\x1f\x8b"])
def test_bytes_after_the_compressed_data_are_ignored_as_gzip_does(
    tmp_path: Path, rest: bytes
) -> None:
    path = saved(tmp_path / "a.nii.gz", VALUES)
    path.write_bytes(path.read_bytes() + rest)
    if rest == b"\x1f\x8b":
        with pytest.raises(InputError, match="end early or are damaged"):
            read_case(path)
    else:
        assert np.array_equal(read_case(path).image, VALUES)


def test_compressed_data_in_several_parts_are_one(tmp_path: Path) -> None:
    whole = gzip.decompress(saved(tmp_path / "a.nii.gz", VALUES).read_bytes())
    parts = gzip.compress(whole[:700]) + gzip.compress(whole[700:])
    (tmp_path / "b.nii.gz").write_bytes(parts)
    assert np.array_equal(read_case(tmp_path / "b.nii.gz").image, VALUES)


def test_a_wrong_checksum_is_refused_whatever_follows(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii.gz", VALUES)
    packed = path.read_bytes()
    path.write_bytes(packed[:-8] + b"\1\2\3\4" + packed[-4:] + b"rest")
    with pytest.raises(InputError, match="end early or are damaged"):
        read_case(path)


def test_labels_of_one_frame_are_those_of_all_frames(tmp_path: Path) -> None:
    image, labels = saved(tmp_path / "a.nii", VALUES), saved(tmp_path / "a_seg.nii", LABELS)
    case = read_case(image, labels)
    assert np.array_equal(case.label_map, LABELS[..., 0])
    write_image(tmp_path / "again.nii", case.label_map, case.labels[0])
    assert np.array_equal(nib.load(tmp_path / "again.nii").dataobj, LABELS[..., 0])


def test_labels_of_two_of_three_frames_are_refused(tmp_path: Path) -> None:
    image = saved(tmp_path / "a.nii", VALUES)
    labels = saved(tmp_path / "a_seg.nii", np.repeat(LABELS, 2, axis=-1))
    with pytest.raises(InputError, match="for all frames or for each"):
        read_case(image, labels)
