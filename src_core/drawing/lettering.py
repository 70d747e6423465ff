"""Text in pictures, by the font that matplotlib brings."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageDraw, ImageFont

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

__all__ = ["fitted", "line_height", "text_width", "write"]


def write(
    picture: Picture,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: str = "#222222",
    *,
    bold: bool = False,
    anchor: str = "ls",
    halo: str = "",
) -> None:
    """Write a line of text.

    Args:
        picture: that is written into.
        at: x and y of the anchor, by default the left end of the baseline, pixels.
        text: without line breaks.
        size: of the font, pixels.
        colour: of the letters.
        bold: whether the letters are heavy.
        anchor: of Pillow.
        halo: colour of an outline around the letters.
    """
    draw, letters = ImageDraw.Draw(picture), _font(size, bold)
    width, ink = (max(size // 9, 1), halo) if halo else (0, None)
    draw.text(at, text, colour, letters, anchor, stroke_width=width, stroke_fill=ink)


def text_width(text: str, size: int, bold: bool = False) -> float:
    """Of a line, pixels."""
    return float(_font(size, bold).getlength(text))


def line_height(size: int) -> int:
    """From one baseline to the next, pixels."""
    return round(1.35 * size)


def fitted(text: str, width: float, size: int, bold: bool = False) -> str:
    """The text, its end replaced by an ellipsis where it is wider than so many pixels."""
    text = " ".join(text.split())
    if text_width(text, size, bold) <= width:
        return text
    while text and text_width(f"{text}…", size, bold) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


@lru_cache(maxsize=64)
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    from matplotlib import get_data_path

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    file = Path(get_data_path()) / "fonts" / "ttf" / name
    return ImageFont.truetype(str(file), size)
