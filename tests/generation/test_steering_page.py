"""The Python of docs/steering.md runs as it is written."""

from __future__ import annotations

import re
from typing import Any

from src_core.steering.targets import parse_target
from tests.support.paths import ROOT
from tests.support.ringed import ringed_case

PAGE = (ROOT / "docs" / "steering.md").read_text(encoding="utf-8")


def test_the_code_runs(model, capsys) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {"case": ringed_case(), "model": model}
    exec(code, names)
    lines = capsys.readouterr().out.splitlines()
    starts = zip(lines, ("volume 3", "hold 1"), strict=True)
    assert all(line.startswith(start) for line, start in starts)
    assert all(line.endswith("True") for line in lines)


def test_every_target_of_the_table_can_be_read() -> None:
    rows = [row.split("|")[1] for row in PAGE.splitlines() if row.startswith("| `")]
    texts = [text for row in rows for text in re.findall(r"`([^`]+)`", row)]
    assert len(texts) > 15
    for text in texts:
        assert parse_target(text).words
