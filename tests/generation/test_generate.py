"""New cases: the same options give the same bits, each option matters, frames and slices agree."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.generation import Options, Result, generate, iterate, recover
from src_core.models.library import list_models, load_model
from src_core.models.model import Model
from src_core.phantom import cardiac_phantom
from tests.support import tiny
from tests.support.stored_cases import OPTIONS, Made, linear_lps, rotated


class Untouchable(nn.Module):
    def forward(self, *inputs: Tensor) -> Tensor:
        raise AssertionError("level 0 needs no network")


@pytest.mark.parametrize("name", ["flipped", "float32", "scaled"])
def test_level_0_is_the_input_bit_for_bit(one: Made, model: Model) -> None:
    still = Model(model.spec, Untouchable(), model.device, model.sha256)
    result = generate(one.case, still, level=0, seed=3)
    for before, after in zip(
        (*one.case.images, *one.case.labels),
        (*result.case.images, *result.case.labels),
        strict=True,
    ):
        assert before.data.dtype == after.data.dtype
        np.testing.assert_array_equal(before.data, after.data)
    assert not result.displacement.any() and not result.inverse.any()
    np.testing.assert_array_equal(result.jacobian, 1)
    assert result.metrics["min_det"] == 1 and result.metrics["guard_scale"] == 1
    assert result.metrics["max_mm"] == 0 and result.metrics["steps"] == 0


@pytest.mark.parametrize("name", ["oblique"])
def test_the_same_options_give_the_same_bits(one: Made, model: Model) -> None:
    torch.manual_seed(77)
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    again = generate(one.case, model, **OPTIONS)
    assert torch.equal(torch.random.get_rng_state(), state), "the global generator was used"
    assert torch.get_num_threads() == threads
    for name in ("displacement", "inverse", "jacobian"):
        assert getattr(again, name).tobytes() == getattr(one.result, name).tobytes(), name
    assert again.case.image.tobytes() == one.result.case.image.tobytes()
    assert again.case.label_map.tobytes() == one.result.case.label_map.tobytes()
    first, second = dict(one.result.metrics), dict(again.metrics)
    assert first.pop("seconds") > 0 and second.pop("seconds") > 0
    assert first == second
    assert again.recipe == one.result.recipe


@pytest.mark.parametrize("name", ["phantom"])
@pytest.mark.parametrize(
    "change", [{"seed": 4}, {"level": 54}, {"steps": 4}], ids=["seed", "level", "steps"]
)
def test_every_option_changes_the_field(one: Made, model: Model, change: dict[str, int]) -> None:
    other = generate(one.case, model, **{**OPTIONS, **change})
    assert np.abs(other.displacement - one.result.displacement).max() > 1e-3


@pytest.mark.parametrize("name", ["phantom"])
def test_a_slice_wise_geometry_does_not_change_the_deformation(one: Made, model: Model) -> None:
    """The same voxels on an oblique grid move by the same voxels."""
    turned = Case.from_arrays(one.source.image, affine=rotated(one.source.affine))
    result = generate(turned, model, **OPTIONS)
    straight = one.result.displacement @ np.linalg.inv(linear_lps(one.source.affine)).T
    oblique = result.displacement @ np.linalg.inv(linear_lps(turned.grid.affine)).T
    np.testing.assert_allclose(oblique, straight, atol=1e-3)
    np.testing.assert_array_equal(result.case.image, one.result.case.image)


@pytest.mark.parametrize("name", ["phantom"])
def test_slices_share_a_deformation_or_have_one_each(one: Made, model: Model) -> None:
    shared, each = one.result, generate(one.case, model, **OPTIONS, slices="each")
    np.testing.assert_array_equal(shared.displacement[:, :, 0], shared.displacement[:, :, 2])
    assert np.abs(each.displacement[:, :, 0] - each.displacement[:, :, 2]).max() > 1
    assert each.metrics["min_det"] >= 0.01 and each.metrics["certified"]
    steps = list(recover(one.case, model, **OPTIONS, slices="each"))
    starts = [s.recovery.displacement for s in steps if s.recovery.index == 0]
    assert [s.slab for s in steps] == [0] * 4 + [1] * 4 + [2] * 4
    assert [s.index for s in steps] == list(range(12))
    assert min((a - b).abs().max() for a, b in pairwise(starts)) > 1, "each has its own draws"


def test_a_cine_is_deformed_alike_in_every_frame(model: Model) -> None:
    cine = cardiac_phantom(2, slices=2, phases=3, shape=(64, 72), spacing=(2.3, 2.0, 9.0))
    image = cine.image.copy()
    image[..., 2] = image[..., 0]
    case = Case.from_arrays(image, cine.labels[..., :1].repeat(3, axis=3), affine=cine.affine)
    result = generate(case, model, **OPTIONS)
    assert result.case.image.shape == image.shape
    np.testing.assert_array_equal(result.case.image[..., 2], result.case.image[..., 0])
    assert np.any(result.case.image[..., 1] != result.case.image[..., 0])
    np.testing.assert_array_equal(result.case.label_map[..., 2], result.case.label_map[..., 0])
    assert result.displacement.shape == (*image.shape[:3], 3)


def test_a_volume_is_deformed_by_a_3d_model() -> None:
    solid = tiny.unet(3, side=16)
    noise = np.random.default_rng(0).random((26, 34, 18)).astype(np.float32)
    case = Case.from_arrays(noise, (noise > 0.5).astype(np.uint8), spacing=(1.2, 1.1, 1.9))
    result = generate(case, solid, level=70, seed=2, steps=2)
    assert result.metrics["certified"] and result.metrics["max_percent"] > 2
    assert np.abs(result.displacement).reshape(-1, 3).max(axis=0).min() > 0.2, "all three axes"
    assert result.metrics["inverse_error_voxels"] < 0.05
    with pytest.raises(InputError, match="a 3D model needs a volume"):
        generate(Case.from_arrays(noise[:, :, 0]), solid, level=70)
    with pytest.raises(InputError, match="cubic exists for 2D models only"):
        generate(case, solid, level=70, interpolation="cubic")


@pytest.mark.parametrize("name", ["phantom"])
def test_steps_lead_from_the_random_field_to_the_result(one: Made, model: Model) -> None:
    free = {**OPTIONS, "allow_folds": True}
    steps = list(recover(one.case, model, **free))
    assert [(s.index, s.total) for s in steps] == [(i, 4) for i in range(4)]
    assert [s.level for s in steps] == [55, 37, 18, 0]
    *_, last = iterate(one.case, model, Options(**free))
    assert isinstance(last, Result)
    np.testing.assert_array_equal(steps[-1].displacement(), last.displacement)
    assert np.abs(steps[0].displacement() - last.displacement).max() > 0.5
    assert not torch.is_inference_mode_enabled()
    for step in steps:
        whole = step.recovery.flow.displacement()
        torch.testing.assert_close(step.recovery.displacement, whole, atol=1e-4, rtol=0)
    assert last.metrics["guard_scale"] == 1


@pytest.mark.parametrize("name", ["phantom"])
def test_folds_are_allowed_only_when_asked_for(one: Made, model: Model) -> None:
    schedule = model.spec.schedule.model_copy(update={"sigma": 1.2e-4})
    wild = replace(model, spec=model.spec.model_copy(update={"schedule": schedule}))
    free = generate(one.case, wild, level=80, seed=3, steps=1, allow_folds=True).metrics
    assert free["guard_scale"] == 1 and free["min_det"] < 0 and not free["certified"]
    assert free["strict_folding_permille"] > 0
    held = generate(one.case, wild, level=80, seed=3, steps=1).metrics
    assert held["guard_scale"] < 1 and held["min_det"] >= 0.01 and held["certified"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["phantom"])
def test_the_shipped_model_makes_a_certified_new_heart(one: Made) -> None:
    if "cardiac-sax" not in {entry.name for entry in list_models()}:
        pytest.skip("no model ships with this checkout")
    result = generate(one.case, load_model("cardiac-sax", "cpu"), level=48, seed=1)
    metrics = result.metrics
    assert metrics["certified"] and metrics["min_det"] >= 0.01
    assert 1 < metrics["mean_percent"] < metrics["max_percent"] < 30
    assert metrics["guard_scale"] > 0.95
    assert metrics["labels_lost"] == [] and metrics["inverse_error_voxels"] < 0.05
