"""Which bank a training of nnU-Net draws from: the environment, else a file beside its data."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from src_core.errors import InputError

__all__ = ["BANK", "FILE", "PROBABILITY", "BankSettings", "read_settings"]

BANK, PROBABILITY = "DRDM_BANK", "DRDM_PROBABILITY"
FILE = "drdm.json"


class BankSettings(BaseModel):
    """What ``nnUNetTrainerDRDM`` needs to know beyond nnU-Net's plans."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bank: Path = Field(description="Folder of a bank, or of an augmented data set.")
    probability: float = Field(0.5, ge=0, le=1, description="Of a deformation, for each sample.")


def read_settings(folder: Path, environment: Mapping[str, str] = os.environ) -> BankSettings:
    """The settings of a data set that nnU-Net preprocessed; the environment comes first.

    Args:
        folder: nnU-Net's preprocessed data set, which may hold ``drdm.json``.
        environment: may hold ``DRDM_BANK`` and ``DRDM_PROBABILITY``.

    Raises:
        InputError: no bank is named, or a value is not possible.
    """
    file = folder / FILE
    given = {"bank": environment.get(BANK), "probability": environment.get(PROBABILITY)}
    values = {**_stored(file), **{key: value for key, value in given.items() if value}}
    if not values.get("bank"):
        raise InputError(
            "no bank of deformations is named",
            expected=f"its folder in the environment variable {BANK}, or bank in {file}",
        )
    try:
        return BankSettings.model_validate(values)
    except ValidationError as error:
        wrong = error.errors()[0]
        name = ".".join(map(str, wrong["loc"]))
        raise InputError(
            f"{name} {wrong['input']!r} is not possible",
            where=f"{BANK}, {PROBABILITY} or {file}",
            expected="bank, a folder, and probability, 0 to 1",
        ) from error


def _stored(file: Path) -> dict[str, Any]:
    """What the file says; its bank's path starts where the file lies."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError("this file cannot be read", where=str(file), expected="JSON") from error
    if not isinstance(values, dict):
        raise InputError("this is no JSON object", where=str(file), expected='{"bank": "..."}')
    if isinstance(values.get("bank"), str):
        values["bank"] = str(file.parent / values["bank"])
    return values
