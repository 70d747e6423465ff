"""The options of ``drdm evaluate`` and ``drdm task``: names and defaults, from their requests."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from src_core.cli.app import app
from src_core.diffusion.bspline_field import CONTROL_POINTS
from src_core.errors.options import option_field, option_fields
from src_core.evaluation.options import EvaluationRequest
from src_core.tasks.registration.options import RegistrationRequest
from src_core.tasks.segmentation.options import SegmentationRequest

_RUN = [("resume", False), ("overwrite", False), ("device", "auto"), ("json", False)]

#: Arguments by position, then options and their defaults, in order; None is no value.
TABLES: dict[str, tuple[list[str], list[tuple[str, Any]]]] = {
    "evaluate": (
        ["model", "dataset"],
        [("out", None), ("levels", "30,45,55,65,70"), ("seeds", 4), ("cases", None),
         ("steps", None), ("variety", None), ("slice", "largest"), ("rows", None),
         ("elastic-points", None), ("reference", None), ("segmenter", None),
         ("segmenter-batches", 1200), ("release", None), ("registered", None),
         ("registered-fields", 24), ("training-spreads", None), *_RUN],
    ),
    "task segmentation": (
        ["train", "test"],
        [("out", None), ("model", "cardiac-sax"),
         ("methods", "none,pose,pose+intensities,random,elastic,drdm,drdm+keep,bigaug,nnunet"),
         ("subjects", "5"), ("subsets", 1), ("times", 32), ("levels", "30:70"),
         ("elastic-strength", 1.0), ("steps", 3000), ("batch", 8), ("size", 96), ("spacing", 2.0),
         ("rate", 0.002), ("seed", 1), ("repeats", 1), ("external", None), ("validate", False),
         ("fields", None), ("process", "1/1"), ("prepare", False), ("together", 1),
         ("report-only", False), *_RUN],
    ),
    "task registration": (
        ["train", "test"],
        [("out", None), ("model", "cardiac-sax"),
         ("methods", "none,mrbs,drdm,none+real,mrbs+real,drdm+real"), ("pairs", "subject"),
         ("subjects", None), ("times", 32), ("levels", "30:70"), ("variety", None),
         ("steps", 10000), ("tuning", 10000), ("validation", None), ("every", 500),
         ("batch", 12), ("rate", 0.0001), ("similarity", "mse"), ("smooth", 0.01),
         ("smooth-real", 0.01), ("mixing", 0.01), ("size", 128), ("part", 1.0), ("seed", 1),
         ("repeats", 1), ("fields", None), ("process", "1/1"), ("prepare", False),
         ("report-only", False), *_RUN[:-1], ("precision", "32"), *_RUN[-1:]],
    ),
}  # fmt: skip


def command(words: str) -> Any:
    found: Any = typer.main.get_command(app)
    for word in words.split():
        found = found.get_command(None, word)
    return found


@pytest.mark.parametrize("words", TABLES)
def test_names_and_defaults_are_those_stay(words):
    arguments, options = TABLES[words]
    found = command(words).params
    taken = [p.name for p in found if p.param_type_name == "argument"]
    named = [p for p in found if p.param_type_name == "option"]
    assert taken == arguments and all(p.required for p in found[: len(arguments)])
    assert [(p.opts[0].removeprefix("--"), p.default) for p in named] == options
    assert [p.name for p in named if p.required] == ["out"]


@pytest.mark.parametrize(
    ("words", "request_class"),
    [
        ("evaluate", EvaluationRequest),
        ("task segmentation", SegmentationRequest),
        ("task registration", RegistrationRequest),
    ],
)
def test_every_field_is_described_and_shown_in_the_help(words, request_class):
    shown = {p.name: p.help or "" for p in command(words).params}
    fields = option_fields(request_class)
    assert set(shown) == {*fields, "json"}
    for name, field in fields.items():
        assert field.help.endswith(".") and shown[name].startswith(field.help.rstrip("."))


def test_the_number_of_control_points_that_none_stands_for_is_that_of_the_field():
    assert option_field(EvaluationRequest, "elastic_points").default_text == str(CONTROL_POINTS)
