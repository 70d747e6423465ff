"""Options as pydantic fields: the one source of an option's name, range, default and help.

The shell, the window, remembered settings and the page of options read an ``OptionField``.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, dataclass_transform, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic.fields import FieldInfo

from src_core.errors import InputError

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
    "same",
]

EXPLORER, BATCH = "Deformation explorer", "Batch augmentation"


@dataclass(frozen=True)
class Display:
    """How an option is shown; in a field's ``Annotated``.

    Attributes:
        label: of its control in the window; the name without.
        flag: of the shell, without dashes; the name without.
        panel: of the shell's help that lists it.
        none: what None stands for, in a few words.
        docks: docks of the window that can have a control for it.
        choices: what each value is called in the window.
        unit: of a number.
    """

    label: str = ""
    flag: str = ""
    panel: str = ""
    none: str = ""
    docks: tuple[str, ...] = (EXPLORER, BATCH)
    choices: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""


@dataclass(frozen=True)
class TextForm:
    """How an option that is no single number or word is written, such as ``30:70``.

    Attributes:
        parse: the value of a text; raises ``InputError``.
        write: the text of a value.
        form: what the text looks like, in words.
    """

    parse: Callable[[str], Any]
    write: Callable[[Any], str]
    form: str


@dataclass(frozen=True)
class OptionField:
    """An option, as read from its field.

    Attributes:
        name: of the field.
        help: what it means, in a sentence.
        default: its value where none is given; ``required`` where there is no such value.
        kind: bool, int, float, str or Path; str too where there is a text form.
        optional: whether it may be None.
        least, most: bounds of a number, both possible; None where there is none.
        above: a bound that is itself too small, or None.
        step: what a whole number must be a multiple of, or None.
        choices: the values it can have, where they are few.
        display: how it is shown.
        text: how it is written, where it is no single number or word.
    """

    name: str
    help: str
    default: Any
    required: bool
    kind: type
    optional: bool
    least: float | None
    most: int | None
    above: float | None
    step: int | None
    choices: tuple[str, ...]
    display: Display
    text: TextForm | None

    @property
    def label(self) -> str:
        """What the window calls it."""
        return self.display.label or self.name.replace("_", " ").capitalize()

    @property
    def flag(self) -> str:
        """What the shell calls it, without dashes."""
        return self.display.flag or self.name.replace("_", "-")

    @property
    def range(self) -> str:
        """The values that are possible, in words."""
        if self.text is not None:
            return self.text.form
        if self.choices:
            return " or ".join(filter(None, (", ".join(self.choices[:-1]), self.choices[-1])))
        return _range(self) if self.kind in (int, float) else _KINDS[self.kind]

    @property
    def default_text(self) -> str:
        """The default, in words."""
        if self.required:
            return "required"
        if self.default is None or self.default == "":
            return self.display.none or "none"
        if isinstance(self.default, bool):
            return "on" if self.default else "off"
        return self.written(self.default)

    def written(self, value: Any) -> str:
        """A value as text."""
        return self.text.write(value) if self.text is not None else str(value)


_KINDS = {bool: "on or off", str: "text", Path: "a path"}
_NUMBERS = {int: "a whole number", float: "a number"}
#: The largest number that is written out.
_LARGE = 2**31 - 1


def option_fields(model: type) -> dict[str, OptionField]:
    """The options of a pydantic model or dataclass, by name, in order."""
    return {name: _read(name, info) for name, info in _infos(model).items()}


def option_field(model: type, name: str) -> OptionField:
    """One option of a pydantic model or dataclass."""
    return _read(name, _infos(model)[name])


def same(model: type, name: str, **changes: Any) -> Any:
    """The field of another model, for an option that is the same; with another help or default."""
    info = copy.copy(_infos(model)[name])
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
    infos = _infos(model)
    if name not in infos:
        known = ", ".join(infos)
        return InputError("there is no such option", option=name, expected=f"one of: {known}")
    given = values.get(name) if len(first["loc"]) == 1 else first["input"]
    possible = _read(name, infos[name]).range
    return InputError(f"{given} is not possible", option=name, expected=possible)


_C = TypeVar("_C", bound=type)


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def option_class(cls: _C) -> _C:
    """A frozen dataclass of options: a value that is not possible is an ``InputError``."""
    made: Any = pydantic_dataclass(frozen=True, config=ConfigDict(extra="forbid"))(cls)
    validated = made.__init__

    def checked(self: Any, *args: Any, **values: Any) -> None:
        names = list(_infos(made))
        if len(args) > len(names):
            raise TypeError(f"{made.__name__} takes {len(names)} arguments, got {len(args)}")
        given = dict(zip(names, args, strict=False))
        try:
            validated(self, **given, **values)
        except ValidationError as error:
            raise input_error(error, made, {**given, **values}) from error

    checked.__doc__ = validated.__doc__
    made.__init__ = checked
    return made


def _infos(model: type) -> dict[str, FieldInfo]:
    return model.__pydantic_fields__  # type: ignore[attr-defined]


def _read(name: str, info: FieldInfo) -> OptionField:
    marks = info.metadata
    kind, optional, choices = _kind(info.annotation)
    text = _first(marks, TextForm)
    return OptionField(
        name=name,
        help=info.description or "",
        default=info.get_default(call_default_factory=True, validated_data={}),
        required=info.is_required(),
        kind=str if text else kind,
        optional=optional,
        least=getattr(_first(marks, Ge), "ge", None),
        most=_most(marks),
        above=getattr(_first(marks, Gt), "gt", None),
        step=getattr(_first(marks, MultipleOf), "multiple_of", None),
        choices=choices,
        display=_first(marks, Display) or Display(),
        text=text,
    )


def _kind(annotation: Any) -> tuple[type, bool, tuple[str, ...]]:
    """The type of a value, whether it may be None, and its choices."""
    parts = [annotation]
    if get_origin(annotation) in (Union, types.UnionType):
        parts = list(get_args(annotation))
    whole = [part for part in parts if part is not type(None)]
    choices = get_args(whole[0]) if get_origin(whole[0]) is Literal else ()
    known = whole[0] if whole[0] in (bool, int, float, str, Path) else str
    return known, len(whole) < len(parts), choices


def _most(marks: list[Any]) -> int | None:
    below: Any = _first(marks, Lt)
    return below.lt - 1 if below else getattr(_first(marks, Le), "le", None)


def _range(option: OptionField) -> str:
    if option.step is not None:
        return f"a multiple of {option.step}, {option.least or option.step} or more"
    if option.above is not None:
        most = "" if option.most is None else f", at most {option.most:g}"
        return f"more than {option.above:g}{most}"
    if option.most is not None:
        if option.most >= _LARGE:
            return f"a whole number from {option.least or 0} to 2^{option.most.bit_length()} - 1"
        return f"{option.least or 0} to {option.most}"
    return _NUMBERS[option.kind] if option.least is None else f"{option.least:g} or more"


_M = TypeVar("_M")


def _first(marks: list[Any], kind: type[_M]) -> _M | None:
    return next((mark for mark in marks if isinstance(mark, kind)), None)
