"""Models by name: those that ship, those the user imported, and any file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from platformdirs import user_data_path

from src_core.errors import CommandName, InputError, Phrase
from src_core.models.checkpoint import load_file, read_spec, save_model
from src_core.models.device import choose_device
from src_core.models.model import Model, ModelSpec
from src_core.models.options import DEFAULT_MODEL
from src_core.models.release import release_network, release_spec

__all__ = [
    "DEFAULT_MODEL",
    "ModelEntry",
    "find_model",
    "import_model",
    "list_models",
    "load_model",
    "remove_model",
    "user_folder",
]

_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be named: its file, its spec, and whether it came with the package."""

    name: str
    path: Path
    spec: ModelSpec
    shipped: bool


def user_folder() -> Path:
    """The folder of imported models, in the platform's data folder."""
    return user_data_path("napari-drdm", appauthor=False) / "models"


def list_models() -> list[ModelEntry]:
    """Shipped models, then the user's, each by name; files that are no models are passed over."""
    found = [*_models_in(_shipped_folder(), True), *_models_in(user_folder(), False)]
    names: dict[str, ModelEntry] = {}
    for entry in found:
        names.setdefault(entry.name, entry)
    return list(names.values())


def find_model(name: str | Path) -> Path:
    """The file of a model's name, or the file itself.

    Raises:
        InputError: no such model; the message lists those that there are.
    """
    path = Path(name)
    if path.suffix in (_SUFFIX, ".pth") or path.is_file():
        return path
    entries = list_models()
    for entry in entries:
        if entry.name == str(name):
            return entry.path
    known = ", ".join(entry.name for entry in entries) or "none yet"
    raise InputError(
        f"no model called {name}",
        option="model",
        expected=f"a file, or one of: {known}",
        do=Phrase("see ", CommandName("models list")),
    )


def load_model(name: str | Path = DEFAULT_MODEL, device: str = "auto") -> Model:
    """A model by name or file, ready on a device (auto, cpu, cuda, mps).

    Raises:
        InputError: no such model or device, or the file is no model.
    """
    path = find_model(name)
    if path.suffix == ".pth":
        raise InputError(
            "a .pth file must be imported first",
            where=str(path),
            do=Phrase("use ", CommandName("models import", str(path))),
        )
    return load_file(path, choose_device(device))


def import_model(path: str | Path, name: str | None = None) -> ModelEntry:
    """Add a model to the user's: a .safetensors of this package, or the published .pth.

    Raises:
        InputError: the file is no model, or its name is taken.
    """
    path = Path(path)
    published = path.suffix == ".pth"
    spec = release_spec() if published else read_spec(path)
    spec = spec.model_copy(update={"name": name}) if name else spec
    target = user_folder() / f"{_plain(spec.name)}{_SUFFIX}"
    if target.exists() or any(entry.name == spec.name for entry in list_models()):
        raise InputError(
            f"a model called {spec.name} is there already",
            where=str(path),
            option="name",
            do=Phrase(
                "give it another name, or remove the old one with ", CommandName("models remove")
            ),
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    if published:
        save_model(target, spec, release_network(path))
    else:
        model = load_file(path, choose_device("cpu"))
        save_model(target, spec, model.network, statistics=model.statistics)
    return ModelEntry(spec.name, target, spec, False)


def remove_model(name: str) -> Path:
    """Delete a model the user imported.

    Raises:
        InputError: no such model, or it came with the package.
    """
    for entry in list_models():
        if entry.name == name and entry.shipped:
            raise InputError(f"{name} came with the package", where="models remove", do="leave it")
        if entry.name == name:
            entry.path.unlink()
            return entry.path
    raise InputError(
        f"no model called {name}",
        where="models remove",
        do=Phrase("see ", CommandName("models list")),
    )


def _models_in(folder: Path, shipped: bool) -> list[ModelEntry]:
    entries = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else ():
        try:
            spec = read_spec(path)
        except InputError:
            continue
        entries.append(ModelEntry(spec.name, path, spec, shipped))
    return entries


def _shipped_folder() -> Path:
    return Path(str(resources.files("napari_drdm_resources")))


def _plain(name: str) -> str:
    """A name that is a file name everywhere."""
    kept = "".join(c if c.isalnum() or c in "-_." else "-" for c in name).strip(".")
    if not kept:
        raise InputError(f"{name!r} is no name for a model", option="name", expected="letters")
    return kept
