"""The downstream tasks, a row each. A task's own modules are imported when it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from src_core.tasks.reader.options import ReaderRequest
from src_core.tasks.registration.options import RegistrationRequest
from src_core.tasks.segmentation.options import SegmentationRequest
from src_core.tasks.steering.options import SteeringRequest

if TYPE_CHECKING:
    from src_core.tasks.task import PreparedTask

__all__ = ["TASKS", "Task"]


@dataclass(frozen=True)
class Task:
    """A downstream task, run by ``drdm task NAME``.

    Attributes:
        name: of the command.
        help: of the command, with an example.
        request: class of its options, with a field ``out``: the folder of the run.
        prepare: checks a request, and opens the folder.
        arguments: fields of the request that are given by position.
    """

    name: str
    help: str
    request: type
    prepare: Callable[[Any], PreparedTask]
    arguments: tuple[str, ...] = ("train", "test")


def _imported(module: str, name: str) -> Callable[[Any], PreparedTask]:
    """A class or function of a module, which is imported when it is called."""
    return lambda request: getattr(import_module(module), name)(request)


def _registration(request: RegistrationRequest) -> PreparedTask:
    if request.report_only:
        return _imported("src_core.tasks.registration.saved", "SavedRegistration")(request)
    return _imported("src_core.tasks.registration.run", "PreparedRegistration")(request)


def _reader(request: ReaderRequest) -> PreparedTask:
    if request.report_only:
        return _imported("src_core.tasks.reader.saved", "SavedReaderTest")(request)
    return _imported("src_core.tasks.reader.run", "PreparedReaderTest")(request)


_ROWS = (
    Task(
        "segmentation",
        "The paper's Table 2: a U-Net trained on few labels, augmented by several methods.\n\n"
        "Example: drdm task segmentation acdc.csv acdc.csv --subjects 1,5 --subsets 5 --out few",
        SegmentationRequest,
        _imported("src_core.tasks.segmentation.run", "PreparedSegmentation"),
    ),
    Task(
        "registration",
        "The paper's Table 3: VoxelMorph trained on synthetic pairs, and on real ones.\n\n"
        "Example: drdm task registration acdc.csv acdc.csv --part 0.5 --out registered",
        RegistrationRequest,
        _registration,
    ),
    Task(
        "steering",
        "Targets asked and got, and how plausible the new cases are that have them.\n\n"
        "Example: drdm task steering acdc.csv --cases 20 --seeds 5 --slice middle --out steered",
        SteeringRequest,
        _imported("src_core.tasks.steering.run", "PreparedSteering"),
        ("test",),
    ),
    Task(
        "reader",
        "A test for people: which images are real? Prepares it, and reports the answers.\n\n"
        "Example: drdm task reader acdc.csv --questions 20 --out test",
        ReaderRequest,
        _reader,
        ("real",),
    ),
)
TASKS = {row.name: row for row in _ROWS}
