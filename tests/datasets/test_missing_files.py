"""Data sets that name files which are not there: all of it refused, or only those cases."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from src_core.datasets.reading import read_dataset
from src_core.errors import InputError
from src_core.io import read_case
from tests.support.rings import save_ring

CASES = ("a", "b", "c")


def table(home: Path) -> Path:
    rows = [f"images/{n}.nii.gz,labels/{n}.nii.gz" for n in CASES]
    (home / "set.csv").write_text("\n".join(["image,labels", *rows]))
    return home / "set.csv"


def decathlon(home: Path) -> Path:
    rows = [{"image": f"images/{n}.nii.gz", "label": f"labels/{n}.nii.gz"} for n in CASES]
    (home / "dataset.json").write_text(json.dumps({"training": rows}))
    return home


def nnunet(home: Path) -> Path:
    rows = {n: {"images": [f"images/{n}.nii.gz"] * 2, "label": f"labels/{n}.nii.gz"} for n in CASES}
    (home / "dataset.json").write_text(json.dumps({"file_ending": ".nii.gz", "dataset": rows}))
    return home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in CASES:
        save_ring(tmp_path, name, 6)
    return tmp_path


@pytest.mark.parametrize("describe", [table, decathlon, nnunet])
@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_case_without_a_file_stops_all_or_itself(
    describe: Callable[[Path], Path], kind: str, home: Path
) -> None:
    dataset = describe(home)
    whole = read_dataset(dataset)
    assert read_dataset(dataset, absent="keep") == whole
    gone = home / kind / "b.nii.gz"
    gone.unlink()
    with pytest.raises(InputError, match=r"no such file.*b\.nii\.gz"):
        read_dataset(dataset)
    kept = read_dataset(dataset, absent="keep")
    assert kept == whole
    for entry in (kept[0], kept[2]):
        read_case(entry.images, entry.labels)
    with pytest.raises(InputError, match="no such file") as caught:
        read_case(kept[1].images, kept[1].labels)
    assert "\n" not in str(caught.value) and str(gone) in str(caught.value)


@pytest.mark.parametrize("describe", [table, decathlon, nnunet])
def test_a_data_set_without_any_image_is_none(describe: Callable[[Path], Path], home: Path) -> None:
    dataset = describe(home)
    for name in CASES:
        (home / "images" / f"{name}.nii.gz").unlink()
    with pytest.raises(InputError, match=r"no such file.*a\.nii\.gz"):
        read_dataset(dataset, absent="keep")


def test_a_row_that_names_no_image_is_refused_either_way(home: Path) -> None:
    (home / "set.csv").write_text("image,labels\nimages/a.nii.gz,\n,labels/b.nii.gz\n")
    with pytest.raises(InputError, match="line 3"):
        read_dataset(home / "set.csv", absent="keep")
