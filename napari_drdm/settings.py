"""What the docks remember from one session to the next, in the user's configuration folder.

One versioned JSON text for each, in an INI file that QSettings writes whole or not at all. What
cannot be read, or is of another version, counts as not there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from platformdirs import user_config_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = ["Remembered", "RememberedBatch", "load_settings", "save_settings", "settings_file"]

_MOST_SEED = 2**31 - 1


class _Kept(BaseModel):
    """What is kept, under a key of its own."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, protected_namespaces=())

    key: ClassVar[str]
    version: Literal[1] = 1


class Remembered(_Kept):
    """The state of the explorer's form.

    Attributes:
        level: of the deformation.
        seed: of the draws.
        steps: of the recovery; None for the model's own.
        live: whether moving a control computes at once.
        shown: kinds of layers that are ticked; None for those ticked at first.
        style: of the overlays, by name: density, length and so on.
        export_folder: where the last export went.
        device: auto, cpu, cuda:N or mps.
        model: name of the model.
    """

    key = "explorer"
    level: int = Field(default=48, ge=0)
    seed: int = Field(default=1, ge=0, le=_MOST_SEED)
    steps: int | None = Field(default=None, ge=1)
    live: bool = True
    shown: frozenset[str] | None = None
    style: dict[str, bool | int | float | str] = Field(default_factory=dict)
    export_folder: str = ""
    device: str = "auto"
    model: str = ""


class RememberedBatch(_Kept):
    """The state of the batch's form, by the engine's names; ``model`` by its name."""

    key = "batch"
    dataset: str = ""
    out: str = ""
    model: str = ""
    levels: str = "30:70"
    per_case: int = Field(default=8, ge=1)
    seed: int = Field(default=1, ge=0, le=_MOST_SEED)
    formats: tuple[str, ...] = ("cases",)
    number: int = Field(default=500, ge=1, le=999)
    min_mm: float | None = Field(default=None, ge=0)
    max_mm: float | None = Field(default=None, ge=0)
    max_volume_change: float | None = Field(default=None, ge=0)
    keep_labels: bool = False
    keep_whole: bool = False
    retries: int = Field(default=0, ge=0)
    slices: str = "shared"
    steps: int | None = Field(default=None, ge=1)
    interpolation: str = "linear"
    label_interpolation: str = "linear"
    field_format: str = "itk"
    split: str = ""
    spacing: float | None = Field(default=None, ge=0)
    with_sources: bool = False
    device: str = "auto"
    workers: int = Field(default=1, ge=1)


_K = TypeVar("_K", bound=_Kept)


def settings_file() -> Path:
    """The file, by the platform's custom."""
    return user_config_path("napari-drdm", appauthor=False) / "explorer.ini"


def load_settings(kind: type[_K]) -> _K:
    """What was remembered; a value that is not possible is the default."""
    text = _stored(settings_file(), kind.key)
    try:
        values = json.loads(text) if text else {}
    except json.JSONDecodeError:
        return kind()
    if not isinstance(values, dict) or values.get("version") != 1:
        return kind()
    return _possible(kind, values)


def save_settings(remembered: _Kept) -> bool:
    """Write it down; False where the folder cannot be written, which is no reason to stop."""
    from qtpy.QtCore import QSettings

    path = settings_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    settings = QSettings(str(path), QSettings.Format.IniFormat)
    settings.setValue(remembered.key, remembered.model_dump_json())
    settings.sync()
    return bool(settings.status() == QSettings.Status.NoError)


def _stored(path: Path, key: str) -> str:
    from qtpy.QtCore import QSettings

    if not path.is_file():
        return ""
    value = QSettings(str(path), QSettings.Format.IniFormat).value(key, "")
    return value if isinstance(value, str) else ""


def _possible(kind: type[_K], values: dict[str, Any]) -> _K:
    """The settings without the values that are not possible."""
    try:
        return kind.model_validate_json(json.dumps(values))
    except ValidationError as error:
        wrong = {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
    kept = {name: value for name, value in values.items() if name not in wrong}
    return kind.model_validate_json(json.dumps(kept))
