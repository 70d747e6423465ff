"""Options that the verbs over a data set share, written down once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from src_core.cli.parameters import (
    AllowFolds,
    Device,
    Format,
    Interpolation,
    LabelInterpolation,
    ModelName,
    Slices,
    Spacing,
    Steps,
)

if TYPE_CHECKING:
    from src_core.augment import Request

__all__ = ["Dataset", "RunFolder", "RunOptions", "with_run_options"]

_FILTERS, _SCALE = "Filters", "Scale"

Dataset = Annotated[
    Path,
    typer.Argument(
        help="A folder with images/ and labels/, a CSV (image, labels, subject, split), or "
        "an nnU-Net v2 raw or decathlon data set."
    ),
]
RunFolder = Annotated[Path, typer.Option("--out", help="Folder, absent or empty.")]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of ``drdm augment`` and ``drdm pairs`` alike."""

    seed: Annotated[int, typer.Option(help="Of all draws.")] = 1
    model: ModelName = "cardiac-sax"
    split: Annotated[str, typer.Option(help="Only the cases of this split of a CSV.")] = ""
    steps: Steps = None
    slices: Slices = "shared"
    interpolation: Interpolation = "linear"
    label_interpolation: LabelInterpolation = "linear"
    allow_folds: AllowFolds = False
    spacing: Spacing = None
    field_format: Format = "itk"
    min_mm: Annotated[
        float | None,
        typer.Option(help="Turn down what moves less, at its largest.", rich_help_panel=_FILTERS),
    ] = None
    max_mm: Annotated[
        float | None,
        typer.Option(help="Turn down what moves more, at its largest.", rich_help_panel=_FILTERS),
    ] = None
    max_volume_change: Annotated[
        float | None,
        typer.Option(
            help="Turn down a label's change of volume above so many %.", rich_help_panel=_FILTERS
        ),
    ] = None
    keep_labels: Annotated[
        bool,
        typer.Option(
            "--keep-labels", help="Turn down where a label is lost.", rich_help_panel=_FILTERS
        ),
    ] = False
    keep_whole: Annotated[
        bool,
        typer.Option(
            "--keep-whole", help="Turn down where a label is split.", rich_help_panel=_FILTERS
        ),
    ] = False
    retries: Annotated[
        int,
        typer.Option(
            help="Further seeds, at the same levels, for what is turned down.",
            rich_help_panel=_FILTERS,
        ),
    ] = 0
    workers: Annotated[
        int,
        typer.Option(
            help="Processes at work, one CPU thread each; the bits stay the same.",
            rich_help_panel=_SCALE,
        ),
    ] = 1
    dask: Annotated[
        str,
        typer.Option(
            help="Address of a Dask scheduler; its workers do the work.", rich_help_panel=_SCALE
        ),
    ] = ""
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the run stopped.", rich_help_panel=_SCALE)
    ] = False
    device: Device = "auto"
    json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON, nothing else.")] = (
        False
    )

    def request(self, **own: Any) -> Request:
        """A request with these options, and a verb's ``own``.

        Raises:
            InputError: a filter is not possible.
        """
        from src_core.augment import Filters, Request

        changed = (self.max_volume_change, self.keep_labels, self.keep_whole)
        return Request(
            seed=self.seed,
            options={
                "steps": self.steps,
                "slices": self.slices,
                "interpolation": self.interpolation,
                "label_interpolation": self.label_interpolation,
                "allow_folds": self.allow_folds,
            },
            field_format=self.field_format,
            spacing=self.spacing,
            split=self.split,
            resume=self.resume,
            filters=Filters(self.min_mm, self.max_mm, *changed, self.retries),
            workers=self.workers,
            dask=self.dask,
            **own,
        )


def with_run_options(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb whose parameter ``run`` is spread: each of its fields becomes an option for Typer."""
    names = [field.name for field in fields(RunOptions)]

    @functools.wraps(verb)
    def spread(**given: Any) -> None:
        run = RunOptions(**{name: given.pop(name) for name in names})
        verb(**given, run=run)

    hints = get_type_hints(RunOptions, include_extras=True)
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(RunOptions)
    ]
    own = [p for p in inspect.signature(verb, eval_str=True).parameters.values() if p.name != "run"]
    spread.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
    spread.__annotations__ = {p.name: p.annotation for p in (*own, *shared)}
    return spread
