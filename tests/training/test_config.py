"""Training configs: wrong ones are refused in one line, shipped ones can be trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from src_core.errors import InputError
from src_core.training import read_config, train
from tests.support.paths import ROOT
from tests.support.trainings import config

CONFIGS = ROOT / "resources" / "configs"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = 3", "name"),
        ("nme = 'x'", "Field required"),
        ("name = 'x'\n[schedule]\nlevels = 0", "schedule.levels"),
        ("name = 'x'\nunknown = 1", "unknown"),
        ("name = ", "not TOML"),
        ("name = 'x'\nsize = 250", "size 250 and control 64 do not fit"),
        ("name = 'x'\nsize = 128", "output has 16 points"),
        ("name = 'x'\n[network]\nkind = 'velocity-unet'\ngroups = 5", "multiples of groups"),
    ],
)
def test_a_wrong_config_is_reported_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read_config(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_configs_and_data_sets_are_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="config cannot be read"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(InputError, match="no such data set"):
        next(train(tmp_path / "none", config(), tmp_path / "run"))
    with pytest.raises(InputError, match="data set is empty"):
        next(train(tmp_path, config(), tmp_path / "run"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda p: p.stem)
def test_every_config_that_ships_can_be_trained(path: Path) -> None:
    config = read_config(path)
    assert config.curriculum[-1].until == 1.0
    assert config.licence and config.data
