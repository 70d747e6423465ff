"""Grew or shrank: the words for det J against what became of a disc and a ball, in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from src_core.cases.case import Case
from src_core.fields.jacobian_words import DET_CONVENTION, change_in_words
from src_core.fields.warp_case import warp_case
from src_core.generation.label_figures import label_figures
from src_core.recipes.apply import jacobian_map

CENTRE = np.array([30.0, 24.0, 14.0])


def scaled(factor: float, flat: bool) -> tuple[Case, np.ndarray]:
    """A disc or ball of 8 mm, and phi(x) = c + (x - c) / factor, which makes it larger."""
    shape, spacing = ((60, 50, 1), (1.0, 1.0, 5.0)) if flat else ((40, 34, 24), (1.5, 1.5, 1.25))
    at = np.moveaxis(np.indices(shape), 0, -1) * spacing
    offset = at - CENTRE * [1, 1, not flat]
    inside = np.linalg.norm(offset, axis=-1) < 8
    case = Case.from_arrays(np.where(inside, 100.0, 20.0), inside.astype(np.uint8), spacing=spacing)
    return case, (offset / factor - offset).astype(np.float32)


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("factor", [1.25, 0.8])
def test_the_words_are_true_of_what_is_shown(factor: float, flat: bool) -> None:
    case, u = scaled(factor, flat)
    warped, det = warp_case(case, u), jacobian_map(u, case.grid)
    (found,) = label_figures(case, warped, u, det)
    axes = 2 if flat else 3
    before, after = found.volume_ml
    assert after / before == pytest.approx(factor**axes, rel=0.06)
    assert found.det == pytest.approx(factor**-axes, rel=1e-4)
    assert found.change_percent * (factor - 1) > 0
    word = "grew" if factor > 1 else "shrank"
    assert change_in_words(found.det) == f"{word} ×{factor**axes:.2f}"
    side = "below" if found.det < 1 else "above"
    assert f"{side} 1 {'this tissue' if side == 'below' else 'it'} {word}" in DET_CONVENTION
    assert found.elongation == pytest.approx((1, 1), abs=0.03)


def test_lengths_are_those_of_the_field() -> None:
    case, u = scaled(1.25, True)
    (found,) = label_figures(case, warp_case(case, u), u, jacobian_map(u, case.grid))
    assert found.largest_mm == pytest.approx(10 * 0.2, abs=0.15)
    assert found.mean_mm == pytest.approx(2 / 3 * 10 * 0.2, abs=0.1)
    assert found.mean_mm < found.most_mm <= found.largest_mm
    assert found.area_mm2[0] == pytest.approx(np.pi * 64, rel=0.05)
    assert found.volume_ml[0] == pytest.approx(found.area_mm2[0] * 5 / 1000)


def test_folds_and_what_stays() -> None:
    assert change_in_words(-0.1) == change_in_words(0.0) == "a fold"
    assert change_in_words(1.002) == "kept its size"
