"""A saved result read back: the arrays that were written, or what is missing or changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from src_core.errors import InputError
from src_core.generation import Result, generate, save_result
from src_core.generation.series import generate_series, save_series
from src_core.io import read_case
from src_core.recipes.stored import read_images, read_result
from tests.support import tiny
from tests.support.shell_files import rings, volume, write

OPTIONS = {"level": 30, "seed": 2, "steps": 2}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    room = tmp_path_factory.mktemp("case")
    case = read_case(write(room / "a.nii.gz", volume()), write(room / "l.nii.gz", rings()))
    return generate(case, tiny.model(), **OPTIONS)


@pytest.fixture
def saved(result: Result, tmp_path: Path) -> Path:
    return save_result(result, tmp_path / "new")


def test_what_was_saved_is_read(result: Result, saved: Path) -> None:
    for given in (saved, saved / "recipe.json"):
        stored = read_result(given)
        for part in ("displacement", "jacobian"):
            assert np.array_equal(getattr(stored, part), getattr(result, part))
        assert np.array_equal(stored.case.image, result.case.image)
        assert stored.case.label_map is not None
        assert np.array_equal(stored.case.label_map, result.case.labels[0].data)
        assert stored.metrics == result.metrics and stored.changed == ()
        assert stored.source.name == "a"


def test_the_determinant_is_computed_where_its_file_is_missing(result: Result, saved: Path) -> None:
    (saved / "jacobian.nii.gz").unlink()
    assert np.allclose(read_result(saved).jacobian, result.jacobian, atol=1e-6)


def test_what_was_changed_is_named_and_what_is_missing_refused(result: Result, saved: Path) -> None:
    write(saved / "image.nii.gz", np.asarray(result.case.image) + np.int16(1))
    assert read_result(saved).changed == ("image",)
    (saved / "labels.nii.gz").unlink()
    assert read_images(saved)[1].labels == ()
    (saved / "displacement.nii.gz").unlink()
    with pytest.raises(InputError, match=r"displacement\.nii\.gz is missing"):
        read_result(saved)
    shutil.rmtree(saved)
    with pytest.raises(InputError, match="no such recipe"):
        read_images(saved)


def test_a_source_without_a_file_is_called_as_its_folder(tmp_path: Path) -> None:
    made = generate(tiny.case(), tiny.model(), **OPTIONS)
    folder = save_result(made, tmp_path / "heart-L30-S2")
    assert read_images(folder)[0].name == "heart-L30-S2"


def test_of_a_series_the_frame_that_moves_most_is_read(result: Result, tmp_path: Path) -> None:
    series = generate_series(result.source, tiny.model(), motion="loop", frames=4, **OPTIONS)
    stored = read_result(save_series(series, tmp_path / "loop"))
    assert np.array_equal(stored.displacement, series.displacements[..., 2, :])
    assert np.array_equal(stored.case.image, series.case.image[..., 2])
    assert stored.jacobian.min() >= series.metrics["min_det"] - 0.05 and stored.changed == ()
