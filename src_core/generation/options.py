"""What decides a generated case, besides the case and the model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from src_core.errors import InputError
from src_core.errors.options import (
    BATCH,
    EXPLORER,
    Display,
    TextForm,
    input_error,
    option_class,
    refuse_booleans,
)
from src_core.generation.intensities import (
    INTENSITIES_FORM,
    Intensities,
    intensities_text,
    parse_intensities,
)
from src_core.generation.pose import POSE_FORM, Pose, parse_pose, pose_text
from src_core.steering.contradictions import check_together
from src_core.steering.targets import (
    TARGET_FORM,
    Target,
    parse_target,
    parse_targets,
    target_text,
)

__all__ = [
    "CallOptions",
    "Interpolation",
    "LabelInterpolation",
    "Options",
    "Region",
    "checked_targets",
    "condition_text",
    "make_options",
    "parse_condition",
    "parse_region",
    "region_text",
]

#: First and past-last voxel along X, Y and Z.
Region = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
Interpolation = Literal["linear", "cubic"]
LabelInterpolation = Literal["linear", "nearest"]

#: Options that are left out of recipes where they are None.
_LATER = ("condition", "variety", "pose", "intensity", "guide")
_SLICES = {"shared": "one for all slices", "each": "one each"}
_CONDITION = "numbers, such as 0.5,1"
_REGION = "first:past-last voxel along X, Y and Z, such as 40:168,30:158,0:10"


def parse_region(text: str) -> tuple[tuple[int, ...], ...]:
    """``40:168,30:158,0:10`` as ends along X, Y and Z.

    Raises:
        InputError: it is not written so.
    """
    if not re.fullmatch(r"\d+:\d+,\d+:\d+,\d+:\d+", text):
        raise InputError(f"the region {text} cannot be read", option="region", expected=_REGION)
    return tuple(tuple(map(int, axis.split(":"))) for axis in text.split(","))


def region_text(region: Region) -> str:
    """A region as ``parse_region`` reads it."""
    return ",".join(f"{low}:{high}" for low, high in region)


def parse_condition(text: str) -> tuple[float, ...]:
    """``0.5,1`` as numbers.

    Raises:
        InputError: it is not written so.
    """
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError as error:
        raise InputError(
            f"the condition {text} cannot be read", option="condition", expected=_CONDITION
        ) from error


def checked_targets(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """The same targets.

    Raises:
        InputError: two of them contradict each other.
    """
    check_together(targets)
    return targets


def condition_text(condition: Sequence[float]) -> str:
    """A condition as ``parse_condition`` reads it."""
    return ",".join(map(str, condition))


class Options(BaseModel):
    """Options of one generation; each is described by its field.

    A 2D model deforms every slice of a ``region``, whatever the range along the slices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: int = Field(
        default=48,
        ge=0,
        description="Deformation level: 0 is the image itself, a higher one deforms more.",
    )
    seed: int = Field(
        default=1,
        ge=0,
        lt=2**63,
        description="Random seed; the same seed gives the same deformation again.",
    )
    steps: Annotated[int | None, Display(none="auto")] = Field(
        default=None,
        ge=1,
        description="Steps of the recovery; auto takes the number that was best for the model.",
    )
    slices: Annotated[Literal["shared", "each"], Display(choices=_SLICES)] = Field(
        default="shared",
        description="With a 2D model on a stack: one deformation for all slices, or one each.",
    )
    interpolation: Annotated[Interpolation, Display(label="Images", docks=(BATCH,))] = Field(
        default="linear", description="Interpolation of images; cubic with 2D models only."
    )
    label_interpolation: Annotated[LabelInterpolation, Display(label="Labels", docks=(BATCH,))] = (
        Field(
            default="linear",
            description="Interpolation of labels: the label with the largest linear share of a "
            "voxel, or that of the nearest voxel.",
        )
    )
    variety: Annotated[float | None, Display(none="the model's own", decimals=2)] = Field(
        default=None,
        ge=0,
        le=1,
        description="How much of the new size, orientation and position of organs is kept: 0 "
        "restores the original ones, 1 keeps what the random field made.",
    )
    guide: Annotated[int | None, Display(none="auto")] = Field(
        default=None,
        ge=1,
        description="Which of several images, or of the channels of a picture in colour, the "
        "network sees, counted from 1; the field moves all of them. Auto is the first image, and "
        "green of a picture in colour.",
    )
    allow_folds: Annotated[bool, Display(docks=())] = Field(
        default=False, description="Leave out the guard that keeps deformations free of folds."
    )
    region: Annotated[
        Region | None,
        TextForm(parse_region, region_text, _REGION),
        Display(none="the whole image", docks=(EXPLORER,)),
    ] = Field(default=None, description="Deform only this box.")
    condition: Annotated[
        tuple[float, ...] | None,
        TextForm(parse_condition, condition_text, _CONDITION),
        Display(none="the model's own", docks=()),
    ] = Field(default=None, description="Numbers for a model that takes conditions, one for each.")
    pose: Annotated[
        Pose | None,
        BeforeValidator(lambda given: parse_pose(given) if isinstance(given, str) else given),
        TextForm(parse_pose, pose_text, POSE_FORM),
        Display(none="none", docks=(BATCH,)),
    ] = Field(
        default=None,
        description="Draw a pose too: rotation, scale, shift and flip, in one sampling with the "
        "deformation.",
    )
    intensity: Annotated[
        Intensities | None,
        BeforeValidator(
            lambda given: parse_intensities(given) if isinstance(given, str) else given
        ),
        TextForm(parse_intensities, intensities_text, INTENSITIES_FORM),
        Display(none="none", docks=(BATCH,)),
    ] = Field(
        default=None,
        description="Draw changes of intensities too: noise, blur, brightness, contrast, low "
        "resolution and gamma.",
    )

    targets: Annotated[
        tuple[InstanceOf[Target], ...],
        BeforeValidator(parse_targets),
        AfterValidator(checked_targets),
        PlainSerializer(lambda targets: tuple(map(target_text, targets))),
        TextForm(parse_target, target_text, TARGET_FORM, many=True),
        Display(flag="target", none="none", docks=()),
    ] = Field(
        default=(),
        description="What the new anatomy is to be: sizes, walls, shapes, places and points.",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_booleans(cls, values: Any) -> Any:
        refuse_booleans(cls, values)
        return values

    @model_serializer(mode="wrap")
    def _without_later_ones(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Options are written as they were before there were those that are None here."""
        kept = {k: v for k, v in values(self).items() if k not in _LATER or v is not None}
        return kept if self.targets else {k: v for k, v in kept.items() if k != "targets"}


@option_class
class CallOptions:
    """What a call for one case, or series, takes besides."""

    max_mm: Annotated[float | None, Display(none="no bound", unit="mm", docks=())] = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Instead of a level: the highest level that moves nothing by more mm than "
        "this.",
    )
    motion: Annotated[Literal["still", "ramp", "loop"], Display(docks=())] = Field(
        default="still",
        description="Along time: one still deformation, one that grows (ramp), or one that grows "
        "and goes back (loop).",
    )
    frames: Annotated[int | None, Display(none="the cine's own", docks=())] = Field(
        default=None, ge=2, description="Number of frames to make from a single volume."
    )


def make_options(levels: int, **values: object) -> Options:
    """Options checked against a model with ``levels`` levels.

    Raises:
        InputError: an option is out of range; names it, what was given and what is possible.
    """
    possible = f"0 to {levels}"
    try:
        options = Options.model_validate(values)
    except ValidationError as error:
        wrong = input_error(error, Options, values)
        if wrong.option == "level":
            wrong = InputError(wrong.what, option="level", expected=possible)
        raise wrong from error
    if options.level > levels:
        raise InputError(
            f"level {options.level} does not exist",
            option="level",
            expected=possible,
            do="choose a level in that range",
        )
    return options
