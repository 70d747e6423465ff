"""Every error this engine raises on purpose, under one base.

``InputError`` is for what a user handed in (files, options); ``ArgumentError`` for a wrong call.
Either reads as one clear line. An option is named by its field; the shell and the window write
that name in their own way (``Phrase.written``).
"""

from __future__ import annotations

from src_core.errors.phrases import CommandName, Name, OptionName, Phrase

__all__ = [
    "ArgumentError",
    "Cancelled",
    "CommandName",
    "DRDMError",
    "GeometryWarning",
    "InputError",
    "IntensityWarning",
    "Name",
    "OptionName",
    "Phrase",
    "one_line",
]


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
    """The geometry is usable, but not by every other tool, or hardly."""


class IntensityWarning(UserWarning):
    """The intensities are usable, but little of them is left to a network."""


def one_line(error: BaseException) -> Phrase:
    """An error in one line; those that are not ours with the name of their kind."""
    if isinstance(error, InputError):
        return error.phrase
    text = " ".join(str(error).split())
    if isinstance(error, DRDMError):
        return Phrase(text)
    return Phrase(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _rebuild(what: str, fields: dict[str, str]) -> InputError:
    return InputError(what, **fields)
