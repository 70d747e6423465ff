"""Every row of docs/formats.md names a test there is, and every kind and name of the code a row."""

from __future__ import annotations

import re

from src_core.io.field_kinds import FIELD_KINDS
from src_core.io.foreign_files import FOREIGN
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
FILES = dict(
    (letter, ROOT / file) for file, letter in re.findall(r"`(tests/[\w/.]+)`\s*\((\w)\)", PAGE)
)


def rows() -> list[list[str]]:
    """Cells of the rows that name a test."""
    tables = PAGE.partition("## Fields")[2]
    lines = [line for line in tables.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return [row for row in cells if row[0] != "format, program" and set(row[0]) != {"-"}]


def test_every_row_names_a_test() -> None:
    assert len(rows()) > 30 and len(FILES) >= 5
    named = re.findall(r"([A-Z]) `(test_\w+)`", PAGE)
    assert len(named) >= len(rows())
    for row in rows():
        assert re.fullmatch(r"[A-Z] `test_\w+`", row[-1]), row
    missing = [
        test for letter, test in named if f"def {test}(" not in FILES[letter].read_text("utf-8")
    ]
    assert missing == []


def test_every_kind_and_name_has_a_row() -> None:
    kinds = PAGE.partition("## Fields")[0]
    assert [k.name for k in FIELD_KINDS if f"`{k.name}`" not in kinds] == []
    shown = PAGE.lower()
    left = [endings for endings, _, _ in FOREIGN if not any(f"`{e}`" in shown for e in endings)]
    assert left == []
