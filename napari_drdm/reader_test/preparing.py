"""A reader test made for a worker: how far it is, and how it ended. No Qt."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_drdm.messages import error_line
from src_core.errors import InputError
from src_core.errors.options import option_fields, parsed
from src_core.tasks.reader.options import ReaderRequest
from src_core.tasks.reader.plan import KEY, PLAN

if TYPE_CHECKING:
    from src_core.experiments.records import StageProgress

__all__ = ["PreparationEnd", "prepare_test", "request_of", "results_of"]


class PreparationEnd:
    """How it ended.

    Attributes:
        error: what went wrong; empty where all pictures were made.
    """

    def __init__(self, error: str = "") -> None:
        self.error = error


def request_of(values: dict[str, Any]) -> ReaderRequest:
    """The request of the form's values; a folder with an unfinished test is continued.

    Raises:
        InputError: something is missing or not possible.
    """
    if not str(values["real"]).strip():
        raise InputError("choose real images first")
    if not str(values["out"]).strip():
        raise InputError("choose a test folder first")
    given = {n: v for n, v in values.items() if v is not None}
    given["real"], given["out"] = (Path(str(given[n])).expanduser() for n in ("real", "out"))
    out: Path = given["out"]
    unfinished = (out / KEY / "run.json").is_file() and not (out / PLAN).is_file()
    return ReaderRequest(**parsed(option_fields(ReaderRequest), given), resume=unfinished)


def prepare_test(request: ReaderRequest) -> Generator[StageProgress, None, PreparationEnd]:
    """Make the pictures one by one; those that are made stay, whatever happens."""
    try:
        from src_core.tasks.table import TASKS
        from src_core.tasks.task import run_task

        yield from run_task(TASKS["reader"].prepare(request))
    except Exception as error:
        return PreparationEnd(error_line(error))
    return PreparationEnd()


def results_of(folder: Path) -> str:
    """Write the results of a test, and return its tables in Markdown.

    Raises:
        InputError: there is no test, it came without its key, or answers cannot be read.
    """
    from src_core.tasks.table import TASKS
    from src_core.tasks.task import run_task

    request = ReaderRequest(real=folder, out=folder, report_only=True)
    for _ in run_task(TASKS["reader"].prepare(request)):
        pass
    return (folder / "table.md").read_text(encoding="utf-8")
