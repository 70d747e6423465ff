"""Every error this engine raises on purpose, under one base.

``InputError`` is for what a user handed in (files, options); ``ArgumentError`` for a wrong call.
Either reads as one clear line.
"""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "Cancelled",
    "DRDMError",
    "GeometryWarning",
    "InputError",
    "one_line",
]


class DRDMError(Exception):
    """Base of all errors of this package."""


class InputError(DRDMError, ValueError):
    """An input is wrong: one line ``what, where, expected ..., what to do``.

    Args:
        what: what is wrong, e.g. ``no such file``.
        where: the file or option it was found in.
        expected: what would have been right, without the word expected.
        do: what the user can do about it.
    """

    def __init__(self, what: str, *, where: str = "", expected: str = "", do: str = "") -> None:
        self.what, self.where, self.expected, self.do = what, where, expected, do
        parts = (what, where, f"expected {expected}" if expected else "", do)
        super().__init__(", ".join(" ".join(part.split()) for part in parts if part))

    def __reduce__(self) -> tuple[object, ...]:
        """Keyword arguments must survive pickling, as errors travel between worker processes."""
        fields = {"where": self.where, "expected": self.expected, "do": self.do}
        return _rebuild, (self.what, fields)


class ArgumentError(DRDMError, ValueError):
    """A function was called wrongly: names function, argument, what was expected, what came."""


class Cancelled(DRDMError):
    """The caller asked for the work to stop."""


class GeometryWarning(UserWarning):
    """The geometry is usable, but not by every other tool."""


def one_line(error: BaseException) -> str:
    """An error in one line; those that are not ours with the name of their kind."""
    said = " ".join(str(error).split())
    if isinstance(error, DRDMError):
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _rebuild(what: str, fields: dict[str, str]) -> InputError:
    return InputError(what, **fields)
