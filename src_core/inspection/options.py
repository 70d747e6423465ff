"""How pictures of results are made: films, reports and galleries."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from src_core.errors import InputError
from src_core.errors.options import Display, TextForm, option_class, same

__all__ = ["FilmKind", "FilmOptions", "GalleryOptions", "PlaneOptions"]

FilmKind = Literal["recovery", "levels", "flicker", "wipe", "cine"]

_VOXEL = "voxel indices along X, Y and Z, such as 60,70,40"
_LEVELS = "levels with commas between them, such as 30,48,70"
_KINDS = {
    "recovery": "from the random field to the result",
    "levels": "from level 0 to the result's",
    "flicker": "source and result in turn",
    "wipe": "source and result on two sides of a moving line",
    "cine": "the frames of source and result",
}


def _parse_voxel(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\s*\d+\s*,\s*\d+\s*,\s*\d+\s*", text):
        raise InputError(f"the voxel {text} cannot be read", option="at", expected=_VOXEL)
    return tuple(map(int, text.split(",")))


def _parse_levels(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\s*\d+\s*(,\s*\d+\s*)*", text):
        raise InputError(f"the levels {text} cannot be read", option="levels", expected=_LEVELS)
    return tuple(dict.fromkeys(map(int, text.split(","))))


def _numbers_text(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


@option_class
class PlaneOptions:
    """Which planes of a case are drawn."""

    at: Annotated[
        tuple[int, int, int] | None,
        TextForm(_parse_voxel, _numbers_text, _VOXEL),
        Display(none="the slices with most of the labels, or the middle ones", docks=()),
    ] = Field(default=None, description="Voxel that the planes pass through.")
    planes: Annotated[Literal["auto", "slice", "three"], Display(docks=())] = Field(
        default="auto",
        description="One slice, or three planes; auto takes three of a volume and one of a stack "
        "of thick slices.",
    )
    crop: Annotated[Literal["labels", "none"], Display(docks=())] = Field(
        default="labels", description="Show the surroundings of the labels, or the whole image."
    )


@option_class
class FilmOptions:
    """What a film shows, and how fast."""

    kind: Annotated[FilmKind, Display(label="Film", choices=_KINDS, docks=())] = Field(
        default="recovery",
        description="The recovery step by step, a sweep over levels, source against result in "
        "turn or by a moving line, or the frames of a cine.",
    )
    fps: Annotated[int, Display(label="Frames per second", docks=())] = Field(
        default=10, ge=1, le=50, description="Frames per second."
    )
    side: Annotated[int, Display(label="Size", unit="pixels", docks=())] = Field(
        default=400, ge=64, le=2000, description="Pixels of the longest side of a plane."
    )


@option_class
class GalleryOptions:
    """What a gallery shows."""

    seeds: Annotated[int, Display(label="Seeds", docks=())] = Field(
        default=25, ge=1, le=1000, description="How many seeds."
    )
    first_seed: Annotated[int, Display(label="From seed", docks=())] = Field(
        default=1, ge=0, lt=2**31, description="The first of them; the others follow it."
    )
    levels: Annotated[
        tuple[int, ...],
        TextForm(_parse_levels, _numbers_text, _LEVELS),
        Display(label="Levels", docks=()),
    ] = Field(default=(30, 48, 70), description="Deformation levels, a block of the sheet each.")
    columns: Annotated[int | None, Display(label="Columns", none="as fits", docks=())] = Field(
        default=None, ge=1, le=100, description="New cases beside each other."
    )
    side: int = same(
        FilmOptions, "side", default=200, description="Pixels of the longest side of a plane."
    )
