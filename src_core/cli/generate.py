"""``drdm demo`` and ``generate``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src_core.cli.options import group, with_options
from src_core.cli.parameters import DemoOut, Hold, Images, Json, Labels, NewOut, Points, Surfaces
from src_core.cli.point_files import point_sets, warn_of_points
from src_core.cli.report import print_json, show_metrics, tell
from src_core.cli.running import run_one, run_series
from src_core.errors import InputError
from src_core.generation.options import CallOptions, Options
from src_core.io.options import FileOptions, PointOptions
from src_core.models.options import ModelOptions
from src_core.steering.targets import parse_target

if TYPE_CHECKING:
    from src_core.cases.case import Case
    from src_core.cases.point_set import PointSet
    from src_core.generation import Result, Series
    from src_core.models.model import Model

__all__ = ["demo", "generate"]


@with_options(
    options=group(Options, "level", "seed", unset=("level",)),
    files=group(FileOptions, "overwrite"),
)
def demo(
    options: dict[str, Any], files: dict[str, Any], out: DemoOut = None, json: Json = False
) -> None:
    """A new case of the included sample, a cardiac phantom, with a picture.

    Example: drdm demo --out drdm-demo
    """
    from src_core.phantom import phantom_case

    case, folder, places = phantom_case(phase=0), out or Path("drdm-demo"), FileOptions(**files)
    result = _generate(case, folder, options, ModelOptions(), CallOptions(), places, picture=True)
    _show(result, folder, json)


@with_options(
    network=group(ModelOptions),
    options=group(Options, unset=("level",)),
    call=group(CallOptions),
    files=group(FileOptions),
    written=group(PointOptions),
)
def generate(
    images: Images,
    network: dict[str, Any],
    options: dict[str, Any],
    call: dict[str, Any],
    files: dict[str, Any],
    written: dict[str, Any],
    labels: Labels = None,
    hold: Hold = None,
    points: Points = None,
    surface: Surfaces = None,
    out: NewOut = None,
    json: Json = False,
) -> None:
    """One new case: image, labels, displacement, inverse, Jacobian, recipe and metrics.

    Example: drdm generate patient.nii.gz --labels seg.nii.gz --level 48 --seed 1 --out new
    """
    from src_core.io import read_case

    if options["level"] is not None and call["max_mm"] is not None:
        raise InputError("--level and --max-mm exclude each other", do="leave one of them out")
    if call["frames"] is not None and call["motion"] == "still":
        raise InputError("--frames needs a motion", do="add --motion loop, or leave it out")
    options["targets"] += tuple(parse_target(f"hold {label}") for label in hold or ())
    chosen, places = CallOptions(**call), FileOptions(**files)
    case = read_case(images, labels=labels or None, spacing=places.spacing)
    moving = point_sets(points, surface, written["coordinates"])
    folder = out or Path(f"{case.name}-drdm")
    network_options = ModelOptions(**network)
    result = _generate(case, folder, options, network_options, chosen, places, moving)
    _show(result, folder, json)


def _generate(
    case: Case,
    out: Path,
    options: dict[str, Any],
    network: ModelOptions,
    call: CallOptions,
    files: FileOptions,
    points: Sequence[PointSet] = (),
    picture: bool = False,
) -> Result | Series:
    """Check everything, then compute; a failure leaves nothing behind."""
    from src_core.generation import make_options
    from src_core.generation.points import with_points
    from src_core.generation.save import save_files
    from src_core.generation.search import level_for
    from src_core.generation.series import save_series_files
    from src_core.io import OutputFolder
    from src_core.models.library import load_model

    model = load_model(network.model, network.device)
    given = {name: value for name, value in options.items() if name != "level" or value is not None}
    chosen = make_options(model.spec.schedule.levels, **given)
    _warn_of_scale(case, model)
    with OutputFolder(out, files.overwrite) as place:
        if call.max_mm is not None:
            level = level_for(case, model, call.max_mm, chosen)
            chosen = chosen.model_copy(update={"level": level})
            _tell_level(call.max_mm, level)
        if call.motion != "still":
            series = run_series(case, model, chosen, call.motion, call.frames)
            series = with_points(series, points)
            warn_of_points(series.metrics)
            _warn_of_fit(series.metrics)
            save_series_files(series, place)
            return series
        result = with_points(run_one(case, model, chosen), points)
        warn_of_points(result.metrics)
        _warn_of_fit(result.metrics)
        save_files(result, place, files.field_format)
        if picture:
            from src_core.inspection.preview import save_preview

            save_preview(result, place / "preview.png")
        return result


def _tell_level(max_mm: float, level: int) -> None:
    tell(f"--max-mm {max_mm:g}: level {level}" + ("" if level else ", the image itself"))


def _show(result: Result | Series, out: Path, json: bool) -> None:
    if json:
        print_json(result.metrics)
        return
    from src_core.drawing.planes import length_unit

    show_metrics(result.metrics, length_unit(result.source))
    print(f"written to {out}")


def _warn_of_fit(metrics: dict[str, Any]) -> None:
    from src_core.generation.verdict import fit_warning

    if warning := fit_warning(metrics):
        tell(f"warning: {warning}")


def _warn_of_scale(case: Case, model: Model) -> None:
    from src_core.generation.scale import scale_warning

    warning = scale_warning(case, model.spec)
    if warning:
        tell(f"warning: {warning}")
