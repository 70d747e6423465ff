"""dataset.json as people have it: nnU-Net v1, v2 with leftovers of v1, regions that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from src_core.datasets.described import read_catalogue
from src_core.datasets.reading import read_dataset, read_images
from src_core.errors import InputError
from tests.support.rings import save_ring

CASES = ("1.3.6.1.4", "c2")
FIRST = {
    "modality": {"0": "T1", "1": "T2"},
    "labels": {"0": "background", "2": "wall", "3": "core"},
    "training": [
        {"image": f"./imagesTr/{c}.nii.gz", "label": f"./labelsTr/{c}.nii.gz"} for c in CASES
    ],
}
SECOND = {
    "channel_names": {"0": "T1", "1": "T2"},
    "labels": {"background": 0, "wall": 2, "core": 3},
    "file_ending": ".nii.gz",
}


def described(home: Path, facts: dict[str, Any]) -> Path:
    """Files as both versions of nnU-Net name them, two channels a case."""
    for case in CASES:
        save_ring(home, case, 6)
    (home / "labels").rename(home / "labelsTr")
    (home / "imagesTr").mkdir()
    for case in CASES:
        whole = (home / "images" / f"{case}.nii.gz").read_bytes()
        for channel in range(2):
            (home / "imagesTr" / f"{case}_{channel:04d}.nii.gz").write_bytes(whole)
    (home / "dataset.json").write_text(json.dumps(facts))
    return home


@pytest.mark.parametrize("facts", [SECOND, FIRST, {**FIRST, **SECOND}], ids=["v2", "v1", "both"])
def test_each_version_of_nnunet_has_the_same_cases(tmp_path: Path, facts: dict[str, Any]) -> None:
    home = described(tmp_path, facts)
    found = read_dataset(home)
    assert [e.name for e in found] == list(CASES)
    for entry in found:
        names = [f"{entry.name}_000{channel}.nii.gz" for channel in (0, 1)]
        assert [path.name for path in entry.images] == names
        assert entry.labels == home / "labelsTr" / f"{entry.name}.nii.gz"
    assert read_catalogue(home).channels == ("T1", "T2")
    assert read_catalogue(home).labels == {"background": 0, "wall": 2, "core": 3}
    assert [e.image.name for e in read_images(home)] == [f"{c}_0000.nii.gz" for c in CASES]


def test_the_decathlons_list_stays_the_decathlons(tmp_path: Path) -> None:
    home = described(tmp_path, FIRST)
    for case in CASES:
        (home / "images" / f"{case}.nii.gz").rename(home / "imagesTr" / f"{case}.nii.gz")
    assert [e.image.name for e in read_dataset(home)] == [f"{c}.nii.gz" for c in CASES]


@pytest.mark.parametrize(
    "order", [[[2, 3], 3], [2], [2, 3, 3], [2, 7], ["2", "3"], "23", [2, True]]
)
def test_an_order_of_regions_that_does_not_fit_is_refused(tmp_path: Path, order: Any) -> None:
    labels = {"background": 0, "whole": [2, 3], "core": 3, "ignore": 4}
    home = described(tmp_path, {**SECOND, "labels": labels, "regions_class_order": [2, 3]})
    assert read_catalogue(home).others == {"regions_class_order": [2, 3]}
    facts = {**SECOND, "labels": labels, "regions_class_order": order}
    (home / "dataset.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"regions_class_order.*one label value for each of whole"):
        read_catalogue(home)
