"""The architecture page: the files, functions and imports that it names are there."""

from __future__ import annotations

import re
from copy import copy

import pytest

from src_core.augment import layouts
from src_core.diffusion import kinds
from src_core.io import formats
from src_core.models import prediction
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
#: Files that are made: by a reader, by a run; and patterns.
TO_MAKE = ("NAME", "*", "table.md")
PLUGIN_ROOMS = (
    "batch", "explorer", "field_tools", "layers", "overlays", "runs", "sessions", "variants"
)  # fmt: skip
ROOMS = {p.name for p in (ROOT / "src_core").iterdir() if (p / "__init__.py").is_file()}


def places(text: str) -> list[str]:
    """Paths in backticks, those of a room without their package."""
    found = re.findall(r"`([\w./*-]+/[\w./*-]*|[\w-]+\.(?:py|yaml|toml|md))`", text)
    return [path for path in found if not any(word in path for word in TO_MAKE)]


def is_there(path: str) -> bool:
    """Whether a path, or the end of one, is in the repository."""
    top, name = ROOT / path.rstrip("/"), path.rstrip("/")
    packages = (ROOT / "src_core", ROOT / "napari_drdm")
    return top.exists() or any(True for p in packages for _ in p.glob(f"**/{name}"))


def walks(text: str) -> list[tuple[str, str]]:
    """Functions and files of the tables with the columns step, function and file."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [(row[1], row[2]) for row in rows if len(row) == 3 and ".py`" in row[2]]


def missing_names(functions: str, files: str, before: list[str]) -> list[str]:
    """Functions of a row that none of its files defines; ``the same`` is the row before."""
    named = re.findall(r"`([\w./]+\.py)`", files) or before
    sources = [p.read_text("utf-8") for name in named for p in ROOT.glob(f"**/{name.lstrip('/')}")
               if "src_core" in p.parts]  # fmt: skip
    names = [name.split(".")[-1] for name in re.findall(r"`([\w.]+)`", functions)]
    pattern = r"^\s*(?:async )?(?:def|class) {}\b|^{} ="
    return [n for n in names
            if not any(re.search(pattern.format(n, n), s, re.M) for s in sources)]  # fmt: skip


def test_every_place_on_the_page_is_there() -> None:
    assert len(places(PAGE)) > 60
    assert [path for path in places(PAGE) if not is_there(path)] == []
    assert not is_there("src_core/nowhere.py")


def test_every_room_is_on_the_page() -> None:
    assert [room for room in ROOMS if f"`{room}/`" not in PAGE] == []
    assert [room for room in PLUGIN_ROOMS if f"`{room}`" not in PAGE] == []


def test_the_walks_name_functions_of_their_files() -> None:
    rows, before = walks(PAGE), [""]
    assert len(rows) > 12
    for functions, files in rows:
        assert missing_names(functions, files, before) == [], functions
        before = re.findall(r"`([\w./]+\.py)`", files) or before
    assert missing_names("`warp_case`", "`src_core/cases/case.py`", []) == ["warp_case"]


BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
TABLES = (
    (kinds, "RANDOM_FIELDS"),
    (prediction, "NETWORK_KINDS"),
    (formats, "_formats"),
    (layouts, "LAYOUTS"),
)


@pytest.mark.parametrize("block", [block for block in BLOCKS if "import" in block])
def test_examples_run_as_they_stand(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the tables that the engine keeps add one row; the overlay's is a row by itself."""
    before = {name: len(getattr(module, name)) for module, name in TABLES}
    for module, name in TABLES:
        monkeypatch.setattr(module, name, copy(getattr(module, name)))
    exec(compile(block, "architecture.md", "exec"), {"__name__": "example"})
    added = {name: len(getattr(module, name)) - before[name] for module, name in TABLES}
    assert sum(added.values()) == ("napari_drdm" not in block)


def test_every_kind_of_addition_has_a_test() -> None:
    doors = {path.stem for path in (ROOT / "tests").rglob("test_door_*.py")}
    names = ("random_field", "network", "overlay", "file_format", "task")
    assert {f"test_door_{kind}" for kind in names} <= doors
    named = set(re.findall(r"test_door_\w+", PAGE.replace("test_door_*", "")))
    assert {f"test_door_{kind}" for kind in names} <= named <= doors
