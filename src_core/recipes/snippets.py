"""A result as text that makes the same bits again: Python, or one line for a shell.

Inputs, model, options and device are the recipe's. An input without a file is named as
the ``input.nii.gz`` that an export writes; ``Call.note`` says so.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src_core.errors import InputError
from src_core.errors.options import option_field
from src_core.generation.options import Options
from src_core.generation.run import Result
from src_core.generation.save import input_file
from src_core.io import FieldFormat
from src_core.models.library import list_models
from src_core.recipes.inputs_on_disk import picture_spacing, with_present_inputs, wrote

__all__ = ["Call", "call_of", "command_text", "plain_name", "python_text", "with_present_inputs"]

_PLAIN_ON_WINDOWS = re.compile(r"[\w.:\\/=+-]+", re.ASCII)
_NOT_IN_DOUBLE_QUOTES = frozenset("$`%“”„")


@dataclass(frozen=True)
class Call:
    """What both texts are written from.

    Attributes:
        title: what the result is, one line.
        images: files, the one that drives the model first.
        labels: files.
        spacing: mm of pictures, one number where X, Y and Z agree; None for NIfTI files.
        model: a name, or a file.
        options: level, seed, steps, and what differs from the defaults, by the engine's names.
        device: where it was computed.
        out: folder to write.
        field_format: of the fields that are written.
        note: what to do before it runs, or nothing.
    """

    title: str
    images: tuple[str, ...]
    labels: tuple[str, ...]
    spacing: float | tuple[float, ...] | None
    model: str
    options: Mapping[str, Any]
    device: str
    out: str
    field_format: FieldFormat = "itk"
    note: str = ""


def call_of(
    result: Result, exported: Path | str | None = None, field_format: FieldFormat = "itk"
) -> Call:
    """The call of a result; ``exported`` is its export's folder, if that still exists."""
    recipe, name = result.recipe, plain_name(result.source.name)
    options, arrays = _chosen_options(recipe["options"]), recipe["inputs"]["arrays"]
    unsaved = {n: array["sha256"] for n, array in arrays.items() if array["path"] is None}
    home = Path(exported).resolve() if exported and wrote(Path(exported), unsaved) else None
    files = {
        n: array["path"] or str((home or Path()) / input_file(n)) for n, array in arrays.items()
    }
    return Call(
        title=f"{name}: level {options['level']}, seed {options['seed']}",
        images=tuple(dict.fromkeys(p for n, p in files.items() if n.startswith("image"))),
        labels=tuple(path for n, path in files.items() if n.startswith("labels")),
        spacing=picture_spacing(result.source),
        model=_model_word(recipe["model"]),
        options=options,
        device=recipe["device"],
        out=f"{name}-L{options['level']}-S{options['seed']}",
        field_format=field_format,
        note=_note([input_file(n) for n in unsaved], home),
    )


def python_text(call: Call) -> str:
    """A script that makes the result and saves it."""
    images: Any = call.images[0] if len(call.images) == 1 else list(call.images)
    read = [repr(images)]
    if call.labels:
        labels: Any = call.labels[0] if len(call.labels) == 1 else list(call.labels)
        read.append(f"labels={labels!r}")
    if call.spacing:
        read.append(f"spacing={call.spacing!r}")
    options = "".join(f", {name}={value!r}" for name, value in call.options.items())
    written = "" if call.field_format == "itk" else f", field_format={call.field_format!r}"
    lines = [
        f"# {call.title}",
        *([f"# {call.note}"] if call.note else []),
        "import src_core as drdm",
        "",
        f"case = drdm.read_case({', '.join(read)})",
        f"model = drdm.load_model({call.model!r}, device={call.device!r})",
        f"result = drdm.generate(case, model{options})",
        f"drdm.save_result(result, {call.out!r}{written}, overwrite=True)"
        "  # files of a run before are replaced",
    ]
    return "\n".join(lines) + "\n"


def command_text(call: Call, windows: bool = os.name == "nt") -> str:
    """One line for a POSIX shell, or for PowerShell and cmd.

    Raises:
        InputError: pixels that are not square, for which the shell has no option.
    """
    words = ["drdm", "generate", *call.images]
    for path in call.labels:
        words += ["--labels", path]
    if isinstance(call.spacing, tuple):
        sides = " x ".join(f"{side:g}" for side in call.spacing)
        raise InputError(
            f"the shell has no option for pixels of {sides} mm",
            expected="one spacing",
            do="copy as Python instead",
        )
    if call.spacing:
        words += ["--spacing", repr(call.spacing)]
    words += ["--model", call.model]
    for name, value in call.options.items():
        words += _flagged(name, value)
    words += ["--device", call.device]
    if call.field_format != "itk":
        words += ["--field-format", call.field_format]
    quote = _quoted_on_windows if windows else shlex.quote
    return " ".join(quote(word) for word in [*words, "--out", call.out])


def plain_name(name: str) -> str:
    """A name that is a folder's anywhere: letters, digits, and ``-_.`` inside."""
    kept = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    return kept.strip("-.") or "drdm"


def _chosen_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Level, seed, steps (none at level 0), and what differs from the defaults."""
    chosen = {"level": options["level"], "seed": options["seed"]}
    if options["steps"]:
        chosen["steps"] = options["steps"]
    for name, field in Options.model_fields.items():
        value = options.get(name, field.default)
        if name not in ("level", "seed", "steps") and value != field.default:
            chosen[name] = value
    return chosen


def _note(files: list[str], home: Path | None) -> str:
    if not files:
        return ""
    named = " and ".join(files)
    if home:
        return f"The layers' values are in no file of their own: this reads {named} of the export."
    return (
        "The layers' values are in no file of their own: export the result, "
        f"then run this in its folder, where {named} will be."
    )


def _flagged(name: str, value: Any) -> list[str]:
    """An option as the shell takes it, such as ``--region 40:168,30:158,0:10``."""
    option = option_field(Options, name)
    flag, form = f"--{option.flag}", option.text
    if value is True:
        return [flag]
    if form is None:
        return [flag, str(value)]
    if form.many:  # recipes hold them as text
        return [word for one in value for word in (flag, one)]
    return [flag, form.write(value)]


def _model_word(model: Mapping[str, str]) -> str:
    """The model's name where it finds that very file, else the file."""
    found = [e.path for e in list_models() if e.name == model["name"]]
    same = bool(found) and found[0].resolve() == Path(model["file"])
    return model["name"] if same or not model["file"] else model["file"]


def _quoted_on_windows(word: str) -> str:
    """Double quotes do for PowerShell and cmd; words with ``$`` and the like for PowerShell alone.

    File names there hold no double quotes. A backslash before the closing quote must be doubled.
    """
    if _PLAIN_ON_WINDOWS.fullmatch(word):
        return word
    if _NOT_IN_DOUBLE_QUOTES & set(word):
        return "'" + re.sub("(['‘’‚‛])", r"\1\1", word) + "'"
    return '"' + re.sub(r"(\\+)$", r"\1\1", word) + '"'
