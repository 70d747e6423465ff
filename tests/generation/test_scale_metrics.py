"""A scale beyond the model's training is in the metrics and takes the green off the verdict."""

from __future__ import annotations

import numpy as np
import pytest

from src_core.cases.case import Case
from src_core.generation.run import generate
from src_core.generation.scale import scale_metrics, scale_warning
from src_core.generation.verdict import judge
from tests.support import tiny

IMAGE = np.random.default_rng(0).normal(size=(40, 52)).astype(np.float32)


@pytest.mark.parametrize(("spacing", "known", "fits"), [(30.0, True, False), (5.5, True, True),
                                                        (1.0, False, True)])  # fmt: skip
def test_a_scale_is_judged_where_the_spacing_is_known(
    spacing: float, known: bool, fits: bool
) -> None:
    case, model = Case.from_arrays(IMAGE, spacing=spacing), tiny.model()
    spec = model.spec.model_copy(update={"mm_per_pixel": (3.0, 6.0)})
    assert (scale_metrics(case, spec) == {}) == fits
    warning = scale_warning(case, spec)
    assert ("unknown" in warning) == (not known)
    assert ("mm" in warning) == (known and not fits)


def test_the_certificate_of_a_misfit_is_amber() -> None:
    case, model = Case.from_arrays(IMAGE, spacing=30.0), tiny.model()
    metrics = dict(generate(case, model, level=9, seed=1).metrics)
    metrics["scale"] = {"fits": False}
    assert judge(metrics).grade == "caution"
    assert "the image's scale is outside the model's training" in judge(metrics).cautions
