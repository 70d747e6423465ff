"""BIDS folders: images are found, and the label maps of derivatives where they are clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from src_core.datasets.reading import read_dataset, read_images
from src_core.errors import InputError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.8.0"}')
    for name in (
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_T2w.nii.gz",
        "sub-01/func/sub-01_task-rest_bold.nii.gz",
        "sub-02/ses-b/anat/sub-02_ses-b_T1w.nii",
        "sub-02/ses-b/anat/sub-02_ses-b_T1w.json",
    ):
        add(tmp_path, name)
    return tmp_path


def add(home: Path, name: str) -> Path:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_anatomical_images_are_cases_of_their_subjects(home: Path) -> None:
    found = [(e.name, e.subject, e.labels) for e in read_dataset(home)]
    assert found == [
        ("sub-01_T1w", "sub-01", None),
        ("sub-01_T2w", "sub-01", None),
        ("sub-02_ses-b_T1w", "sub-02", None),
    ]
    assert [e.image.name for e in read_images(home)] == [
        f"{name}.nii.gz" for name, *_ in found[:2]
    ] + ["sub-02_ses-b_T1w.nii"]


def test_label_maps_are_found_by_the_image_s_name(home: Path) -> None:
    own = add(home, "derivatives/labels/sub-01/anat/sub-01_T2w_seg-manual.nii.gz")
    other = add(home, "derivatives/fs/sub-02/ses-b/anat/sub-02_ses-b_desc-aseg_dseg.nii.gz")
    add(home, "derivatives/fs/sub-02/ses-b/anat/sub-02_ses-b_desc-brain_T1w.nii.gz")
    add(home, "derivatives/fs/sub-02/ses-bb/anat/sub-02_ses-bb_dseg.nii.gz")
    labels = {e.name: e.labels for e in read_dataset(home)}
    assert labels == {"sub-01_T1w": None, "sub-01_T2w": own, "sub-02_ses-b_T1w": other}


def test_several_label_maps_of_an_image_are_not_guessed(home: Path) -> None:
    add(home, "derivatives/a/sub-01/anat/sub-01_T1w_dseg.nii.gz")
    add(home, "derivatives/b/sub-01/anat/sub-01_T1w_label-lesion_mask.nii.gz")
    with pytest.raises(InputError, match=r"2 label maps are of this image.*in a CSV"):
        read_dataset(home)


def test_a_data_set_without_anatomy_is_refused(home: Path) -> None:
    for path in home.glob("**/anat/*"):
        path.unlink()
    with pytest.raises(InputError, match="no anatomical images"):
        read_dataset(home)
