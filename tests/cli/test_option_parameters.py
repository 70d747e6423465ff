"""Fields become parameters of a verb, and their values reach it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from pydantic import Field
from typer.testing import CliRunner

from src_core.cli.options import group, with_options
from src_core.errors import InputError
from src_core.errors.options import Display, TextForm, option_class


def parse_two(text: str) -> tuple[int, int]:
    first, _, second = text.partition("+")
    if not (first.isdigit() and second.isdigit()):
        raise InputError(f"{text} is no sum", option="two", expected="1+2")
    return int(first), int(second)


@option_class
class Toy:
    """Options of every kind."""

    size: int = Field(default=3, ge=2, le=9, description="How large.")
    share: float | None = Field(default=None, gt=0, description="Which share.")
    mode: Literal["slow", "fast"] = Field(default="slow", description="How fast.")
    loud: Annotated[bool, Display(flag="noisy", panel="Sound")] = Field(
        default=False, description="With sound."
    )
    home: Annotated[Path | None, Display(none="here")] = Field(default=None, description="Where.")
    two: Annotated[tuple[int, int], TextForm(parse_two, lambda v: f"{v[0]}+{v[1]}", "a sum")] = (
        Field(default=(1, 2), description="Two numbers.")
    )


def run(*words: str, **changes: Any) -> tuple[dict[str, Any], Any]:
    app, got = typer.Typer(), {}

    @app.command()
    @with_options(toy=group(Toy, **changes))
    def verb(name: str, toy: dict[str, Any], json: bool = False) -> None:
        got.update(toy, given=name, json=json)

    return got, CliRunner().invoke(app, list(words))


def test_defaults_are_those_of_the_fields() -> None:
    got, done = run("anna")
    assert done.exit_code == 0
    assert got == {"size": 3, "share": None, "mode": "slow", "loud": False, "home": None,
                   "two": (1, 2), "given": "anna", "json": False}  # fmt: skip
    values = {name: got[name] for name in ("size", "share", "mode", "loud", "home", "two")}
    assert Toy(**values) == Toy()


def test_values_reach_the_verb_in_their_types() -> None:
    words = ["--size", "9", "--share", "0.5", "--mode", "fast", "--noisy", "--home", "x", "--two"]
    got, _ = run("anna", *words, "4+5", "--json")
    assert got == {"size": 9, "share": 0.5, "mode": "fast", "loud": True, "home": Path("x"),
                   "two": (4, 5), "given": "anna", "json": True}  # fmt: skip


@pytest.mark.parametrize("words", [["--mode", "quick"], ["--size", "big"], ["--loud"]])
def test_what_the_shell_cannot_read_is_refused(words: list[str]) -> None:
    got, done = run("anna", *words)
    assert done.exit_code == 2 and not got


def test_a_text_form_that_is_wrong_names_its_option() -> None:
    _, done = run("anna", "--two", "four")
    assert isinstance(done.exception, InputError) and done.exception.option == "two"


def test_help_says_meaning_range_and_default() -> None:
    text = " ".join(run("--help")[1].output.replace("│", " ").split())
    for words in ("How large (2 to 9). [default: 3]", "Which share (more than 0).",
                  "Two numbers: a sum. [default: 1+2]", "Where. [default: (here)]", "slow|fast",
                  "Sound"):  # fmt: skip
        assert words in text, words


def test_a_name_can_be_left_out_or_unset() -> None:
    got, _ = run("anna", leave_out=("loud", "home"), unset=("size",))
    assert got.keys() == {"size", "share", "mode", "two", "given", "json"} and got["size"] is None
