"""Options that experiments share, and the text forms of options that are lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from src_core.errors import InputError
from src_core.errors.options import Display, TextForm, option_class

__all__ = ["EachOnce", "RunOptions", "check_level", "names_form", "numbers_form"]

_T = TypeVar("_T")


@option_class
class RunOptions:
    """What to do with an earlier run in the folder."""

    resume: Annotated[bool, Display(docks=())] = Field(
        default=False, description="Continue where the run stopped; what is measured is kept."
    )
    overwrite: Annotated[bool, Display(docks=())] = Field(
        default=False, description="Discard the run in the folder and begin again."
    )


def _each_once(values: tuple[_T, ...]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))


#: In a tuple's ``Annotated``: a value given twice counts once.
EachOnce = AfterValidator(_each_once)


def names_form(possible: Iterable[str]) -> TextForm:
    """Names from a list, separated by commas."""

    def parse(text: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in text.split(","))

    return TextForm(parse, ",".join, "one or more of " + ", ".join(possible))


def numbers_form(option: str, form: str = "whole numbers, separated by commas") -> TextForm:
    """Whole numbers separated by commas."""

    def parse(text: str) -> tuple[int, ...]:
        try:
            return tuple(int(word) for word in text.split(","))
        except ValueError as error:
            raise InputError(f"{text} is not possible", option=option, expected=form) from error

    def write(values: Sequence[int]) -> str:
        return ",".join(map(str, values))

    return TextForm(parse, write, form)


def check_level(option: str, level: int, highest: int) -> None:
    """Refuse a level that a model does not have.

    Raises:
        InputError: it is not 1 to the highest.
    """
    if not 1 <= level <= highest:
        raise InputError(f"{level} is not possible", option=option, expected=f"1 to {highest}")
