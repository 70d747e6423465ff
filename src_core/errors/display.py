"""How an option is shown and written, for the ``Annotated`` of its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["BATCH", "EXPLORER", "Display", "TextForm"]

EXPLORER, BATCH = "Deformation explorer", "Batch augmentation"


@dataclass(frozen=True)
class Display:
    """How an option is shown; in a field's ``Annotated``.

    Attributes:
        label: of its control in the window; the name without.
        flag: of the shell, without dashes; the name without.
        panel: of the shell's help that lists it.
        none: what None means, in a few words.
        docks: docks of the window that can have a control for it.
        choices: what each value is called in the window; a function where they can become more.
        unit, decimals: of a number in the window.
    """

    label: str = ""
    flag: str = ""
    panel: str = ""
    none: str = ""
    docks: tuple[str, ...] = (EXPLORER, BATCH)
    choices: Mapping[str, str] | Callable[[], Mapping[str, str]] = field(default_factory=dict)
    unit: str = ""
    decimals: int = 1

    def labels(self) -> Mapping[str, str]:
        """What the window calls each value."""
        return self.choices() if callable(self.choices) else self.choices


@dataclass(frozen=True)
class TextForm:
    """How an option that is no single number or word is written, such as ``30:70``.

    Attributes:
        parse: the value of a text; raises ``InputError``.
        write: the text of a value.
        form: what the text looks like, in words.
        many: whether the option is a tuple of such values, each given by itself; in one text they
            have ``;`` between them.
    """

    parse: Callable[[str], Any]
    write: Callable[[Any], str]
    form: str
    many: bool = False
