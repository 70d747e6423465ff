"""What decides a generated case, besides the case and the model."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from src_core.errors import InputError

__all__ = ["Options", "make_options"]


class Options(BaseModel):
    """Options of one generation.

    Attributes:
        level: deformation level, 0 (the input itself) to the model's highest.
        seed: of the Gaussian draws.
        steps: jumps of the recovery; None for the model's default.
        slices: with a 2D model, one deformation for all slices, or one each.
        interpolation: of images; cubic for slice-wise deformations only.
        label_interpolation: one-hot linear argmax, or nearest.
        allow_folds: leave out the guard.
        region: what is deformed, first and past-last voxel along X, Y and Z; None for all. A 2D
            model deforms every slice of it, whatever the range along the slices.
        condition: one number for each that the model takes; None for their defaults, and for models
            that take none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: int = Field(default=48, ge=0)
    seed: int = Field(default=1, ge=0, lt=2**63)
    steps: int | None = Field(default=None, ge=1)
    slices: Literal["shared", "each"] = "shared"
    interpolation: Literal["linear", "cubic"] = "linear"
    label_interpolation: Literal["linear", "nearest"] = "linear"
    allow_folds: bool = False
    region: tuple[tuple[int, int], tuple[int, int], tuple[int, int]] | None = None
    condition: tuple[float, ...] | None = None

    @model_serializer(mode="wrap")
    def _without_condition(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Options of models that take no condition stay what they were before there was one."""
        return {k: v for k, v in values(self).items() if k != "condition" or v is not None}


def make_options(levels: int, **values: object) -> Options:
    """Options checked against a model with ``levels`` levels.

    Raises:
        InputError: an option is out of range; names it, what was given and what is possible.
    """
    try:
        options = Options.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "option"
        given = values.get(name)
        raise InputError(
            f"{name} {given} is not possible",
            option=name,
            expected=_possible(name, levels, str(first["msg"])),
        ) from error
    if options.level > levels:
        raise InputError(
            f"level {options.level} does not exist",
            option="level",
            expected=f"0 to {levels}",
            do="choose a level in that range",
        )
    return options


def _possible(name: str, levels: int, message: str) -> str:
    ranges = {
        "level": f"0 to {levels}",
        "steps": "1 or more",
        "seed": f"a whole number from 0 to {2**63 - 1}",
        "condition": "numbers, such as 0.5,1",
        "region": "first:past-last voxel along X, Y and Z, such as 40:168,30:158,0:10",
    }
    return ranges.get(name, message)
