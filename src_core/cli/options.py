"""Options of the shell, made from the pydantic fields that describe them.

``with_options`` gives a verb a parameter for every field of a group; the verb gets each group as a
dictionary of values, those of text forms parsed.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import typer

from src_core.errors.options import OptionField, option_fields, parsed

__all__ = ["OptionGroup", "group", "options_of", "with_options"]


@dataclass(frozen=True)
class OptionGroup:
    """Options that a verb takes together.

    Attributes:
        options: by the name of their fields, in order.
        unset: those that are None where they are not given; their default is shown all the same.
    """

    options: Mapping[str, OptionField]
    unset: frozenset[str] = field(default_factory=frozenset)

    def values(self, given: dict[str, Any]) -> dict[str, Any]:
        """Values of these options, taken out of all that was given."""
        return parsed(self.options, {name: given.pop(name) for name in self.options})


def group(
    model: type,
    *names: str,
    leave_out: tuple[str, ...] = (),
    unset: tuple[str, ...] = (),
    **changes: OptionField,
) -> OptionGroup:
    """Fields of a pydantic model or dataclass: those named, or all but some.

    Args:
        model: the class.
        names: of its fields; all of them where none is named.
        leave_out: names that are left out.
        unset: names that are None where they are not given.
        changes: fields that the verb has otherwise, by name.
    """
    known = {**option_fields(model), **changes}
    taken = names or tuple(name for name in known if name not in leave_out)
    return OptionGroup({name: known[name] for name in taken}, frozenset(unset))


def with_options(**groups: OptionGroup) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A verb in whose signature each parameter with a group's name becomes that group's options."""

    def spread(verb: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(verb)
        def call(**given: Any) -> None:
            verb(**{name: g.values(given) for name, g in groups.items()}, **given)

        own = inspect.signature(verb, eval_str=True).parameters
        spread_out = [p for name, q in own.items() for p in _parameters(groups.get(name), q)]
        call.__signature__ = inspect.Signature(spread_out)  # type: ignore[attr-defined]
        call.__annotations__ = {p.name: p.annotation for p in spread_out}
        call.__groups__ = groups  # type: ignore[attr-defined]
        return call

    return spread


def options_of(verb: Callable[..., None]) -> dict[str, OptionField]:
    """The options of a verb that come from fields, by name."""
    groups: dict[str, OptionGroup] = getattr(verb, "__groups__", {})
    return {name: option for g in groups.values() for name, option in g.options.items()}


def _parameters(
    chosen: OptionGroup | None, parameter: inspect.Parameter
) -> list[inspect.Parameter]:
    """A parameter itself, or those of its group."""
    if chosen is None:
        return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
    return [_parameter(o, name in chosen.unset) for name, o in chosen.options.items()]


def _parameter(option: OptionField, unset: bool) -> inspect.Parameter:
    default = _default(option, unset)
    shown: Any = option.default_text if default is None else True
    declared = typer.Option(
        f"--{option.flag}",
        help=_help(option),
        rich_help_panel=option.display.panel or None,
        show_default=shown if option.kind is not bool else False,
    )
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[_type(option, default is None), declared],
    )


def _default(option: OptionField, unset: bool) -> Any:
    if option.required:
        return inspect.Parameter.empty
    if unset or option.default is None or option.default == ():
        return None
    return option.default if option.text is None else option.text.write(option.default)


def _type(option: OptionField, optional: bool) -> Any:
    kind: Any = Literal[option.choices] if option.choices else option.kind
    if option.text is not None and option.text.many:
        kind = list[str]
    return kind | None if optional else kind


def _help(option: OptionField) -> str:
    """What an option means, and its range where Typer does not show it."""
    text = option.help.rstrip(".")
    if option.text is not None:
        again = "; may be repeated" if option.text.many else ""
        return f"{text}: {option.range}{again}."
    bounded = option.least is not None or option.above is not None
    return f"{text} ({option.range})." if bounded else option.help
