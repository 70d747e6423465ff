"""What the engine reports, in the window's words: labels of controls for options and commands."""

from __future__ import annotations

from src_core.errors import CommandName, Name, OptionName, Phrase, one_line

__all__ = ["error_line", "in_window", "label_of"]

_COMMANDS = {
    "apply": "Layers > Transform > Apply displacement field",
    "augment": "Batch augmentation",
    "models list": "the list of models",
    "models import": "Import… in the deformation explorer",
    "models remove": "its file, which its card names",
}
_LABELS = {
    "formats": "Layout",
    "min_mm": "Moves",
    "max_mm": "the highest of Moves",
    "max_volume_change": "Volumes",
    "out": "Output",
    "spacing": "Pixel",
    "resume": "Start",
    "with_sources": "'with the cases themselves'",
}
_CHOICES = {("formats", "nifti"): "images and labels"}


def error_line(error: BaseException) -> str:
    """An error in one line."""
    return in_window(one_line(error))


def in_window(text: str) -> str:
    """A text with options and commands as the window calls them."""
    return text.written(_control) if isinstance(text, Phrase) else text


def label_of(option: str) -> str:
    """What the window calls an option."""
    return _LABELS.get(option, option.replace("_", " ").capitalize())


def _control(name: Name) -> str:
    if isinstance(name, CommandName):
        return _COMMANDS.get(name.name, name.name)
    label = label_of(name.name)
    if name.value is None or name.value is True:
        return label
    return f"{label}: {_choice(name)}"


def _choice(name: OptionName) -> str:
    return _CHOICES.get((name.name, str(name.value)), str(name.value))
