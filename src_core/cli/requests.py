"""Commands made from a request: its fields are the arguments and options, in their order."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from src_core.cli.failures import resumable, terminable
from src_core.cli.options import group, with_options
from src_core.cli.report import progress
from src_core.errors.options import OptionField, option_fields

if TYPE_CHECKING:
    from src_core.experiments.records import StageProgress

__all__ = ["follow", "request_verb"]

_Json = Annotated[bool, typer.Option("--json", help="Print the results as JSON and nothing else.")]


def request_verb(
    request: type, arguments: Sequence[str], run: Callable[[Any, bool], None]
) -> Callable[..., None]:
    """A command of a request.

    Args:
        request: a class of options.
        arguments: names of the fields that are given by position.
        run: called with the request, and whether to print JSON.
    """

    def verb(options: dict[str, Any], json: bool = False, **positional: Any) -> None:
        run(request(**positional, **options), json)

    known, keyword = option_fields(request), inspect.Parameter.KEYWORD_ONLY
    parameters = [_argument(known[name]) for name in arguments]
    parameters.append(inspect.Parameter("options", keyword))
    parameters.append(inspect.Parameter("json", keyword, default=False, annotation=_Json))
    verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return with_options(options=group(request, leave_out=tuple(arguments)))(verb)


def follow(steps: Iterator[StageProgress]) -> None:
    """Do the steps of an experiment, with a progress bar for each of its stages."""
    for stage, some in groupby(steps, key=attrgetter("stage")):
        with resumable(), terminable(), progress(stage) as advance:
            for step in some:
                advance(step.done, step.total, step.words)


def _argument(option: OptionField) -> inspect.Parameter:
    kind: Any = option.kind
    annotation = Annotated[kind, typer.Argument(help=option.help)]
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
