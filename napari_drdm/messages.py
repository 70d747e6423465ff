"""What the engine reports, in the window's words: labels of controls for options and commands."""

from __future__ import annotations

from functools import cache

from src_core.augment.filters import Filters
from src_core.augment.formats import CASE_LAYOUTS
from src_core.augment.request import Request
from src_core.errors import CommandName, Name, OptionName, Phrase, one_line
from src_core.errors.options import OptionField, option_fields
from src_core.generation.options import Options
from src_core.io.options import FileOptions
from src_core.models.options import ModelOptions
from src_core.recipes.options import ApplyOptions

__all__ = ["error_line", "in_window", "label_of"]

_COMMANDS = {
    "apply": "Layers > Transform > Apply displacement field",
    "augment": "Batch augmentation",
    "models list": "the list of models",
    "models import": "Import… in the deformation explorer",
    "models remove": "its file, which its card names",
}
#: Buttons that do what an option of the shell does.
_BUTTONS = {"resume": "Start"}


def error_line(error: BaseException) -> str:
    """An error in one line."""
    return in_window(one_line(error))


def in_window(text: str) -> str:
    """A text with options and commands as the window calls them."""
    return text.written(_control) if isinstance(text, Phrase) else text


def label_of(option: str) -> str:
    """What the window calls an option."""
    known = _options()
    label = known[option].label if option in known else option.replace("_", " ").capitalize()
    return _BUTTONS.get(option, label)


@cache
def _options() -> dict[str, OptionField]:
    """Every option that a message of a window can name; those of a batch come first."""
    models = (ApplyOptions, Options, FileOptions, ModelOptions, Filters, Request)
    return {name: option for model in models for name, option in option_fields(model).items()}


def _control(name: Name) -> str:
    if isinstance(name, CommandName):
        return _COMMANDS.get(name.name, name.name)
    label = label_of(name.name)
    if name.value is None or name.value is True:
        return label
    return f"{label}: {_choice(name)}"


def _choice(name: OptionName) -> str:
    value = str(name.value)
    if name.name == "formats" and value in CASE_LAYOUTS:
        return CASE_LAYOUTS[value].label
    known = _options().get(name.name)
    return known.display.labels().get(value, value) if known else value
