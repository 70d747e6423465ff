"""The request of a run over a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, InstanceOf

from src_core.augment.filters import Filters
from src_core.augment.formats import FORMATS, PAIR_FORMATS
from src_core.augment.levels import Levels, levels_text, parse_distribution
from src_core.augment.spreads import SPREAD_FORM, Spread, parse_spread, parse_spreads
from src_core.errors.options import Display, TextForm, option_class, same
from src_core.generation.options import Options
from src_core.io.options import FieldFormat, FileOptions

if TYPE_CHECKING:
    from src_core.augment.products import Product

__all__ = ["NOT_OF_PAIRS", "NOT_SHARED", "Request"]

#: Options of a generation that no run over a data set shares: drawn, or of one image.
NOT_SHARED = ("level", "seed", "region")
#: Options of a generation that pairs do not have: they would hide the field between the images.
NOT_OF_PAIRS = ("pose", "intensity", "targets")

_SCALE, _POPULATION = "Scale", "Population"
_LEVELS = "lowest:highest, a list such as 30,45=2,60 (weights), or 50~6 (normal)"


def _parse_between(text: str) -> Levels:
    return parse_distribution(text, "between")


@option_class
class Request:
    """A run over a data set; each option is described by its field.

    ``options`` hold for every generation, by the names of ``Options`` but level and seed. Pairs
    are made where ``between`` is given, new cases where it is None.
    """

    dataset: Annotated[Path, Display(label="Data set")] = Field(
        description="Labelled cases: a folder with images/ and labels/, a CSV (image, labels, "
        "subject, split), or an nnU-Net v2 raw or decathlon data set."
    )
    out: Annotated[Path, Display(label="Output")] = Field(description="Folder of the run.")
    per_case: int = Field(
        default=32, ge=1, description="New cases, or pairs, to make of every case."
    )
    levels: Annotated[Levels, TextForm(parse_distribution, levels_text, _LEVELS)] = Field(
        default=(30, 70),
        description="Deformation levels to draw from; for pairs, those of the moving image.",
    )
    between: Annotated[
        Levels | None,
        TextForm(_parse_between, levels_text, _LEVELS),
        Display(none="the same as levels", docks=()),
    ] = Field(
        default=None,
        description="Deformation levels to draw from, from the moving to the fixed image.",
    )
    spread: Annotated[
        tuple[InstanceOf[Spread], ...],
        BeforeValidator(parse_spreads),
        TextForm(parse_spread, str, SPREAD_FORM, many=True),
        Display(panel=_POPULATION, none="none"),
    ] = Field(
        default=(),
        description="Draw a measure of labels for each new case, uniformly from a range or from a "
        "normal distribution, as far as its source can reach it.",
    )
    like: Annotated[Path | None, Display(panel=_POPULATION, none="none")] = Field(
        default=None,
        description="Distribute sizes of labels and thickness of walls as in this labelled data "
        "set, as far as each source can reach it.",
    )
    seed: int = same(Options, "seed", description="Random seed of all draws.")
    formats: Annotated[tuple[str, ...], Display(label="Layout", flag="format")] = Field(
        default=(), description="Layout of the files."
    )
    options: Mapping[str, Any] = Field(
        default_factory=dict, description="Options of every generation."
    )
    field_format: FieldFormat = same(FileOptions, "field_format")
    spacing: float | None = same(FileOptions, "spacing")
    split: Annotated[str, Display(none="all")] = Field(
        default="", description="Use only the cases of this split, such as train."
    )
    resume: Annotated[bool, Display(panel=_SCALE, docks=())] = Field(
        default=False, description="Continue where the run stopped."
    )
    filters: Filters = Field(default_factory=Filters, description="Which new cases are kept.")
    with_sources: Annotated[bool, Display(label="Source cases too")] = Field(
        default=False, description="Also write every source case, as number 000."
    )
    number: Annotated[int, Display(flag="dataset-id")] = Field(
        default=500, ge=1, le=999, description="Number of an nnU-Net data set, as in Dataset500."
    )
    workers: Annotated[int, Display(panel=_SCALE)] = Field(
        default=1,
        ge=1,
        description="Number of processes, one CPU thread each; results stay the same to the bit.",
    )
    dask: Annotated[str, Display(panel=_SCALE, none="none", docks=())] = Field(
        default="", description="Address of a Dask scheduler whose workers do the work."
    )

    def __post_init__(self) -> None:
        if not self.formats:
            first = FORMATS[0] if self.between is None else PAIR_FORMATS[0]
            object.__setattr__(self, "formats", (first,))

    @property
    def product(self) -> Product:
        """What is made: new cases, or pairs."""
        from src_core.augment.products import CASES, PAIRS

        return CASES if self.between is None else PAIRS
