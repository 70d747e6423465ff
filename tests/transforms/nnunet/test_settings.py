"""Bank and probability of a training: the environment, else ``drdm.json``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from src_core.errors import InputError
from src_core.transforms.nnunet import TRAINERS
from src_core.transforms.nnunet.settings import read_settings


def stored(folder: Path, values: Any) -> Path:
    (folder / "drdm.json").write_text(json.dumps(values), encoding="utf-8")
    return folder


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    stored(tmp_path, {"bank": "bank", "probability": 0.25})
    kept = read_settings(tmp_path, {})
    assert (kept.bank, kept.probability) == (tmp_path / "bank", 0.25)
    kept = read_settings(tmp_path, {"DRDM_BANK": "other"})
    assert (kept.bank, kept.probability) == (Path("other"), 0.25)
    kept = read_settings(tmp_path, {"DRDM_PROBABILITY": "1"})
    assert (kept.bank, kept.probability) == (tmp_path / "bank", 1)
    assert read_settings(stored(tmp_path, {}), {"DRDM_BANK": "/b"}).probability == 0.5


@pytest.mark.parametrize(
    ("values", "environment", "message"),
    [
        ({}, {}, "no bank of deformations is named, expected its folder in the environment "
         "variable DRDM_BANK, or bank in .*drdm.json"),
        ({"bank": "b"}, {"DRDM_PROBABILITY": "1.5"}, "probability '1.5' is not possible"),
        ({"bank": "b", "probability": -1}, {}, "probability -1 is not possible"),
        ({"bank": "b", "levels": 3}, {}, "levels 3 is not possible"),
        ({"bank": 7}, {}, "bank 7 is not possible"),
        ([], {}, "this is no JSON object"),
    ],
)  # fmt: skip
def test_what_is_not_possible_is_named(
    tmp_path: Path, values: Any, environment: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_settings(stored(tmp_path, values), environment)


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "drdm.json").write_text("bank", encoding="utf-8")
    with pytest.raises(InputError, match=r"cannot be read, .*drdm\.json"):
        read_settings(tmp_path, {})


def test_the_folder_that_nnunet_looks_into_is_printed() -> None:
    words = [sys.executable, "-m", "src_core.transforms.nnunet"]
    ran = subprocess.run(words, capture_output=True, encoding="utf-8", check=True)
    assert ran.stdout.strip() == str(TRAINERS)
    (module,) = TRAINERS.glob("[!_]*.py")
    assert "nnUNetTrainerDRDM" in module.read_text("utf-8")
