"""Requests and outputs of augmentations of the three rings in tests/augment/conftest.py."""

from __future__ import annotations

import json
from pathlib import Path

from src_core.augment import Request
from src_core.cli import run

__all__ = ["FLOATS", "asked", "leftovers", "outputs", "shell"]


FLOATS = {"cases": 12 + 12 + 4, "nifti": 12}


def asked(data: Path, out: Path, **others: object) -> Request:
    values = {"per_case": 2, "levels": (20, 60), "formats": ("cases", "nifti"), **others}
    return Request(data, out, **values)  # type: ignore[arg-type]


def outputs(out: Path) -> dict[str, dict[str, str]]:
    """Digests of every array of every case, from the recipes."""
    recipes = sorted(out.glob("cases/*/recipe.json"))
    return {p.parent.name: json.loads(p.read_text())["outputs"] for p in recipes}


def leftovers(out: Path) -> list[Path]:
    return list(out.rglob("*.partial"))


def shell(data: Path, out: Path, file: Path, *words: str) -> int:
    call = ["augment", str(data), "--out", str(out), "--model", str(file), "--device", "cpu"]
    return run([*call, "--per-case", "1", *words])
