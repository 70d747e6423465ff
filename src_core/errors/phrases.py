"""Text that names options and commands, which each face writes in its own way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["CommandName", "Name", "OptionName", "Phrase", "printable"]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """Text whose control characters a terminal would obey, such as in a file's name, replaced."""
    return _CONTROL.sub("\ufffd", text)


@dataclass(frozen=True)
class OptionName:
    """An option in a message, by the name of its field, with a value it could have."""

    name: str
    value: object = None


@dataclass(frozen=True)
class CommandName:
    """A command in a message, such as ``models list``, with its argument."""

    name: str
    argument: str = ""


Name = OptionName | CommandName


class Phrase(str):
    """Text that may name options and commands; as a ``str`` it reads as Python users need it.

    Args:
        parts: text and names, written one after the other.
    """

    parts: tuple[str | Name, ...]

    def __new__(cls, *parts: str | Name) -> Phrase:
        """A phrase of these parts; those of a phrase among them become its own."""
        flat: list[str | Name] = []
        for part in parts:
            flat += part.parts if isinstance(part, Phrase) else [part]
        phrase = super().__new__(cls, _joined(flat, _in_python))
        phrase.parts = tuple(flat)
        return phrase

    def __getnewargs__(self) -> tuple[str | Name, ...]:  # type: ignore[override]
        """Names survive pickling, as errors travel between worker processes."""
        return self.parts

    def in_one_line(self) -> Phrase:
        """The same without line breaks and repeated spaces."""
        squeezed = (re.sub(r"\s+", " ", p) if isinstance(p, str) else p for p in self.parts)
        return Phrase(*squeezed)

    def written(self, write: Callable[[Name], str]) -> str:
        """The text with each name as ``write`` has it."""
        return _joined(self.parts, write)


def _joined(parts: list[str | Name] | tuple[str | Name, ...], write: Callable[[Name], str]) -> str:
    return "".join(part if isinstance(part, str) else write(part) for part in parts)


def _in_python(name: Name) -> str:
    if isinstance(name, CommandName):
        return f"drdm {name.name} {name.argument}".rstrip()
    return name.name if name.value is None else f"{name.name}={name.value!r}"
