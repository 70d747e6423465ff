"""Loops over voxels, compiled for this machine by numba at their first use and kept on disk.

The compiled code lies in ``__pycache__`` beside the source, or in the user's cache folder where
that is read-only. A lock there lets one process compile while others wait. Stored code is valid
for the sources of its folder: a kernel calls no function of another folder.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from threading import RLock
from typing import Any, Generic, ParamSpec

from filelock import FileLock

__all__ = ["COMPILING", "Kernel", "available", "compiling", "helper", "kernel", "kernels", "ready"]

_P = ParamSpec("_P")
_log = logging.getLogger(__name__)
_lock = RLock()
_helpers: list[Callable[..., Any]] = []
_WAIT = 120.0
#: Reported once, before the first kernel is compiled.
COMPILING = "compiling loops for this machine, once: up to half a minute"


class Kernel(Generic[_P]):
    """A function whose loops are compiled for given types of its arguments.

    ``function`` is the same in plain Python. A call compiles it, or raises what numba raises:
    callers ask ``ready`` first.
    """

    def __init__(self, function: Callable[_P, None], signatures: tuple[str, ...]) -> None:
        self.function = function
        self.signatures = signatures
        self._compiled: Callable[..., None] | None = None
        self._failed = False

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Run the compiled loops; Python's global lock is released meanwhile."""
        if self._compiled is None:
            with _lock:
                self._compiled = self._compiled or _compile(self)
        self._compiled(*args, **kwargs)

    def ready(self) -> bool:
        """Whether the kernel can be called; compiles it at first, and reports a failure once."""
        if self._compiled is not None:
            return True
        if self._failed or not available():
            return False
        try:
            with _lock:
                self._compiled = self._compiled or _compile(self)
        except Exception as error:  # whatever numba or the disk raises, PyTorch can do it too
            self._failed = True
            _log.warning("%s is slower, by PyTorch: numba reported %s", self.name, error)
        return self._compiled is not None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__


def kernel(*signatures: str) -> Callable[[Callable[_P, None]], Kernel[_P]]:
    """Declare a kernel by numba's signatures, such as ``void(float32[::1], int64)``."""
    return lambda function: Kernel(function, signatures)


def kernels(
    signature: str, *types: str, **written: str
) -> Callable[[Callable[_P, None]], dict[str, Kernel[_P]]]:
    """Declare a kernel for several types of its input, each compiled when it is first needed.

    Args:
        signature: with ``{t}`` for the type of the input and ``{o}`` for that of the output.
        types: whose output has the same type.
        written: types whose output has another, and which: ``int16="float32"``.

    Returns:
        The kernel of each type, by NumPy's name of it.
    """
    pairs = {**{one: one for one in types}, **written}
    texts = {one: signature.format(t=one, o=other) for one, other in pairs.items()}
    return lambda function: {one: Kernel(function, (text,)) for one, text in texts.items()}


def helper(function: Callable[..., Any]) -> Any:
    """Declare a function that the kernels of its file call."""
    _helpers.append(function)
    return function


def ready(*kernels: Kernel[Any]) -> bool:
    """Whether all these kernels can be called."""
    return all(one.ready() for one in kernels)


@cache
def available() -> bool:
    """Whether numba can be used at all; if not, this is reported once."""
    try:
        import numba
    except Exception as error:  # a broken installation raises more than ImportError
        _log.warning("some work is slower, by PyTorch: numba is unavailable: %s", error)
        return False
    if getattr(numba.config, "DISABLE_JIT", False):
        _log.warning("some work is slower, by PyTorch: NUMBA_DISABLE_JIT is set")
        return False
    return True


def _compile(one: Kernel[Any]) -> Callable[..., None]:
    """The compiled function, from the disk if it is there, and anew if that is damaged."""
    try:
        with _without_collection():
            return _compiled(one)
    except (EOFError, OSError, ValueError, UnpicklingError) as error:
        _log.warning("compiling %s again: its stored code is damaged: %s", one.name, error)
        _drop(one)
        return _compiled(one)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Compiling makes many objects and no cycles worth collecting: a tenth of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _drop(one: Kernel[Any]) -> None:
    """Delete the stored code of a kernel."""
    stored = _dispatcher(one.function).stats.cache_path
    if stored is not None:
        with _one_process(stored):
            for file in Path(stored).glob(f"*.{one.name}-*.nb[ci]"):
                file.unlink(missing_ok=True)


def _compiled(one: Kernel[Any]) -> Callable[..., None]:
    from numba.extending import register_jitable

    while _helpers:
        register_jitable(forceinline=True, no_cfunc_wrapper=True)(_helpers.pop())
    compiled = _dispatcher(one.function)
    with _one_process(compiled.stats.cache_path):
        _drop_old(compiled.stats.cache_path, Path(one.function.__code__.co_filename).parent)
        for signature in one.signatures:
            _report_compilation(compiled, signature)
            began = time.perf_counter(), time.process_time()
            compiled.compile(signature)
            wall, processor = time.perf_counter() - began[0], time.process_time() - began[1]
            _log.debug(
                "%s was made ready in %.3f s, %.3f s of a processor", one.name, wall, processor
            )
    compiled.disable_compile()  # other types are an error, not another compilation
    return compiled


def _dispatcher(function: Callable[..., None]) -> Any:
    import numba

    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder to write to
        return numba.njit(**options)(function)


def _one_process(stored: str | None) -> AbstractContextManager[Any]:
    """A lock beside the stored code; none where nothing is stored."""
    if stored is None:
        return nullcontext()
    Path(stored).mkdir(parents=True, exist_ok=True)
    return FileLock(Path(stored) / "kernels.lock", timeout=_WAIT)


@cache
def _drop_old(stored: str | None, source: Path) -> None:
    """Delete code that was compiled from other sources: numba looks at a kernel's own file only."""
    if stored is None:
        return
    digest = hashlib.sha256()
    for path in sorted(source.glob("*.py")):
        digest.update(path.read_bytes())
    known = Path(stored) / "kernels.sha256"
    if not known.is_file() or known.read_text() != digest.hexdigest():
        for old in Path(stored).glob("*.nb[ci]"):
            old.unlink(missing_ok=True)
        known.write_text(digest.hexdigest())


def compiling() -> bool:
    """Whether another thread compiles a kernel or loads its code now."""
    free = _lock.acquire(blocking=False)
    if free:
        _lock.release()
    return not free


@cache
def _report_once() -> None:
    _log.warning(COMPILING)


def _report_compilation(compiled: Any, signature: str) -> None:
    from numba.core.compiler_lock import global_compiler_lock

    with global_compiler_lock:  # other threads compile too, napari's among them
        stored = compiled._cache.load_overload(signature, compiled.targetctx)
    if stored is None:
        _report_once()
