"""Options with several values in one text: a preset's name, changes to it, or both.

``small`` is a preset, ``small,shift=10`` changes it, ``shift=10,scale=0.9:1.1`` changes the first
preset.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, TypeVar

from src_core.errors import InputError

__all__ = ["parse_preset", "preset_text"]

_C = TypeVar("_C")
_SWITCH = {"on": True, "off": False}


def parse_preset(text: str, option: str, presets: Mapping[str, _C], form: str) -> _C | None:
    """The value of a text; None for ``none``.

    Args:
        text: as described above.
        option: the option it is given for.
        presets: values by name; the first is what changes without a name begin from.
        form: what is expected, for the error.

    Raises:
        InputError: it is not written so, or a value is not possible.
    """
    words = [word.strip() for word in text.split(",")]
    if words == ["none"]:
        return None
    chosen = next(iter(presets.values()))
    if words[0] in presets:
        chosen = presets[words.pop(0)]
    try:
        return _changed(chosen, dict(map(_pair, words)))
    except (TypeError, ValueError) as error:
        raise InputError(f"{text} is not possible", option=option, expected=form) from error


def preset_text(value: Any, presets: Mapping[str, Any], make: Callable[..., Any]) -> str:
    """A value, or its fields as a mapping, as ``parse_preset`` reads it."""
    given = make(**value) if isinstance(value, Mapping) else value
    for name, preset in presets.items():
        if given == preset:
            return name
    first = asdict(next(iter(presets.values())))
    return ",".join(f"{n}={_word(v)}" for n, v in asdict(given).items() if v != first[n])


def _changed(preset: _C, changes: Mapping[str, str]) -> _C:
    if not changes:
        return preset
    known = asdict(preset)  # type: ignore[call-overload]
    values = {name: _read(word, known[name]) for name, word in changes.items() if name in known}
    if len(values) < len(changes):
        raise ValueError("an unknown name")
    return replace(preset, **values)  # type: ignore[type-var]


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise ValueError("no value")
    return name.strip().replace("-", "_"), value.strip()


def _read(word: str, like: Any) -> Any:
    """A word as a value of the type of another."""
    if isinstance(like, bool):
        return _SWITCH.get(word, word)
    if isinstance(like, tuple):
        return tuple(float(part) for part in word.split(":"))
    return word if isinstance(like, str) else float(word)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ":".join(map(_word, value))
    return value if isinstance(value, str) else repr(value).removesuffix(".0")
