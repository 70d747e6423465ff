"""Every error this engine raises on purpose, under one base.

``InputError`` is for what a user handed in (files, options); ``ArgumentError`` for a wrong call.
Either reads as one clear line. An option is named by its field; the shell and the window write
that name in their own way (``Phrase.written``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = [
    "ArgumentError",
    "Cancelled",
    "CommandName",
    "DRDMError",
    "GeometryWarning",
    "InputError",
    "Name",
    "OptionName",
    "Phrase",
    "one_line",
]


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


class DRDMError(Exception):
    """Base of all errors of this package."""


class InputError(DRDMError, ValueError):
    """An input is wrong: one line ``what, where, expected ..., what to do``.

    Args:
        what: what is wrong, e.g. ``no such file``.
        where: the file it was found in.
        option: the option it was found in, by the name of its field.
        expected: what would have been right, without the word expected.
        do: what the user can do about it.

    Attributes:
        phrase: the line.
    """

    def __init__(
        self, what: str, *, where: str = "", option: str = "", expected: str = "", do: str = ""
    ) -> None:
        self.what, self.where, self.option = what, where, option
        self.expected, self.do = expected, do
        named = Phrase(OptionName(option)) if option else ""
        right = Phrase("expected ", expected) if expected else ""
        given = [part for part in (what.strip(), where.strip(), named, right, do) if part]
        commas = [part for one in given for part in (", ", one)]
        self.phrase = Phrase(*commas[1:]).in_one_line()
        super().__init__(str(self.phrase))

    def __reduce__(self) -> tuple[object, ...]:
        """Keyword arguments must survive pickling, as errors travel between worker processes."""
        names = ("where", "option", "expected", "do")
        return _rebuild, (self.what, {name: getattr(self, name) for name in names})


class ArgumentError(DRDMError, ValueError):
    """A function was called wrongly: names function, argument, what was expected, what came."""


class Cancelled(DRDMError):
    """The caller asked for the work to stop."""


class GeometryWarning(UserWarning):
    """The geometry is usable, but not by every other tool."""


def one_line(error: BaseException) -> Phrase:
    """An error in one line; those that are not ours with the name of their kind."""
    if isinstance(error, InputError):
        return error.phrase
    text = " ".join(str(error).split())
    if isinstance(error, DRDMError):
        return Phrase(text)
    return Phrase(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _joined(parts: list[str | Name] | tuple[str | Name, ...], write: Callable[[Name], str]) -> str:
    return "".join(part if isinstance(part, str) else write(part) for part in parts)


def _in_python(name: Name) -> str:
    if isinstance(name, CommandName):
        return f"drdm {name.name} {name.argument}".rstrip()
    return name.name if name.value is None else f"{name.name}={name.value!r}"


def _rebuild(what: str, fields: dict[str, str]) -> InputError:
    return InputError(what, **fields)
