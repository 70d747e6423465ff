"""Names of the layouts of new cases and pairs, and what is in each; ``layouts`` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from src_core.errors import InputError
from src_core.errors.options import TextForm

__all__ = [
    "CASE_LAYOUTS",
    "FORMATS",
    "PAIR_FORMATS",
    "PAIR_LAYOUTS",
    "FormatText",
    "format_form",
    "parse_formats",
]


@dataclass(frozen=True)
class FormatText:
    """What the window calls a layout, and what is in it."""

    label: str
    help: str


#: Layouts of new cases, then of pairs; the first of each is the default, and holds the most.
CASE_LAYOUTS = {
    "cases": FormatText(
        "case folders",
        "a folder for each new case: image, labels, field, inverse, Jacobian and recipe",
    ),
    "nifti": FormatText(
        "images and labels", "images/ and labels/ with equal names; fields in fields/"
    ),
    "nnunet": FormatText("nnU-Net", "a raw data set of nnU-Net v2"),
    "decathlon": FormatText("decathlon", "a dataset.json with imagesTr/ and labelsTr/"),
}
PAIR_LAYOUTS = {
    "pairs": FormatText("pair folders", "a folder for each pair"),
    "nifti": FormatText("images and labels", "moving/, fixed/, labels and fields"),
    "learn2reg": FormatText("Learn2Reg", "as the Learn2Reg challenge lists pairs"),
}
#: Names of the layouts of new cases.
FORMATS = tuple(CASE_LAYOUTS)
#: Names of the layouts of pairs; the first is the default.
PAIR_FORMATS = tuple(PAIR_LAYOUTS)


def parse_formats(text: str, known: tuple[str, ...] = FORMATS) -> tuple[str, ...]:
    """``cases,nifti`` as names of layouts, each once.

    Raises:
        InputError: one of them does not exist.
    """
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    for word in words:
        if word not in known:
            raise InputError(
                f"no format called {word or 'nothing'}",
                option="formats",
                expected=f"one or more of {', '.join(known)}, separated by commas",
            )
    return words


def format_form(known: Mapping[str, FormatText]) -> TextForm:
    """How one or more of these layouts are written in text."""
    names = tuple(known)
    listed = ", ".join(f"{name} ({text.help})" for name, text in known.items())
    return TextForm(
        lambda text: parse_formats(text, names),
        ",".join,
        f"one, or several separated by commas, of {listed}",
    )
