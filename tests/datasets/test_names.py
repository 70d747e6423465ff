"""Names of cases and what is printed of them: nothing leads out of a folder or moves a cursor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from src_core.cli import run as drdm
from src_core.datasets.reading import read_dataset
from src_core.errors import InputError
from tests.support.rings import save_ring

NAMES = ["/tmp/x", "../../x", "..", "a\\b", "a\x1b[31m", "a\nb", "x" * 201]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_a_table_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    save_ring(tmp_path, "a", 6)
    row = f'images/a.nii.gz,labels/a.nii.gz,"{name}"'
    (tmp_path / "set.csv").write_text(f"image,labels,name\n{row}\n", newline="")
    with pytest.raises(InputError, match="a case cannot be called"):
        read_dataset(tmp_path / "set.csv")


def test_a_name_in_nnunets_table_stays_in_its_folder(tmp_path: Path) -> None:
    save_ring(tmp_path, "a", 6)
    table = {"../../evil": {"images": ["images/a.nii.gz"], "label": "labels/a.nii.gz"}}
    facts = {"file_ending": ".nii.gz", "dataset": table}
    (tmp_path / "dataset.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match="a case cannot be called"):
        read_dataset(tmp_path)


def test_control_characters_are_not_printed(tmp_path: Path, capsys) -> None:
    assert drdm(["generate", str(tmp_path / "x\x1b[31m\x07.nii.gz")]) == 2
    said = capsys.readouterr().err
    assert "no such file" in said and "\x1b" not in said and "\x07" not in said


def test_json_nested_deep_is_one_line(tmp_path: Path, capsys) -> None:
    (tmp_path / "dataset.json").write_text("[" * 100_000 + "]" * 100_000)
    assert drdm(["augment", str(tmp_path), "--out", str(tmp_path / "o")]) == 2
    (tmp_path / "recipe.json").write_text("[" * 100_000 + "]" * 100_000)
    assert drdm(["replay", str(tmp_path / "recipe.json")]) == 2
    assert "unexpected" not in capsys.readouterr().err


def test_a_cell_without_end_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_text("image\n" + "x" * 200_000)
    with pytest.raises(InputError, match="the table cannot be read"):
        read_dataset(tmp_path / "set.csv")
