"""What all new cases of a run have in common: names of channels and labels, and file types."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from src_core.datasets.described import IGNORE, Catalogue, is_described, read_catalogue
from src_core.datasets.entry import Entry
from src_core.errors import DRDMError, GeometryWarning
from src_core.io import FieldFormat, read_case
from src_core.io.formats import NIFTI, PNG, format_named, is_picture
from src_core.io.picture import count_channels

__all__ = ["Style", "make_style"]

_DESCRIBED = {"nnunet", "decathlon", "learn2reg"}
_COLOURS = ("red", "green", "blue", "opacity")


@dataclass(frozen=True)
class Style:
    """How new cases are written.

    Attributes:
        field_format: of displacement fields.
        title: of the data set, letters and digits.
        number: of an nnU-Net data set.
        catalogue: channels and labels, values as they are in the files.
        ending: of images in an nnU-Net data set.
    """

    field_format: FieldFormat = "itk"
    title: str = "Augmented"
    number: int = 500
    catalogue: Catalogue = field(default_factory=Catalogue)
    ending: str = NIFTI.endings[0]

    @property
    def codes(self) -> dict[int, int]:
        """nnU-Net wants 0, 1, 2, ..., ignore last: what each value of the files becomes there."""
        labels = self.catalogue.labels
        last = labels.get(IGNORE)
        values = sorted(values_of(labels), key=lambda value: (value == last, value))
        return {value: code for code, value in enumerate(values)}


def make_style(
    dataset: Path,
    entries: Sequence[Entry],
    formats: Iterable[str],
    number: int,
    field_format: FieldFormat,
) -> Style:
    """The style of a data set's new cases; reads its labels where nothing names their values.

    Raises:
        InputError: its ``dataset.json`` cannot be understood.
    """
    catalogue = read_catalogue(dataset) if is_described(dataset) else _undescribed(entries)
    if not catalogue.labels and _DESCRIBED & set(formats):
        found = sorted({0}.union(*(_values(e.labels) for e in entries if e.labels)))
        names = {"background": 0} | {f"label_{v}": v for v in found if v}
        catalogue = Catalogue(catalogue.channels, names, catalogue.others)
    pictures = all(format_named(p) is PNG for e in entries for p in e.images)
    home = dataset.resolve()
    title = re.sub(r"[^A-Za-z0-9]", "", (home.parent if home.suffix == ".json" else home).stem)
    ending = (PNG if pictures else NIFTI).endings[0]
    return Style(field_format, title or "Augmented", number, catalogue, ending)


def values_of(labels: Mapping[str, int | list[int]]) -> list[int]:
    """All values of labels and of regions, ascending."""
    each = [value if isinstance(value, list) else [value] for value in labels.values()]
    return sorted({0}.union(*each))


def _undescribed(entries: Sequence[Entry]) -> Catalogue:
    """Channels of a data set that nothing describes: those of its first picture, if in colour."""
    first = next((path for entry in entries for path in entry.images[:1]), None)
    count = count_channels(first) if first is not None and is_picture(first) else 1
    return Catalogue(_COLOURS[:count]) if count > 1 else Catalogue()


def _values(path: Path) -> set[int]:
    """Values of a label map; none of one that cannot be read, whose job fails later."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GeometryWarning)
            volume = read_case(path, spacing=1.0 if is_picture(path) else None).images[0]
    except (DRDMError, OSError):
        return set()
    slope, intercept = volume.scaling
    found: Any = np.rint(np.unique(volume.data) * slope + intercept)
    return set(found.astype(int).tolist())
