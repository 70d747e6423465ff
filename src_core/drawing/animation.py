"""Films as animated GIFs, and as MP4 (H.264) where PyAV is installed."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from src_core.errors import InputError
from src_core.io.atomic import open_atomically, replacing

__all__ = ["FILM_ENDINGS", "check_film_file", "gif_delays", "palette", "save_film"]

FILM_ENDINGS = (".gif", ".mp4")
_COLOURS = 256
#: Frames that a palette is made of.
_SAMPLES = 8


def check_film_file(path: Path) -> None:
    """Refuse a file that no film can be written to, before any work.

    Raises:
        InputError: another ending, or an MP4 without PyAV.
    """
    ending = path.suffix.lower()
    if ending not in FILM_ENDINGS:
        raise InputError("no film has this ending", where=str(path), expected=".gif or .mp4")
    if ending == ".mp4":
        _av(path)


def save_film(path: Path, frames: Sequence[Image.Image], fps: int) -> Path:
    """Write a film, whole or not at all.

    Args:
        path: ends in ``.gif`` or ``.mp4``.
        frames: RGB, all of one size.
        fps: frames per second, at most 50.

    Raises:
        InputError: it cannot be written there, or not in that format.
    """
    check_film_file(path)
    if path.suffix.lower() == ".gif":
        _save_gif(path, frames, fps)
    else:
        _save_mp4(path, frames, fps)
    return path


def gif_delays(counts: Sequence[int], fps: int) -> list[int]:
    """Milliseconds of pictures that stand for so many frames each.

    GIF counts in hundredths of a second: what is rounded off one picture goes to the next, so
    that the film as a whole has its length.
    """
    ends = np.round(100 * np.cumsum(counts) / fps).astype(int)
    return [int(10 * cs) for cs in np.diff(ends, prepend=0)]


def palette(pixels: NDArray[np.uint8], colours: int) -> Image.Image:
    """Colours for pictures (..., 3); what is small in them has a voice beside what is large."""
    binned = (pixels.reshape(-1, 3) // 4).astype(np.uint32) @ np.array([1, 64, 4096], np.uint32)
    there, counts = np.unique(binned, return_counts=True)
    shades = np.stack([there % 64, there // 64 % 64, there // 4096], -1).astype(np.uint8) * 4 + 2
    drawn = np.repeat(shades, np.ceil(np.sqrt(counts)).astype(int), axis=0)
    return Image.fromarray(drawn[None]).quantize(colours, kmeans=2)


def _save_gif(path: Path, frames: Sequence[Image.Image], fps: int) -> None:
    """One palette for all frames, so that still parts do not flicker."""
    pictures, counts = _runs(frames)
    some = np.unique(np.linspace(0, len(pictures) - 1, _SAMPLES).round().astype(int))
    shades = palette(np.stack([np.asarray(pictures[i]) for i in some]), _COLOURS)
    few = [p.quantize(palette=shades, dither=Image.Dither.NONE) for p in pictures]
    with open_atomically(path) as file:
        few[0].save(
            file,
            format="GIF",
            save_all=True,
            append_images=few[1:],
            duration=gif_delays(counts, fps),
            loop=0,
            optimize=False,
        )


def _runs(frames: Sequence[Image.Image]) -> tuple[list[Image.Image], list[int]]:
    """Frames that differ from the one before, and how often each is repeated."""
    pictures, counts = [frames[0]], [1]
    for frame in frames[1:]:
        if frame is pictures[-1] or frame.tobytes() == pictures[-1].tobytes():
            counts[-1] += 1
        else:
            pictures.append(frame)
            counts.append(1)
    return pictures, counts


def _save_mp4(path: Path, frames: Sequence[Image.Image], fps: int) -> None:
    av = _av(path)
    width, height = (side + side % 2 for side in frames[0].size)  # its chroma is halved
    with replacing(path, ".mp4") as partial, av.open(str(partial), "w") as film:
        stream = film.add_stream("h264", rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "18"}
        for frame in frames:
            even = Image.new("RGB", (width, height), "white")
            even.paste(frame)
            for packet in stream.encode(av.VideoFrame.from_image(even)):
                film.mux(packet)
        for packet in stream.encode():
            film.mux(packet)


def _av(path: Path) -> Any:
    try:
        import av
    except ImportError as error:
        raise InputError(
            "MP4 needs the package av (PyAV), which is not installed",
            where=str(path),
            expected="a name that ends in .gif",
            do="pip install 'napari-drdm[video]'",
        ) from error
    return av
