"""Models by name: imported, listed, loaded, removed; shipped ones stay."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from src_core.errors import InputError
from src_core.models.checkpoint import read_spec
from src_core.models.library import (
    find_model,
    import_model,
    list_models,
    load_model,
    remove_model,
    user_folder,
)
from tests.support.small_model import network


def test_a_user_s_model_is_imported_listed_loaded_and_removed(file: Path, user: Path) -> None:
    assert "small" not in {m.name for m in list_models()}
    entry = import_model(file)
    assert entry.path == user / "small.safetensors"
    assert [m.path for m in list_models() if m.name == "small"] == [entry.path]
    loaded = load_model("small", "cpu").network.state_dict()
    assert all(torch.equal(v, loaded[k]) for k, v in network().state_dict().items())
    with pytest.raises(InputError, match="a model called small is there already"):
        import_model(file)
    second = import_model(file, "small two/ü")
    assert second.path.parent == user and read_spec(second.path).name == "small two/ü"
    assert remove_model("small") == entry.path and not entry.path.exists()
    assert find_model("small two/ü") == second.path
    with pytest.raises(InputError, match="no model called small"):
        remove_model("small")


def test_other_files_among_the_user_s_models_are_passed_over(file: Path, user: Path) -> None:
    import_model(file)
    (user / "notes.txt").write_text("x")
    (user / "aaa.safetensors").write_bytes(b"no model")
    assert [m.name for m in list_models() if not m.shipped] == ["small"]


def test_shipped_models_stay(user: Path) -> None:
    for entry in [m for m in list_models() if m.shipped]:
        with pytest.raises(InputError, match="came with the package"):
            remove_model(entry.name)
        assert entry.path.exists()


def test_unknown_models_are_reported_with_the_known_ones(
    file: Path, user: Path, tmp_path: Path
) -> None:
    import_model(file)
    with pytest.raises(InputError, match=r"no model called nonesuch.*small"):
        load_model("nonesuch")
    with pytest.raises(InputError, match="no such model"):
        load_model(tmp_path / "nonesuch.safetensors")
    with pytest.raises(InputError, match="drdm models import"):
        load_model(tmp_path / "published.pth")
    with pytest.raises(InputError):
        import_model(tmp_path / "nonesuch.pth")


def test_a_name_never_leaves_the_user_s_folder(file: Path, user: Path) -> None:
    assert import_model(file, "../../up").path.parent == user
    with pytest.raises(InputError, match="is no name for a model"):
        import_model(file, "..")


def test_the_user_s_folder_is_the_platform_s() -> None:
    assert user_folder().parts[-2:] == ("napari-drdm", "models")


def test_names_that_make_one_file_name_do_not_overwrite_each_other(file: Path, user: Path) -> None:
    first = import_model(file, "a b").path.read_bytes()
    with pytest.raises(InputError, match="is there already"):
        import_model(file, "a/b")
    assert (user / "a-b.safetensors").read_bytes() == first
