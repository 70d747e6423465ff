"""What the README and the docs show works: code is run, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    local = [t for t in targets if not t.startswith("http")]
    assert [t for t in local if not (page.parent / t).exists()] == []
    assert not re.search(r"\w@\w", page.read_text(encoding="utf-8")), "an address"


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGES[0].read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    assert (tmp_path / "new" / "recipe.json").exists()


def test_every_command_of_the_readme_exists(capsys: pytest.CaptureFixture[str]) -> None:
    from src_core.cli import run

    verbs = set(re.findall(r"drdm ([a-z]+) ?", PAGES[0].read_text(encoding="utf-8")))
    assert {"generate", "replay", "apply", "models", "train"} <= verbs
    for verb in sorted(verbs):
        assert run([verb, "--help"]) == 0, verb
    assert "Example" in capsys.readouterr().out
