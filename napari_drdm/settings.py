"""What the docks remember from one session to the next, in the user's configuration folder.

One versioned JSON text for each, in an INI file that QSettings writes whole or not at all. What
cannot be read, or is of another version, counts as not there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

from annotated_types import Ge, Gt, Le
from platformdirs import user_config_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from src_core.augment.filters import Filters
from src_core.augment.formats import FORMATS
from src_core.augment.request import NOT_SHARED, Request
from src_core.errors.options import (
    BATCH,
    EXPLORER,
    Display,
    OptionField,
    option_field,
    same,
    shown_in,
)
from src_core.generation.options import Options
from src_core.io.json_text import parse_json
from src_core.models.options import ModelOptions

__all__ = [
    "Remembered",
    "RememberedBatch",
    "RememberedNames",
    "load_settings",
    "save_settings",
    "settings_file",
    "settings_from",
]


class _Kept(BaseModel):
    """What is kept, under a key of its own."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, protected_namespaces=())

    key: ClassVar[str]
    version: Literal[1] = 1


def _stored(*options: OptionField) -> Any:
    """A base with a field for each option, as its control shows it."""
    fields: dict[str, Any] = {option.name: _stored_field(option) for option in options}
    return create_model("_Stored", __base__=_Kept, **fields)


def _stored_field(option: OptionField) -> tuple[Any, Any]:
    kind: Any = Literal[option.choices] if option.choices else option.kind
    if option.kind is Path:
        kind = str
    bounds = ((option.least, Ge), (option.above, Gt), (option.most, Le))
    for mark in [bound(value) for value, bound in bounds if value is not None]:
        kind = Annotated[kind, mark]
    default = "" if option.required else option.default
    if option.text is not None and default is not None:
        default = option.written(default)
    return (kind | None if option.optional else kind), default


def _batch_fields() -> list[OptionField]:
    run = shown_in(BATCH, Request, ("dataset", "out", "formats", "options", "filters"))
    return [*run, *shown_in(BATCH, Filters), *shown_in(BATCH, Options, NOT_SHARED)]


if TYPE_CHECKING:

    class _StoredExplorer(_Kept): ...

    class _StoredBatch(_Kept): ...
else:
    _ONE = (option_field(Options, "level"), option_field(Options, "seed"))
    _StoredExplorer = _stored(*_ONE, *shown_in(EXPLORER, Options, NOT_SHARED))
    _StoredBatch = _stored(*_batch_fields())


class Remembered(_StoredExplorer):
    """The state of the explorer's form: its options, and what follows.

    Attributes:
        live: whether moving a control computes at once.
        shown: kinds of layers that are ticked; None for those ticked at first.
        style: of the overlays, by name: density, length and so on.
        export_folder: where the last export went.
        device: auto, cpu, cuda:N or mps.
        model: name of the model.
        memory: MB for results that are kept.
        offer_results: whether results can be chosen as images and labels.
    """

    key = "explorer"
    live: bool = True
    shown: frozenset[str] | None = None
    style: dict[str, bool | int | float | str] = Field(default_factory=dict)
    export_folder: str = ""
    device: str = same(ModelOptions, "device")
    model: str = ""
    memory: Annotated[int, Display(unit="MB")] = Field(
        default=512,
        ge=64,
        le=65_536,
        description="Memory for finished results and the steps of runs, which are shown again at "
        "once; the least recently used goes first.",
    )
    offer_results: Annotated[bool, Display(label="Offer results as sources")] = Field(
        default=False,
        description="Offer new images and labels in the lists of images and labels too, to deform "
        "them once more.",
    )


class RememberedBatch(_StoredBatch):
    """The state of the batch's form, by the engine's names; ``model`` by its name."""

    key = "batch"
    dataset: str = ""
    out: str = ""
    model: str = ""
    formats: tuple[str, ...] = FORMATS[:1]
    device: str = same(ModelOptions, "device")


class RememberedNames(_Kept):
    """Names that the user gave to labels: by label file, then by value as text."""

    key = "label-names"
    files: dict[str, dict[str, str]] = Field(default_factory=dict)


_K = TypeVar("_K", bound=_Kept)


def settings_file() -> Path:
    """The file, by the platform's custom."""
    return user_config_path("napari-drdm", appauthor=False) / "explorer.ini"


def load_settings(kind: type[_K]) -> _K:
    """What was remembered; a value that is not possible is the default."""
    text = _text_in(settings_file(), kind.key)
    try:
        values = parse_json(text) if text else {}
    except json.JSONDecodeError:
        return kind()
    if not isinstance(values, dict) or values.get("version") != 1:
        return kind()
    return settings_from(kind, values)


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


def _text_in(path: Path, key: str) -> str:
    from qtpy.QtCore import QSettings

    if not path.is_file():
        return ""
    value = QSettings(str(path), QSettings.Format.IniFormat).value(key, "")
    return value if isinstance(value, str) else ""


def settings_from(kind: type[_K], values: dict[str, Any]) -> _K:
    """Settings from JSON values; one that is not possible is the default."""
    try:
        return kind.model_validate_json(json.dumps(values))
    except ValidationError as error:
        wrong = {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
    kept = {name: value for name, value in values.items() if name not in wrong}
    return kind.model_validate_json(json.dumps(kept))
