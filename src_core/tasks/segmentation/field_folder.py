"""Fields of cases in a folder: a file for each kind and case, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from src_core.errors import InputError
from src_core.io import open_atomically
from src_core.tasks.segmentation.methods import FieldKind

__all__ = ["CaseFields", "FieldFolder"]

_FACTS = "facts"


@dataclass(frozen=True, eq=False)
class CaseFields:
    """Fields of one kind and case.

    Attributes:
        fields: (T, 2, g, g) mm, half precision.
        means: (T,) mean length over the foreground, mm.
    """

    fields: Tensor
    means: Tensor


class FieldFolder:
    """Fields of the cases of a task.

    Args:
        path: the folder; made when something is written.
        facts: what the fields follow from, for each case by its name.
        further: what those of a kind follow from besides.
    """

    def __init__(
        self,
        path: Path,
        facts: dict[str, dict[str, Any]],
        further: Mapping[FieldKind, dict[str, Any]] | None = None,
    ) -> None:
        self._path, self._facts, self._further = path, facts, further or {}

    def has(self, kind: FieldKind, name: str) -> bool:
        """Whether a case's fields of a kind are there."""
        return self._file(kind, name).is_file()

    def read(self, kind: FieldKind, name: str) -> CaseFields:
        """The fields of a kind and case.

        Raises:
            InputError: they are of another model, data set or options.
        """
        path = self._file(kind, name)
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get(_FACTS) != self._text(kind, name):
                raise InputError(
                    "the deformations are of another model, data set or options",
                    where=str(path),
                    do="name another folder of fields, or remove this file",
                )
            return CaseFields(file.get_tensor("fields"), file.get_tensor("means"))

    def write(self, kind: FieldKind, name: str, made: CaseFields) -> None:
        """Keep the fields of a kind and case."""
        self._path.mkdir(parents=True, exist_ok=True)
        tensors = {"fields": made.fields.half().contiguous(), "means": made.means.float()}
        with open_atomically(self._file(kind, name)) as file:
            file.write(save(tensors, metadata={_FACTS: self._text(kind, name)}))

    def _file(self, kind: FieldKind, name: str) -> Path:
        return self._path / f"{name}-{kind}.safetensors"

    def _text(self, kind: FieldKind, name: str) -> str:
        return json.dumps({**self._facts[name], **self._further.get(kind, {})}, sort_keys=True)
