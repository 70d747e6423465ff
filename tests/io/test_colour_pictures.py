"""Pictures in colour: an image for each channel, one field, a colour picture again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from src_core.errors import InputError
from src_core.generation import generate, save_result
from src_core.generation.model_view import make_model_view
from src_core.generation.options import make_options
from src_core.io import read_case
from src_core.models.checkpoint import save_model
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.recipes.replay import prepare
from src_core.recipes.snippets import call_of, command_text
from tests.support import tiny
from tests.support.small_model import network, spec

SHAPE = (46, 60)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    file = tmp_path_factory.mktemp("small") / "small.safetensors"
    return load_model(save_model(file, spec(), network()), "cpu")


def colours(channels: int = 3, dtype: type = np.uint8) -> np.ndarray:
    """(rows, columns, channels), each channel another pattern."""
    rows, columns = np.indices(SHAPE)
    all_of_them = [rows * 4, columns * 4, (rows + columns) * 2, np.full(SHAPE, 200)]
    return np.stack(all_of_them[:channels], axis=-1).astype(dtype)


def save(path: Path, pixels: np.ndarray) -> Path:
    if path.suffix == ".png":
        Picture.fromarray(pixels).save(path)
    else:
        tifffile.imwrite(path, pixels, photometric="rgb")
    return path


@pytest.mark.parametrize(
    ("ending", "channels", "dtype"),
    [("png", 3, np.uint8), ("png", 4, np.uint8), ("tif", 3, np.uint16)],
)
def test_a_colour_picture_stays_one(
    ending: str, channels: int, dtype: type, model: Model, tmp_path: Path
) -> None:
    pixels = colours(channels, dtype)
    file = save(tmp_path / f"photo.{ending}", pixels)
    case = read_case(file, spacing=0.5)
    assert [image.channel for image in case.images] == list(range(channels))
    np.testing.assert_array_equal(case.images[1].data[:, :, 0], pixels[..., 1].T)
    result = generate(case, model, level=40, seed=3, steps=1)
    out = save_result(result, tmp_path / "out")
    written = (
        np.asarray(Picture.open(out / "image.png")) if ending == "png"
        else tifffile.imread(out / "image.tif")
    )  # fmt: skip
    assert written.dtype == dtype and written.shape == pixels.shape
    for channel, new in enumerate(result.case.images):
        np.testing.assert_array_equal(written[..., channel], new.data[:, :, 0].T)
    assert not np.array_equal(written, pixels)
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["options"]["guide"] == 2
    again = prepare(out / "recipe.json")
    assert len(again.case.images) == channels and again.options.guide == 2
    assert command_text(call_of(result), windows=False).count(file.name) == 1


def test_the_guide_is_the_channel_that_was_chosen(model: Model, tmp_path: Path) -> None:
    case = read_case(save(tmp_path / "photo.png", colours()))
    seen = {
        guide: make_model_view(case, model.spec, guide=guide).values for guide in (None, 1, 2, 3)
    }
    np.testing.assert_array_equal(seen[None], seen[2])
    assert not np.allclose(seen[1], seen[2]) and not np.allclose(seen[2], seen[3])
    with pytest.raises(InputError, match="1 to 3"):
        make_model_view(case, model.spec, guide=4)


def test_several_images_may_have_another_guide(model: Model) -> None:
    case = tiny.case()
    with pytest.raises(InputError, match="its only image"):
        generate(case, model, **make_options(80, level=10, guide=2).model_dump())
    assert "guide" not in make_options(80).model_dump(), "recipes without one stay as they were"


def test_a_channel_of_one_value_is_carried_but_shows_a_network_nothing(
    model: Model, tmp_path: Path
) -> None:
    case = read_case(save(tmp_path / "photo.png", colours(4)))
    assert generate(case, model, level=20, steps=1).case.images[3].data.min() >= 0
    with pytest.raises(InputError, match="every voxel is 200"):
        make_model_view(case, model.spec, guide=4)


def test_labels_are_no_colour_picture(tmp_path: Path) -> None:
    photo = save(tmp_path / "photo.png", colours())
    with pytest.raises(InputError, match="colour"):
        read_case(photo, photo)
