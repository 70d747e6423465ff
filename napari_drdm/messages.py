"""What the engine says, in the window's words: names of controls where it names a shell's flags."""

from __future__ import annotations

import re

from src_core.errors import one_line

__all__ = ["MAY_CHANGE", "in_window", "said"]

#: Of a run that is gone on with.
MAY_CHANGE = "Per case, Workers, Device and 'with the cases themselves' may change"

_ASIDE = re.compile(r" \(--[a-z][a-z-]*\)")
_FLAG = re.compile(r"(?<!\S)--([a-z][a-z-]*)")
_PHRASES = (
    (r"drdm apply", "Layers > Transform > Apply displacement field"),
    (r"run: drdm models import .*", "import it by Import… in the deformation explorer"),
    (r"a .safetensors file of drdm train or import", "a model file (.safetensors)"),
    (r"see drdm models list", "choose one of the list"),
    (
        r"give another with --name, or remove the old one: drdm models remove",
        "choose it in the list; to replace it delete its file, which its card names",
    ),
    (r"the same call, --per-case aside", f"the same choices as before; {MAY_CHANGE}"),
    (r"list it once, --per-case", "list it once, Per case"),
    (r"--split (\w+) leaves", r"\1 as Split leaves"),
    (r"or write --format nifti", "or tick images and labels as Layout"),
    (r"another --out", "another folder"),
    (r"leave --([a-z-]+) out", r"leave \1 out"),
)
_CONTROLS = {
    "format": "Layout",
    "min-mm": "Moves",
    "max-mm": "its highest",
    "max-volume-change": "Volumes",
    "out": "Output",
    "spacing": "Pixel",
}


def said(error: BaseException) -> str:
    """An error in one line."""
    return in_window(one_line(error))


def in_window(line: str) -> str:
    """A line without flags and verbs of the shell."""
    for pattern, words in _PHRASES:
        line = re.sub(pattern, words, line)
    return _FLAG.sub(_control, _ASIDE.sub("", line))


def _control(found: re.Match[str]) -> str:
    name = found[1]
    return _CONTROLS.get(name, name.replace("-", " ").capitalize())
