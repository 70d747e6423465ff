"""The folder of a run: all of its files or none, and what was there stays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from src_core.errors import InputError
from src_core.io import OutputFolder


def write_two(path: Path, **options: bool) -> None:
    with OutputFolder(path, **options) as out:
        (out / "a.txt").write_text("a")
        (out / "deep").mkdir()
        (out / "deep" / "b.txt").write_text("b")


def listing(path: Path) -> dict[str, str]:
    return {f.relative_to(path).as_posix(): f.read_text() for f in path.rglob("*") if f.is_file()}


@pytest.mark.parametrize("existing", [False, True])
def test_files_appear_when_the_block_ends(existing: bool, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    if existing:
        out.mkdir(parents=True)
    write_two(out)
    assert listing(tmp_path) == {"new/out/a.txt": "a", "new/out/deep/b.txt": "b"}
    assert sorted(p.name for p in out.iterdir()) == ["a.txt", "deep"]


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_an_exception_leaves_nothing(
    existing: bool, kind: type[BaseException], tmp_path: Path
) -> None:
    out = tmp_path / "new" / "out"
    if existing:
        out.mkdir(parents=True)
    with pytest.raises(kind), OutputFolder(out) as partial:
        (partial / "a.txt").write_text("a")
        assert not (out / "a.txt").exists()
        raise kind
    assert [p.name for p in tmp_path.rglob("*")] == (["new", "out"] if existing else [])


def test_content_is_touched_only_on_demand(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        write_two(tmp_path)
    assert listing(tmp_path) == {"a.txt": "old", "mine.txt": "mine"}
    write_two(tmp_path, overwrite=True)
    assert listing(tmp_path) == {"a.txt": "a", "mine.txt": "mine", "deep/b.txt": "b"}


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"a\.txt exists already"), OutputFolder(out) as partial:
        (partial / "a.txt").write_text("ours")
        out.mkdir()
        (out / "a.txt").write_text("theirs")
    assert listing(tmp_path) == {"out/a.txt": "theirs"}


def test_a_move_that_fails_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def fails_on_b(source: Any, target: Any) -> None:
        if Path(target).name == "b.txt":
            raise OSError(28, "no space")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails_on_b)
    with pytest.raises(InputError, match="no space"):
        write_two(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    for path in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(InputError, match="file"):
            write_two(path)
    assert listing(tmp_path) == {"out": "mine"}


@pytest.mark.skipif(os.name != "posix", reason="folders have no mode on this system")
@pytest.mark.parametrize("below", ["", "new/out"])
def test_a_read_only_folder_is_refused_for_everyone(below: str, tmp_path: Path) -> None:
    home = tmp_path / "locked"
    home.mkdir()
    home.chmod(0o555)
    with pytest.raises(InputError) as caught:
        write_two(home / below)
    home.chmod(0o755)
    for word in ("read-only", str(home / below), "expected"):
        assert word in str(caught.value)
    assert not list(home.iterdir())
