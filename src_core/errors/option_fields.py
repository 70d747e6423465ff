"""An option as every face needs it, read from the pydantic field that describes it."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic.fields import FieldInfo

from src_core.errors.display import Display, TextForm

__all__ = ["OptionField", "field_infos", "option_field", "option_fields", "parsed", "shown_in"]


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
        if self.default is None or self.default in ("", ()):
            return self.display.none or "none"
        if isinstance(self.default, bool):
            return "on" if self.default else "off"
        return self.written(self.default)

    def written(self, value: Any) -> str:
        """A value as text."""
        if self.text is None:
            return str(value)
        return "; ".join(map(self.text.write, value)) if self.text.many else self.text.write(value)


_KINDS = {bool: "on or off", str: "text", Path: "a path"}
_NUMBERS = {int: "a whole number", float: "a number"}
#: The largest number that is written out.
_LARGE = 2**31 - 1


def option_fields(model: type) -> dict[str, OptionField]:
    """The options of a pydantic model or dataclass, by name, in order."""
    return {name: _read(name, info) for name, info in field_infos(model).items()}


def option_field(model: type, name: str) -> OptionField:
    """One option of a pydantic model or dataclass."""
    return _read(name, field_infos(model)[name])


def shown_in(dock: str, model: type, leave_out: tuple[str, ...] = ()) -> list[OptionField]:
    """The options of a pydantic model or dataclass that a dock of the window has a row for."""
    options = option_fields(model).values()
    return [o for o in options if dock in o.display.docks and o.name not in leave_out]


def parsed(options: Mapping[str, OptionField], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with those read that are the text of an option; an empty text is None.

    Raises:
        InputError: a text is not written as it should be.
    """
    return {n: _parsed(options[n], v) if n in options else v for n, v in values.items()}


def field_infos(model: type) -> dict[str, FieldInfo]:
    """The fields of a pydantic model or dataclass, by name."""
    return model.__pydantic_fields__  # type: ignore[attr-defined]


def _read(name: str, info: FieldInfo) -> OptionField:
    marks = info.metadata
    kind, optional, choices = _kind(info.annotation)
    text, display = _first(marks, TextForm), _first(marks, Display) or Display()
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
        choices=choices or tuple(display.labels()),
        display=display,
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


def _parsed(option: OptionField, value: Any) -> Any:
    if option.text is None:
        return value
    if option.text.many:
        given = value.split(";") if isinstance(value, str) else value or ()
        kept = [one for one in given if not isinstance(one, str) or one.strip()]
        return tuple(option.text.parse(one) if isinstance(one, str) else one for one in kept)
    if not isinstance(value, str):
        return value
    return option.text.parse(value) if value.strip() else None


_M = TypeVar("_M")


def _first(marks: list[Any], kind: type[_M]) -> _M | None:
    return next((mark for mark in marks if isinstance(mark, kind)), None)
