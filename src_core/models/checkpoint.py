"""Models as one safetensors file: weights, and the spec in its header. Nothing unpickles."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import nn

from src_core.errors import CommandName, InputError, Phrase
from src_core.io import open_atomically
from src_core.models.fit_file import FIT_KEY, model_digest, with_statistics
from src_core.models.image_fit import FitStatistics
from src_core.models.model import Model, ModelSpec, spec_error
from src_core.models.prediction import unfilled

__all__ = ["add_statistics", "file_digest", "load_file", "read_spec", "save_model"]

_KEY = "drdm"


def save_model(
    path: Path | str,
    spec: ModelSpec,
    network: nn.Module,
    dtype: torch.dtype = torch.float32,
    statistics: FitStatistics | None = None,
) -> Path:
    """Write a model file, all or nothing; ``float16`` halves it, in memory it is float32.

    ``statistics`` are those of the training images, for ``Model.fit_of``.
    """
    state = network.state_dict()
    tensors = {k: v.detach().cpu().to(dtype).contiguous() for k, v in state.items()}
    path = Path(path)
    with open_atomically(path) as file:
        content = save(tensors, metadata={_KEY: spec.model_dump_json()})
        file.write(with_statistics(content, statistics))
    return path


def add_statistics(path: Path | str, statistics: FitStatistics, out: Path | str) -> Path:
    """Write a model file with these statistics; weights, spec and digest stay as they are."""
    read_spec(path)
    content = with_statistics(Path(path).read_bytes(), statistics)
    with open_atomically(Path(out)) as file:
        file.write(content)
    return Path(out)


def file_digest(path: Path | str) -> str:
    """SHA-256 of a model file without statistics: recipes and runs know a model by it."""
    return model_digest(_existing(path).read_bytes())


def read_spec(path: Path | str) -> ModelSpec:
    """The spec in a model file's header; the weights stay on the disk.

    Raises:
        InputError: no such file, not a model of this package, or one of an unknown random field.
    """
    path = _existing(path)
    metadata = _metadata(path)
    try:
        return ModelSpec.model_validate(json.loads(metadata[_KEY]))
    except KeyError as error:
        raise _not_a_model(path, "its header has no DRDM spec") from error
    except json.JSONDecodeError as error:
        raise _not_a_model(path, "the spec in its header cannot be read") from error
    except ValidationError as error:
        raise spec_error(error, str(path)) or _not_a_model(
            path, "the spec in its header cannot be read"
        ) from error


def _metadata(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise _not_a_model(path, "the file is no safetensors") from error


def load_file(path: Path | str, device: torch.device) -> Model:
    """A model with its weights, in evaluation mode.

    Raises:
        InputError: not a model, or weights that do not fit its spec.
    """
    path, spec = _existing(path), read_spec(path)
    with torch.random.fork_rng(devices=[]):
        network = unfilled(spec.network)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _not_a_model(path, "the file cannot be read") from error
    try:
        network.load_state_dict(load(content))
    except RuntimeError as error:
        raise _not_a_model(path, "its weights do not fit its spec") from error
    network.eval().requires_grad_(False)
    text = _metadata(path).get(FIT_KEY)
    return Model(
        spec,
        network if device.type == "cpu" else network.to(device),
        device,
        model_digest(content),
        str(path.resolve()),
        FitStatistics.from_text(text) if text else None,
    )


def _existing(path: Path | str) -> Path:
    path = Path(path)
    if not path.is_file():
        raise InputError(
            "no such model", where=str(path), do=Phrase("see ", CommandName("models list"))
        )
    return path


def _not_a_model(path: Path, why: str) -> InputError:
    return InputError(
        f"not a model: {why}",
        where=str(path),
        expected="a model file (.safetensors)",
    )
