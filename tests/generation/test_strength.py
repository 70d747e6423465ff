"""How strong a deformation will be, before any network: against the random field that a run has."""

from __future__ import annotations

import numpy as np
import pytest

from src_core.cases.case import Case
from src_core.generation.model_view import make_model_view
from src_core.generation.session import start_flow
from src_core.generation.strength import field_strength
from src_core.models.model import Model


def test_it_is_what_the_saved_random_field_measures(case: Case, model: Model) -> None:
    found = field_strength(model.spec, case.grid, 40, (7,))
    view = make_model_view(case, model.spec)
    u = view.field(start_flow(model, 7, level=40).start())
    lengths = np.linalg.norm(u, axis=-1)
    assert found.mean_mm == pytest.approx(lengths.mean(), rel=0.05)
    assert found.most_mm == pytest.approx(np.percentile(lengths, 95), rel=0.05)
    assert found.most_mm > 1, "this deformation should be seen"


def test_it_grows_with_the_level_and_level_0_is_the_image(case: Case, model: Model) -> None:
    levels = [field_strength(model.spec, case.grid, level, (1,)).mean_mm for level in (0, 20, 60)]
    assert levels[0] == 0 < levels[1] < levels[2]
