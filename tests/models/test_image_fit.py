"""Statistics of training images: in a file that stays the same model, and the score from them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import src_core as drdm
from src_core.generation import Session
from src_core.models.checkpoint import add_statistics, file_digest, load_file
from src_core.models.fit_features import image_features
from src_core.models.fit_file import model_digest, with_statistics, without_statistics
from src_core.models.image_fit import FitStatistics, ImageFit, best_third, verdict_of
from src_core.models.network_kind import Activations
from src_core.models.prediction import network_kind
from tests.support import tiny

SHIPPED = Path(__file__).parents[2] / "resources" / "cardiac-sax.safetensors"
CPU = torch.device("cpu")


def statistics(count: int = 16, offset: float = 0.25) -> FitStatistics:
    rng = np.random.default_rng(0)
    mean, weights = rng.normal(size=count), rng.normal(size=count)
    return FitStatistics(7, mean, np.full(count, 2.0), weights, offset, 3, 90)


def test_a_file_with_statistics_is_the_same_model(tmp_path: Path) -> None:
    plain = tiny.save(tmp_path, name="Café")
    before = plain.read_bytes()
    out = add_statistics(plain, statistics(), tmp_path / "with.safetensors")
    bare, known = load_file(plain, CPU), load_file(out, CPU)
    assert out.read_bytes() != before and without_statistics(out.read_bytes()) == before
    assert known.sha256 == bare.sha256 == hashlib.sha256(before).hexdigest() == file_digest(out)
    assert known.spec == bare.spec and bare.statistics is None
    for name, weights in bare.network.state_dict().items():
        assert torch.equal(known.network.state_dict()[name], weights), name
    again = with_statistics(out.read_bytes(), statistics(offset=1.5))
    assert without_statistics(again) == before and model_digest(again) == bare.sha256
    assert with_statistics(again, None) == before


def test_statistics_come_back_as_they_were(tmp_path: Path) -> None:
    out = add_statistics(tiny.save(tmp_path), statistics(), tmp_path / "with.safetensors")
    found, features = load_file(out, CPU).statistics, np.random.default_rng(1).normal(size=(4, 16))
    assert found is not None and (found.level, found.subjects, found.images) == (7, 3, 90)
    assert found.sums(features) == pytest.approx(statistics().sums(features), abs=1e-4)


def test_the_shipped_model_kept_its_weights_and_hardly_grew() -> None:
    content = SHIPPED.read_bytes()
    assert model_digest(content).startswith("1e861472053ba850")
    assert 0 < len(content) - len(without_statistics(content)) < 4000


def test_a_score_by_hand() -> None:
    known = FitStatistics(1, np.array([1.0]), np.array([2.0]), np.array([3.0]), -1.0, 2, 2)
    assert known.sums(np.array([[2.0], [1e9]])) == pytest.approx([0.5, 17.0])  # clipped at 6
    assert known.score(np.array([[2.0], [1e9], [1e9]])) == pytest.approx(1 / (1 + np.exp(0.5)))
    assert best_third(np.array([5.0, 1.0, 3.0, 4.0])) == 2.0 and best_third(np.array([7.0])) == 7.0


@pytest.mark.parametrize(
    ("score", "verdict"),
    [
        (0.5, "fits"),
        (0.49, "doubtful"),
        (0.2, "doubtful"),
        (0.19, "does not fit"),
        (None, "unknown"),
    ],
)
def test_verdicts(score: float | None, verdict: str) -> None:
    assert verdict_of(score) == verdict
    facts = ImageFit(verdict_of(score), score, None, "small").facts()
    assert "small" in facts["sentence"] and json.loads(json.dumps(facts)) == facts


def test_features_of_organs_by_hand() -> None:
    organs = torch.zeros(2, 1, 9, 9)
    organs[0, 0, 3:6, 3:6] = 0.9  # in one piece
    organs[1, 0, 0, 0] = organs[1, 0, 8, 8] = 0.5  # in two
    seen = Activations(torch.zeros(2, 4, 3, 3), torch.zeros(2, 2, 3, 3), organs)
    (whole, apart) = image_features(seen)
    assert whole[:2] == pytest.approx([0.9, 0.1], abs=1e-3)
    radius, size = 0.25 * np.sqrt(2 * 2 / 3), np.sqrt(0.1)
    assert whole[2] == pytest.approx(np.log(radius / (size + 0.02)), abs=1e-3)
    assert apart[2] > whole[2] + 1.5


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_compiled_network_sees_what_pytorch_sees(ndim: int) -> None:
    model = tiny.unet(ndim, side=32 if ndim == 2 else 16, widths=(16, 32))
    side = model.spec.size
    images = torch.rand(3, 1, *[side] * ndim, generator=torch.Generator().manual_seed(0))
    found = model.features(images, 12)
    kind = network_kind(model.spec.network)
    with torch.inference_mode():
        oracle = kind.activations(model.network, images, torch.full((3,), 12))
    assert found is not None and oracle is not None
    assert found[0] == pytest.approx(image_features(oracle), abs=1e-3)
    assert model.features(images[1:2], 12)[0][0] == pytest.approx(found[0][1], abs=0)


def test_models_without_statistics_are_unknown(tmp_path: Path) -> None:
    result = drdm.generate(tiny.case(), tiny.model(), level=8, steps=1)
    assert result.metrics["fit"]["verdict"] == "unknown" and result.metrics["fit"]["score"] is None
    assert "fit" not in drdm.generate(tiny.case(), tiny.model(), level=0).metrics


def test_the_fit_of_a_case_is_that_of_its_images() -> None:
    model = replace(tiny.unet(widths=(8, 12)), statistics=statistics(24))
    session = Session(tiny.case(), model)
    direct = model.fit_of(session.images(0))
    assert session.fit == direct and direct.score is not None and direct.drift_percent is not None
    assert drdm.generate(tiny.case(), model, level=8, steps=1).metrics["fit"] == direct.facts()


def test_noise_is_no_heart_and_the_phantom_no_noise() -> None:
    model = load_file(SHIPPED, CPU)
    noise = drdm.Case.from_arrays(np.random.default_rng(0).normal(size=(96, 80, 1)))
    assert Session(noise, model).fit.verdict == "does not fit"
