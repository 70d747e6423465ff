"""TIFF says what its numbers mean: 0 may be white, numbers may be those of a palette."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from src_core.errors import InputError
from src_core.io import read_case

PIXELS = np.random.default_rng(4).integers(0, 256, (7, 12))


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_where_0_is_white_the_brightest_is_the_largest(tmp_path: Path, dtype: str) -> None:
    top = np.iinfo(dtype).max
    for name, meaning, values in (
        ("black", "minisblack", PIXELS * (top // 255)),
        ("white", "miniswhite", top - PIXELS * (top // 255)),
    ):
        tifffile.imwrite(tmp_path / f"{name}.tif", values.astype(dtype), photometric=meaning)
    black, white = (read_case(tmp_path / f"{n}.tif", spacing=1.0).image for n in ("black", "white"))
    assert np.array_equal(white, black)
    assert white.dtype == np.dtype(dtype)


def test_where_0_is_white_pillow_sees_the_same(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "white.tif", PIXELS.astype("u1"), photometric="miniswhite")
    read = read_case(tmp_path / "white.tif", spacing=1.0).image[:, :, 0].T
    assert np.array_equal(read, np.asarray(Image.open(tmp_path / "white.tif").convert("L")))


def test_one_bit_a_pixel_as_a_fax_has_it(tmp_path: Path) -> None:
    drawn = PIXELS > 100
    tifffile.imwrite(tmp_path / "fax.tif", ~drawn, photometric="miniswhite")
    assert np.array_equal(read_case(tmp_path / "fax.tif", spacing=1.0).image[:, :, 0].T, drawn)


def test_floats_in_which_0_is_white_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "f.tif", PIXELS.astype("f4"), photometric="miniswhite")
    with pytest.raises(InputError, match="0 is white in this TIFF"):
        read_case(tmp_path / "f.tif", spacing=1.0)


def test_numbers_of_a_palette_are_the_colours_they_mean(tmp_path: Path) -> None:
    palette = np.random.default_rng(5).integers(0, 2**16, (3, 256), dtype=np.uint16)
    values = PIXELS.astype("u1")
    tifffile.imwrite(tmp_path / "p.tif", values, photometric="palette", colormap=palette)
    images = read_case(tmp_path / "p.tif", spacing=1.0).images
    seen = np.asarray(Image.open(tmp_path / "p.tif").convert("RGB"))
    for channel, image in enumerate(images):
        assert np.array_equal(image.data[:, :, 0].T, seen[..., channel])
    assert len(images) == 3
