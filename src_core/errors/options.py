"""Options as pydantic fields: the one source of an option's name, range, default and help.

The shell, the window, remembered settings and the page of options read an ``OptionField``.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, TypeVar, dataclass_transform

from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass

from src_core.errors import InputError
from src_core.errors.display import BATCH, EXPLORER, Display, TextForm
from src_core.errors.option_fields import (
    OptionField,
    field_infos,
    option_field,
    option_fields,
    parsed,
    shown_in,
)

__all__ = [
    "BATCH",
    "EXPLORER",
    "Display",
    "OptionField",
    "TextForm",
    "input_error",
    "option_class",
    "option_field",
    "option_fields",
    "parsed",
    "refuse_booleans",
    "same",
    "shown_in",
]


def same(model: type, name: str, **changes: Any) -> Any:
    """The field of another model, for an option that is the same; with another help or default."""
    info = copy.copy(field_infos(model)[name])
    for attribute, value in changes.items():
        setattr(info, attribute, value)
    return info


def input_error(error: ValidationError, model: type, values: Mapping[str, Any]) -> InputError:
    """The first fault as an ``InputError`` that names the option, and what is possible."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        return cause
    name = str(first["loc"][0]) if first["loc"] else ""
    infos = field_infos(model)
    if name not in infos:
        known = ", ".join(infos)
        return InputError("there is no such option", option=name, expected=f"one of: {known}")
    possible = option_field(model, name).range
    given = values.get(name) if len(first["loc"]) == 1 else first["input"]
    return InputError(f"{given} is not possible", option=name, expected=possible)


def refuse_booleans(model: type, values: Any) -> None:
    """Refuse True and False for an option that is a number, which pydantic would take as 1 and 0.

    Raises:
        InputError: there is one.
    """
    infos = field_infos(model)
    for name, value in values.items() if isinstance(values, Mapping) else ():
        if isinstance(value, bool) and name in infos:
            option = option_field(model, name)
            if option.kind in (int, float):
                raise InputError(f"{value} is not possible", option=name, expected=option.range)


_C = TypeVar("_C", bound=type)


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def option_class(cls: _C) -> _C:
    """A frozen dataclass of options: a value that is not possible is an ``InputError``."""
    made: Any = pydantic_dataclass(frozen=True, config=ConfigDict(extra="forbid"))(cls)
    validated = made.__init__

    def checked(self: Any, *args: Any, **values: Any) -> None:
        names = list(field_infos(made))
        if len(args) > len(names):
            raise TypeError(f"{made.__name__} takes {len(names)} arguments, got {len(args)}")
        given = dict(zip(names, args, strict=False))
        refuse_booleans(made, {**given, **values})
        try:
            validated(self, **given, **values)
        except ValidationError as error:
            raise input_error(error, made, {**given, **values}) from error

    checked.__doc__ = validated.__doc__
    made.__init__ = checked
    return made
