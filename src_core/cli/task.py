"""``drdm task NAME``: downstream experiments, a command for each row of ``TASKS``."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from src_core.cli.report import print_json
from src_core.cli.requests import follow, request_verb
from src_core.tasks.options import WHOLE
from src_core.tasks.table import TASKS, Task

__all__ = ["task"]


class TaskCommands(TyperGroup):
    """Makes a command from its row when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all tasks."""
        return list(TASKS)

    def get_command(self, ctx: Any, name: str) -> Any:
        """The command of a task; None where there is no such task."""
        return _command(TASKS[name]) if name in TASKS else None


task = typer.Typer(
    cls=TaskCommands,
    help="Downstream experiments: networks trained with and without a model's deformations.",
    no_args_is_help=True,
)


@task.callback()
def _group() -> None:
    """Makes a group of the app, whatever its commands."""


def _command(row: Task) -> Any:
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    verb = request_verb(row.request, row.arguments, lambda request, json: _run(row, request, json))
    app.command(row.name, help=row.help)(verb)
    return typer.main.get_command(app)


def _run(row: Task, request: Any, json: bool) -> None:
    from src_core.tasks.task import run_task

    prepared = row.prepare(request)
    follow(run_task(prepared, getattr(request, "together", 1)))
    if getattr(request, "prepare", False) or getattr(request, "process", WHOLE) != WHOLE:
        print(f"kept in {request.out}")
        return
    if json:
        print_json(prepared.report)
        return
    print((request.out / "table.md").read_text(encoding="utf-8"), end="")
    print(f"written to {request.out}")
