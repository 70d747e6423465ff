"""Films: frames and timing as asked for, whole files or none."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src_core.drawing.animation import gif_delays, save_film
from src_core.errors import InputError

COLOURS = ("#000000", "#d04020", "#20a040", "#ffffff")


def frames(size: tuple[int, int] = (51, 37)) -> list[Image.Image]:
    plain = [Image.new("RGB", size, colour) for colour in COLOURS]
    return [plain[0], plain[0], plain[0], plain[1], plain[2], plain[3]]


@pytest.mark.parametrize("fps", [3, 10, 30, 50])
def test_a_gif_has_each_picture_for_its_time(tmp_path: Path, fps: int) -> None:
    with Image.open(save_film(tmp_path / "a.gif", frames(), fps)) as film:
        assert film.n_frames == 4 and film.info["loop"] == 0
        times = []
        for index, colour in enumerate(COLOURS):
            film.seek(index)
            times.append(film.info["duration"])
            shown = np.asarray(film.convert("RGB")).astype(int)
            wanted = np.asarray(Image.new("RGB", (1, 1), colour)).astype(int)
            assert abs(shown - wanted).max() <= 4
    assert times[0] == pytest.approx(3000 / fps, abs=5)
    assert sum(times) == pytest.approx(6000 / fps, abs=5)


def test_rounding_of_delays_does_not_add_up() -> None:
    delays = gif_delays([1] * 300, 30)
    assert sum(delays) == 10_000 and set(delays) == {30, 40}


def test_an_mp4_has_all_frames_at_an_even_size(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    with av.open(str(save_film(tmp_path / "a.mp4", frames(), 10))) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height) == (52, 38) and stream.average_rate == 10
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
    assert len(shown) == 6
    assert abs(shown[3][5, 5].astype(int) - (0xD0, 0x40, 0x20)).max() < 12
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_what_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"\.gif or \.mp4"):
        save_film(tmp_path / "a.avi", frames(), 10)
    with pytest.raises(InputError, match="cannot be written"):
        save_film(tmp_path / "none" / "a.gif", frames(), 10)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match="video"):
        save_film(tmp_path / "a.mp4", frames(), 10)
    before = save_film(tmp_path / "kept.gif", frames(), 10).read_bytes()
    broken = [*frames(), Image.new("RGB", (9, 9))]
    with pytest.raises(Exception, match=r".*"):
        save_film(tmp_path / "kept.gif", [*broken, None], 10)  # type: ignore[list-item]
    assert (tmp_path / "kept.gif").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["kept.gif"]
