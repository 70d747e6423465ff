"""Where a model computes: what this machine offers, and the CPU where a device's memory runs out.

No Qt; torch is loaded late.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from src_core.errors import InputError

if TYPE_CHECKING:
    from src_core.models.model import Model

__all__ = [
    "Device",
    "FellBack",
    "ModelCache",
    "devices",
    "falling_back",
    "is_out_of_memory",
    "resolved",
]

_T = TypeVar("_T")
_R = TypeVar("_R")

_GIGABYTE = 1e9
_SAYINGS = ("out of memory", "not enough memory", "can't allocate memory", "alloc_failed")
_ADVICE = "take a smaller image or a region of it, or close other programs"


@dataclass(frozen=True)
class Device:
    """A device by the engine's name, such as ``cuda:0``, and in words."""

    name: str
    words: str


@dataclass(frozen=True)
class FellBack:
    """The rest of a run is on the CPU; ``message`` says why, in one line."""

    message: str


def devices() -> list[Device]:
    """``auto`` and what it would take, the CPU, and every accelerator of this machine."""
    import torch

    found = [Device("cpu", "CPU")]
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        facts = torch.cuda.get_device_properties(index)
        memory = f"{facts.total_memory / _GIGABYTE:.0f} GB"
        found.append(Device(f"cuda:{index}", f"{facts.name}, {memory}"))
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU"))
    taken = resolved("auto").split(":")[0]
    words = next(d.words for d in found if d.name.split(":")[0] == taken)
    return [Device("auto", f"auto ({words})"), *found]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device, or this machine, has no memory left."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(s in str(error).lower() for s in _SAYINGS)


def resolved(name: str) -> str:
    """The device that a name means here: ``auto`` is the one it would take.

    Raises:
        InputError: no such device here.
    """
    from src_core.models.device import choose_device

    return str(choose_device(name))


def falling_back(
    run: Callable[[str], Generator[_T, None, _R]],
    device: str,
    forget: Callable[[str], object] = lambda device: None,
) -> Generator[_T | FellBack, None, _R]:
    """What ``run(device)`` yields and returns; begun again on the CPU where memory runs out.

    Args:
        run: a generation on the device of a name.
        device: as ``resolved`` gives it.
        forget: drops what lies on the device, such as its models.

    Raises:
        InputError: the CPU's memory does not suffice either.
    """
    if device != "cpu":
        try:
            return (yield from run(device))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        # Past the handler: its traceback would keep the tensors of the run.
        forget(device)
        _release_memory()
        named = "The GPU" if device in ("cuda", "mps") else device
        yield FellBack(f"{named} ran out of memory, this run is on the CPU; to avoid it, {_ADVICE}")
    try:
        return (yield from run("cpu"))
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    raise InputError("this machine is out of memory", where="CPU", do=_ADVICE)


class ModelCache:
    """The last few models that were used, by file, time of change and device.

    Args:
        load: a model from its file, on the device of a name.
        most: how many are kept.
    """

    def __init__(self, load: Callable[[Path, str], Model] | None = None, most: int = 3) -> None:
        self._load, self._most = load or _load, most
        self._models: OrderedDict[tuple[str, int, str], Any] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._models)

    def get(self, path: Path, device: str) -> Model:
        """The model, loaded where it is not known or its file was changed.

        Raises:
            InputError: no such file, no model, or no such device.
        """
        try:
            key = (str(path.resolve()), path.stat().st_mtime_ns, device)
        except OSError as error:
            raise InputError(
                "the model's file is gone", where=str(path), do="choose another model"
            ) from error
        with self._lock:
            if key not in self._models:
                self._drop(lambda known: known[0] == key[0] and known[1] != key[1])
                self._models[key] = self._load(path, device)
            self._models.move_to_end(key)
            while len(self._models) > self._most:
                self._models.popitem(last=False)
            return self._models[key]

    def forget(self, device: str) -> None:
        """Drop the models on a device."""
        with self._lock:
            self._drop(lambda known: known[2] == device)

    def _drop(self, which: Callable[[tuple[str, int, str]], bool]) -> None:
        for key in [key for key in self._models if which(key)]:
            del self._models[key]


def _release_memory() -> None:
    """Free what torch keeps of a device's memory for later."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _load(path: Path, device: str) -> Model:
    from src_core.models.library import load_model

    return load_model(path, device)
