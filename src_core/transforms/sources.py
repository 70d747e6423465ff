"""Where deformations come from: a model that generates them, or a bank of stored ones."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from src_core.models.library import find_model
from src_core.transforms.bank import Bank
from src_core.transforms.deformation import Deformation
from src_core.transforms.live import Live
from src_core.transforms.scan import Below, Scan

__all__ = ["Source", "as_source"]


class Source(Protocol):
    """Draws deformations: ``Live`` or ``Bank``."""

    def __call__(self, scan: Scan, below: Below) -> Deformation:
        """One for an image; every choice is made by ``below``."""


def as_source(source: Source | str | Path) -> Source:
    """A bank's folder, or a model's name or file, as a source; a source itself as it is.

    Raises:
        InputError: there is no such folder or model.
    """
    if not isinstance(source, (str, Path)):
        return source
    if Path(source).is_dir():
        return Bank(Path(source))
    find_model(source)
    return Live(source)
