"""Intensities for the network: robust, thresholded in physical units, the same in old models."""

from __future__ import annotations

import numpy as np
import pytest

from src_core.cases.case import Case
from src_core.cases.volume import Image
from src_core.errors import InputError
from src_core.models.checkpoint import read_spec
from src_core.models.model import ModelSpec
from src_core.models.preprocessing import Preprocessing, intensity_window
from tests.support.paths import ROOT

SHIPPED = ROOT / "resources" / "cardiac-sax.safetensors"


def image(values: np.ndarray, slope: float = 1.0, inter: float = 0.0) -> Image:
    made = Case.from_arrays(values).images[0]
    made.header["scl_slope"], made.header["scl_inter"] = slope, inter
    return made


def test_the_window_is_robust_and_never_empty() -> None:
    values = np.arange(1001).reshape(7, 11, 13)
    assert intensity_window(values, (0.5, 99.5)) == pytest.approx((5, 995))
    mostly = np.zeros((30, 40))
    mostly[3, 4] = 8
    assert intensity_window(mostly, (0.5, 99.5)) == (0, 8)
    low, high = intensity_window(np.full((4, 5), 2.0), (0.5, 99.5))
    assert low == 2 and high >= low


def test_percentiles_become_0_and_1() -> None:
    unit = Preprocessing().unit_range(image(np.arange(1001.0).reshape(7, 11, 13)))
    assert unit.shape == (1, 7, 11, 13) and unit.dtype == np.float32
    expected = np.clip((np.arange(1001.0) - 5) / 990, 0, 1).reshape(unit.shape)
    np.testing.assert_allclose(unit, expected, atol=1e-6)


def test_frames_come_first_and_share_one_window() -> None:
    values = np.arange(240.0).reshape(4, 5, 3, 4)
    unit = Preprocessing(percentiles=(0, 100)).unit_range(image(values))
    np.testing.assert_allclose(unit, np.moveaxis(values, -1, 0) / 239, atol=1e-6)


def test_thresholds_are_physical_and_empty_is_0() -> None:
    """Stored 0..999 is -1024..-25 HU: below -900 is air, above -100 unexpected."""
    stored = np.arange(1000, dtype=np.int16).reshape(10, 10, 10)
    settings = Preprocessing(percentiles=(0, 100), below=-900, above=-100)
    unit = settings.unit_range(image(stored, inter=-1024))
    expected = np.where((stored >= 124) & (stored <= 924), (stored - 124) / 800, 0)
    np.testing.assert_allclose(unit[0], expected, atol=1e-6)


def test_a_negative_slope_turns_stored_values_round() -> None:
    stored = np.arange(100, dtype=np.int16).reshape(10, 10)
    unit = Preprocessing(percentiles=(0, 100)).unit_range(image(stored, slope=-2.0))
    np.testing.assert_allclose(unit[0, ..., 0], 1 - stored / 99, atol=1e-6)


def test_thresholds_that_leave_nothing_are_reported() -> None:
    with pytest.raises(InputError, match="no voxel lies between 5000 and inf"):
        Preprocessing(below=5000).unit_range(image(np.arange(100.0).reshape(10, 10)))


@pytest.mark.parametrize("wrong", [{"percentiles": (60, 40)}, {"below": 3, "above": 2}])
def test_settings_out_of_order_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        Preprocessing.model_validate(wrong)


def test_models_of_before_keep_their_percentiles() -> None:
    spec = read_spec(SHIPPED)
    assert spec.preprocessing == Preprocessing(percentiles=(0.5, 99.5))
    older = {**spec.model_dump(exclude={"preprocessing"}), "percentiles": (2, 98)}
    assert ModelSpec.model_validate(older).preprocessing.percentiles == (2, 98)
    assert ModelSpec.model_validate_json(spec.model_dump_json()) == spec
