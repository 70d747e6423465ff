"""What the prior answers while a point is dragged: where points come from, in mm."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_drdm.runs.prior import prior_answer
from src_core.cases.grid import RAS_TO_LPS
from src_core.generation import Session, make_options
from tests.support import tiny


def points(case, field, moves):
    """Texts of targets: what is seen at a voxel is to be at another, LPS mm."""

    def lps(voxel):
        return RAS_TO_LPS * (case.grid.affine @ [*voxel, 1.0])[:3]

    texts = []
    for seen, end in moves:
        start = lps(seen) + field[seen]
        texts.append("point " + " -> ".join(",".join(map(str, p)) for p in (start, lps(end))))
    return tuple(texts), [(end, lps(seen) + field[seen] - lps(end)) for seen, end in moves]


@pytest.mark.parametrize("region", [None, ((4, 50), (4, 50), (0, 3))])
@pytest.mark.parametrize("slices", ["shared", "each"])
def test_points_come_from_where_they_were_and_others_stay(slices, region):
    case, model = tiny.case(), tiny.model()
    session = Session(case, model, slices, region)
    plain = {"level": 20, "seed": 3, "slices": slices, "region": region}
    u = torch.cat([end.displacement for end in session.ends(make_options(80, **plain))])
    field = session.view.field(u)
    moves = (((20, 20, 1), (23, 22, 1)), ((32, 24, 1), (32, 24, 1)))
    texts, wanted = points(case, field, moves)
    options = make_options(80, **plain, targets=texts)
    slab = 0 if slices == "shared" else 1
    part = slice(slab, slab + 1)
    answered = u.clone()
    answered[part] = prior_answer(session, options, slab, u[part])
    made = session.view.field(answered)
    for end, displacement in wanted:
        assert np.linalg.norm(made[end] - displacement) < 0.4
    others = [k for k in range(3) if slices == "each" and k != 1]
    assert np.array_equal(made[:, :, others], field[:, :, others])


def test_nothing_is_asked_without_targets():
    session = Session(tiny.case(), tiny.model())
    options = make_options(80, level=20, seed=3)
    u = session.ends(options)[0].displacement
    assert torch.equal(prior_answer(session, options, 0, u), u)
