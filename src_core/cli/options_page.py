"""The page of options, made from the verbs: ``python -m src_core.cli.options_page FILE``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from typer.main import get_command

from src_core.augment.request import Request
from src_core.cli.app import app
from src_core.cli.options import options_of
from src_core.errors.options import BATCH, EXPLORER, OptionField, option_fields

__all__ = ["options_page"]

_HEAD = """<!-- made by `make options`: do not edit -->
# Options

Every verb of `drdm`, and its options. `drdm VERB --help` shows the same. In Python an option has
the name of its flag with underscores (`--max-mm` is `max_mm`), except `--format` (`formats`) and
`--dataset-id` (`number`). The last column is the label of the control in the window; an option
without one is not offered there.
"""
_DOCKS = {"generate": EXPLORER, "augment": BATCH}
_KINDS = {"bool": "on or off", "int": "a whole number", "float": "a number", "Path": "a path"}


def options_page() -> str:
    """The page, as Markdown."""
    return "\n".join([_HEAD, *_sections(get_command(app), ())])


def _sections(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    if not hasattr(command, "list_commands"):
        yield _section(command, path)
        return
    for name in command.list_commands(None):
        yield from _sections(command.get_command(None, name), (*path, name))


def _section(verb: Any, words: tuple[str, ...]) -> str:
    dock = _DOCKS.get(words[0], "")
    known = options_of(verb.callback)
    if dock == BATCH:
        known = {**option_fields(Request), **known}
    intro = " ".join((verb.help or "").split("Example:")[0].split())
    shown = f"{intro} In the window: the dock {dock}." if dock else intro
    columns = ["option", "meaning", "range", "default", *(["window"] if dock else [])]
    rows = [_row(p, known.get(p.name), dock) for p in verb.params if p.name != "help"]
    table = [columns, ["---"] * len(columns), *rows]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
    return "\n".join([f"## drdm {' '.join(words)}", "", shown, "", *lines, ""])


def _row(parameter: Any, option: OptionField | None, dock: str) -> list[str]:
    is_option = parameter.param_type_name == "option"
    name = parameter.opts[0] if is_option else parameter.name.upper()
    if option is None:
        cells = [parameter.help or "", _range(parameter), _default(parameter)]
    else:
        cells = [option.help, option.range, option.default_text]
    window = [option.label if option and dock in option.display.docks else ""] if dock else []
    return [f"`{name}`", *cells, *window]


def _range(parameter: Any) -> str:
    """The values of a parameter that no field describes."""
    annotation = parameter.type_descriptor.annotation
    if get_origin(annotation) is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if get_origin(annotation) is list:
        return "whole numbers" if get_args(annotation) == (int,) else "paths"
    return _KINDS.get(annotation.__name__, "text")


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter.default, bool):
        return "on" if parameter.default else "off"
    shown = parameter.show_default if isinstance(parameter.show_default, str) else "none"
    return shown if parameter.default is None else str(parameter.default)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(options_page(), encoding="utf-8", newline="\n")
