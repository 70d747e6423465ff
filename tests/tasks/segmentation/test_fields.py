"""Fields of a case: matched within its labels, kept in a folder, refused where they do not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.models.library import load_model
from src_core.tasks.segmentation.crop import CropGrid
from src_core.tasks.segmentation.field_folder import CaseFields, FieldFolder
from src_core.tasks.segmentation.fields import (
    FieldMaker,
    elastic_fields,
    field_draws,
    foreground,
    mean_length,
)
from tests.support.segmentations import CROP, stack
from tests.support.tiny import save_unet


@pytest.fixture
def maker(tmp_path) -> FieldMaker:
    x, y, z = np.indices((40, 48, 7)) - np.array([22, 20, 3]).reshape(3, 1, 1, 1)
    image = (100 * np.exp(-(x**2 + y**2) / 90) + 10 * np.cos(y / 3) + z).astype(np.float32)
    labels = ((x**2 + y**2 < 90).astype(np.uint8) + (x**2 + y**2 < 30)).astype(np.uint8)
    case = Case.from_arrays(image, labels, affine=np.diag([-1.5, -1.5, 8, 1]), name="a")
    model = load_model(save_unet(tmp_path / "tiny.safetensors"), "cpu")
    return FieldMaker(case, model, CropGrid(32, 1.5), foreground(stack(), CROP))


def test_the_foreground_is_the_labelled_share_under_each_point():
    weights = foreground(stack(slices=3), CROP)
    labelled = (stack().classes[0, CROP.inner, CROP.inner] > 0).sum()
    assert weights.shape == (16, 16) and float(weights.sum() * 4) == 3 * int(labelled)
    one = torch.zeros(1, 2, 16, 16)
    one[0, :, :8] = torch.tensor([3.0, 4.0])[:, None, None]
    expected = 5 * weights[:8].sum() / weights.sum()
    assert float(mean_length(one, weights)[0]) == pytest.approx(float(expected))
    assert float(mean_length(one, weights * 0)[0]) == pytest.approx(2.5)


def test_random_fields_move_as_much_as_the_models_within_the_labels(maker):
    weights = foreground(stack(), CROP)
    draws = field_draws("a", 3, (30, 70), 1)
    means = mean_length(torch.cat(list(maker.fields("drdm", draws))), weights) * 0.7
    fields = torch.cat(list(maker.fields("random", draws, means)))
    assert torch.allclose(mean_length(fields, weights), means, rtol=1e-2)
    assert torch.allclose(fields, torch.cat(list(maker.fields("random", draws, means))))
    assert float((fields[0] - fields[1]).abs().max()) > 0.1


def test_what_is_kept_makes_another_field_of_the_same_draws(maker):
    draws = field_draws("a", 2, (30, 70), 1)
    recovered, kept = (torch.cat(list(maker.fields(k, draws))) for k in ("drdm", "keep"))
    assert torch.isfinite(kept).all() and float((recovered - kept).abs().max()) > 1e-3


def test_elastic_fields_move_by_their_strength_within_the_labels():
    weights, draws = foreground(stack(), CROP), field_draws("a", 4, (30, 70), 1)
    means = torch.tensor([1.0, 2.5, 0.5, 4.0])
    for strength in (1.0, 1.5):
        fields = elastic_fields(CROP, means, weights, draws, strength)
        assert fields.shape == (4, 2, 16, 16)
        assert torch.allclose(mean_length(fields, weights), strength * means, rtol=1e-4)


def test_draws_follow_from_seed_case_and_number():
    few, many = field_draws("a", 3, (30, 70), 1), field_draws("a", 40, (30, 70), 1)
    assert many[:3] == few and few != field_draws("b", 3, (30, 70), 1)
    assert few != field_draws("a", 3, (30, 70), 2)
    levels = {draw.level for draw in many}
    assert min(levels) >= 30 and max(levels) <= 70 and len(levels) > 15


def test_a_folder_refuses_fields_that_follow_from_something_else(tmp_path):
    made = CaseFields(torch.randn(2, 2, 4, 4), torch.tensor([1.0, 2.0]))
    folder = FieldFolder(tmp_path / "f", {"a": {"seed": 1}})
    assert not folder.has("drdm", "a")
    folder.write("drdm", "a", made)
    assert folder.has("drdm", "a") and not folder.has("random", "a")
    read = folder.read("drdm", "a")
    assert torch.equal(read.fields, made.fields.half()) and torch.equal(read.means, made.means)
    with pytest.raises(InputError, match="another model, data set or options"):
        FieldFolder(tmp_path / "f", {"a": {"seed": 2}}).read("drdm", "a")
