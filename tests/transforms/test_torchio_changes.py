"""A pose and intensities with ``RandomDRDM``: history replays them, the inverse undoes the pose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from src_core.transforms import Live
from tests.support import tiny
from tests.support.loops import ball, untouched
from tests.support.posed import always

tio = pytest.importorskip(
    "torchio", reason='needs TorchIO: pip install "napari-drdm[torchio]"', exc_type=ImportError
)

from src_core.transforms import RandomDRDM  # noqa: E402


def subject() -> Any:
    image = torch.from_numpy(ball())[None]
    return tio.Subject(
        scan=tio.ScalarImage(tensor=image, affine=tiny.OBLIQUE),
        other=tio.ScalarImage(tensor=image.clone(), affine=tiny.OBLIQUE),
        seg=tio.LabelMap(tensor=(image > 50).to(torch.uint8), affine=tiny.OBLIQUE),
    )


def middle(image: Any) -> torch.Tensor:
    return image.data[:, 10:-10, 14:-14].float()


def test_history_replays_what_was_drawn(maker: Live) -> None:
    made = []
    for seed in range(8):
        given = subject()
        with untouched():
            new = RandomDRDM(maker, seed=seed, pose="small", intensity="nnunet")(given)
        again = new.get_composed_history()(given)
        for name in ("scan", "other", "seg"):
            assert torch.equal(new[name].data, again[name].data)
        agree = (middle(new.scan) > 50) == middle(new.seg).bool()
        made.append((new, agree.float().mean() > 0.98))
    assert any(not torch.equal(new.scan.data, new.other.data) for new, _ in made)
    assert any(agree for _, agree in made)
    drawn = {new.history[-1].deformation.pose for new, _ in made}
    assert len(drawn) == 8


def test_the_inverse_undoes_the_pose(maker: Live) -> None:
    given = subject()
    pose = always(flip="y", shift=2, scale=(0.95, 1))
    new = RandomDRDM(maker, seed=1, pose=pose)(given)
    back = new.apply_inverse_transform()
    lost, moved = ((middle(a.scan) - middle(given.scan)).abs().mean() for a in (back, new))
    assert lost < 0.5 < 1 < moved


def test_without_them_nothing_changes(maker: Live) -> None:
    plain, none = (RandomDRDM(maker, seed=1, pose=p)(subject()) for p in (None, "none"))
    assert torch.equal(plain.scan.data, none.scan.data)
    assert np.array_equal(plain.history[-1].deformation.u, none.history[-1].deformation.u)
