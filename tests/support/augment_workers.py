"""Augmentations of three rings in every layout, in this process and as processes of the shell."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from src_core.augment import (
    Made,
    Request,
    augment,
    make_plan,
)
from src_core.models.model import Model

__all__ = [
    "DRDM",
    "FORMATS",
    "POSIX",
    "asked",
    "call",
    "done",
    "group_lives",
    "made_so_far",
    "of_the_run",
]


FORMATS = ("cases", "nifti", "nnunet", "decathlon")


POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


DRDM = [sys.executable, "-c", "import sys; from src_core.cli import main; main()"]


def asked(data: Path, out: Path, **others: object) -> Request:
    values = {"per_case": 3, "levels": (20, 60), "formats": FORMATS, "with_sources": True, **others}
    return Request(data, out, **values)  # type: ignore[arg-type]


def done(request: Request, model: Model) -> list[Made]:
    return list(augment(make_plan(request, model), model))


def call(data: Path, out: Path, file: Path, *words: str) -> list[str]:
    shown = ["augment", str(data), "--out", str(out), "--model", str(file), "--device", "cpu"]
    shown += ["--per-case", "3", "--levels", "20:60", "--format", ",".join(FORMATS)]
    return [*DRDM, *shown, "--with-sources", *words]


def of_the_run(files: dict[str, bytes]) -> dict[str, bytes]:
    """All but what the shell adds when all is over."""
    return {k: v for k, v in files.items() if k not in ("contact-sheet.png", "summary.html")}


def made_so_far(out: Path) -> int:
    path = out / "manifest.jsonl"
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def group_lives(leader: int) -> bool:
    """Whether a process of a session that is over still runs."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True
