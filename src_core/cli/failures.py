"""What goes wrong becomes one line on stderr and an exit code."""

from __future__ import annotations

import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer

from src_core.errors import Cancelled, DRDMError, Name, OptionName, Phrase, one_line
from src_core.errors.phrases import printable

__all__ = ["Outcome", "in_shell", "reported", "resumable", "terminable"]

#: Options of the shell that are not called as their field.
_FLAGS = {"formats": "format", "number": "dataset-id", "targets": "target"}
DONE, FAILED, WRONG_INPUT, CANCELLED = 0, 1, 2, 130


@dataclass
class Outcome:
    """The exit code of a command."""

    code: int = DONE


@contextmanager
def reported() -> Iterator[Outcome]:
    """Turn every exception into a line and a code; own warnings into a line each."""
    outcome = Outcome()
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            yield outcome
        except typer.TyperException as error:
            outcome.code = _usage(error)
        except (KeyboardInterrupt, Cancelled, typer.Abort):
            outcome.code = _fail("cancelled, nothing was written", CANCELLED)
        except typer.Exit as error:
            outcome.code = int(error.exit_code)
        except DRDMError as error:
            outcome.code = _fail(in_shell(one_line(error)), WRONG_INPUT)
        except BrokenPipeError:
            outcome.code = FAILED
        except Exception as error:
            outcome.code = _fail(_unexpected(error), FAILED)


@contextmanager
def resumable() -> Iterator[None]:
    """Say how to continue a long run that is cancelled."""
    try:
        yield
    except KeyboardInterrupt:
        print("stopped: add --resume to continue", file=sys.stderr)
        raise typer.Exit(CANCELLED) from None


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM, by which a cluster ends a job, stop a run as Ctrl+C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def in_shell(text: str) -> str:
    """A text with options as flags: ``--per-case``, ``--format nifti``."""
    return text.written(_as_flag) if isinstance(text, Phrase) else text


def _as_flag(name: Name) -> str:
    if not isinstance(name, OptionName):
        return f"drdm {name.name} {name.argument}".rstrip()
    flag = "--" + _FLAGS.get(name.name, name.name.replace("_", "-"))
    return flag if name.value is None or name.value is True else f"{flag} {name.value}"


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _usage(error: typer.TyperException) -> int:
    """A call that cannot be read; one without any words has shown its help already."""
    text = _one_line(error.format_message())
    if not text:
        return WRONG_INPUT
    return _fail(f"{text.rstrip('.')}, see drdm --help", WRONG_INPUT)


def _unexpected(error: Exception) -> str:
    text = _one_line(str(error)) or type(error).__name__
    if "out of memory" in text.lower() or isinstance(error, MemoryError):
        return f"out of memory, {text[:120]}, try --device cpu or a smaller image"
    return f"{type(error).__name__}: {text}, unexpected, run again with --debug to see where"


def _fail(text: str, code: int) -> int:
    _say(text, prefix="error: ")
    return code


def _say(text: str, prefix: str) -> None:
    print(printable(f"{prefix}{text}"), file=sys.stderr)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    _say(_one_line(str(message)), prefix="warning: ")
