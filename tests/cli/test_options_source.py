"""Every option of the shell comes from one field; names and defaults stay what they were."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from typer.main import get_command

from src_core.augment.filters import Filters
from src_core.augment.request import NOT_OF_PAIRS, NOT_SHARED, Request
from src_core.cli.app import app
from src_core.cli.options import options_of
from src_core.cli.options_page import options_page
from src_core.errors.options import OptionField, option_fields
from src_core.evaluation.options import EvaluationRequest
from src_core.generation.options import CallOptions, Options
from src_core.inspection.options import FilmOptions, GalleryOptions, PlaneOptions
from src_core.io.options import FileOptions, PointOptions
from src_core.models.options import ImportOptions, ModelOptions
from src_core.recipes.options import ApplyOptions, ReplayOptions
from src_core.tasks.table import TASKS
from src_core.training.options import TrainOptions

ROOT = Path(__file__).resolve().parents[2]
RECORDED = json.loads(Path(__file__).with_name("options.json").read_text(encoding="utf-8"))

_RUN = {name: Request for name in ("per_case", "levels", "formats", "seed", "field_format",
                                   "spacing", "split", "workers", "dask", "resume")}  # fmt: skip
_SHARED = {name: Options for name in option_fields(Options) if name not in NOT_SHARED}
_DATA_SET = {**_RUN, **_SHARED, **dict.fromkeys(option_fields(Filters), Filters)}
_NETWORK = dict.fromkeys(option_fields(ModelOptions), ModelOptions)


def _all_but(request: type, *arguments: str) -> dict[str, type]:
    return {name: request for name in option_fields(request) if name not in arguments}


#: Options of a generation that a gallery has of its own, or not at all.
NOT_OF_GALLERY = ("level", "seed", "pose", "intensity")
#: Which class describes each option of a verb.
SOURCES: dict[str, dict[str, type]] = {
    "demo": {"level": Options, "seed": Options, "overwrite": FileOptions},
    "generate": {
        name: model
        for model in (Options, CallOptions, FileOptions, ModelOptions, PointOptions)
        for name in option_fields(model)
    },
    "replay": {"sample": ReplayOptions, "device": ReplayOptions, "overwrite": FileOptions},
    "apply": {
        **dict.fromkeys(option_fields(ApplyOptions), ApplyOptions),
        "overwrite": FileOptions,
        "coordinates": PointOptions,
    },
    "gallery": {
        **dict.fromkeys(option_fields(GalleryOptions), GalleryOptions),
        **dict.fromkeys(option_fields(PlaneOptions), PlaneOptions),
        **{name: Options for name in option_fields(Options) if name not in NOT_OF_GALLERY},
        **_NETWORK,
        "spacing": FileOptions,
        "overwrite": FileOptions,
    },
    "report": {
        **dict.fromkeys(option_fields(PlaneOptions), PlaneOptions),
        "overwrite": FileOptions,
    },
    "movie": {
        **dict.fromkeys(option_fields(FilmOptions), FilmOptions),
        **dict.fromkeys(option_fields(PlaneOptions), PlaneOptions),
        "overwrite": FileOptions,
    },
    "augment": {
        **_DATA_SET,
        **_NETWORK,
        **dict.fromkeys(("with_sources", "number", "spread", "like"), Request),
    },
    "pairs": {
        **{name: model for name, model in _DATA_SET.items() if name not in NOT_OF_PAIRS},
        **_NETWORK,
        "between": Request,
    },
    "train": dict.fromkeys(option_fields(TrainOptions), TrainOptions),
    "models import": {"name": ImportOptions},
    "evaluate": _all_but(EvaluationRequest, "model", "dataset"),
    **{f"task {n}": _all_but(task.request, *task.arguments) for n, task in TASKS.items()},
}
#: Parameters that no engine class describes: files, folders and what is printed.
SHELL = {
    "images",
    "labels",
    "image",
    "field",
    "recipe",
    "dataset",
    "train",
    "test",
    "real",
    "config",
}
SHELL |= {"model", "file", "out", "json", "hold", "points", "result", "surface"}
#: Defaults that a verb has otherwise than the field.
OTHERWISE = {("augment", "formats"): "cases", ("pairs", "formats"): "pairs"}
UNSET = {"level"}


def verbs(command: Any, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """All verbs, by their words."""
    if not hasattr(command, "list_commands"):
        return {" ".join(path): command}
    found: dict[str, Any] = {}
    for name in command.list_commands(None):
        found |= verbs(command.get_command(None, name), (*path, name))
    return found


VERBS = verbs(get_command(app))
DESCRIBED = [(v, name, model) for v, options in SOURCES.items() for name, model in options.items()]


def test_names_and_defaults_are_those_recorded() -> None:
    present = {
        words: {"/".join([*p.opts, *p.secondary_opts]) or p.name: p.default for p in verb.params}
        for words, verb in VERBS.items()
    }
    recorded = {words: options for words, options in RECORDED.items() if words}
    for options in present.values():
        options.pop("--help", None)
    assert json.loads(json.dumps(present, default=str)) == recorded


@pytest.mark.parametrize(
    ("words", "name", "model"), DESCRIBED, ids=lambda v: getattr(v, "__name__", v)
)
def test_an_option_is_what_its_field_says(words: str, name: str, model: type) -> None:
    field = option_fields(model)[name]
    parameter = next(p for p in VERBS[words].params if p.name == name)
    assert parameter.opts == [f"--{field.flag}"] and not parameter.secondary_opts
    assert parameter.help.startswith(field.help.rstrip("."))
    if field.least is not None or field.above is not None:
        assert field.range in parameter.help
    assert parameter.default == _default(words, field)
    annotation = parameter.type_descriptor.annotation
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    assert choices == field.choices


def _default(words: str, field: OptionField) -> Any:
    if (words, field.name) in OTHERWISE:
        return OTHERWISE[words, field.name]
    unset = field.name in UNSET and words in ("demo", "generate")
    if field.required or unset or field.default in (None, ()):
        return None
    return field.text.write(field.default) if field.text else field.default


@pytest.mark.parametrize("words", SOURCES)
def test_no_option_is_described_elsewhere(words: str) -> None:
    names = {p.name for p in VERBS[words].params} - {"help"}
    assert names - SHELL == set(SOURCES[words]) - SHELL
    assert set(options_of(VERBS[words].callback)) == set(SOURCES[words])


def test_the_page_of_options_is_up_to_date() -> None:
    page = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert page == options_page(), "run: make options"


def test_the_verbs_load_no_heavy_library() -> None:
    code = "import sys, src_core.cli.app; print({'torch', 'numpy', 'nibabel'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
