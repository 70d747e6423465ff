"""``RandDRDM`` in data loaders: every worker draws its own, and seeds count."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from src_core.transforms import Live

pytest.importorskip("monai", reason='needs MONAI: pip install "napari-drdm[monai]"')
from monai.data import (
    DataLoader,
    Dataset,
    decollate_batch,
    list_data_collate,
)

from tests.support.monai_samples import randomly, sample


class Repeated(torch.utils.data.Dataset):
    def __init__(self, transform: Any, count: int) -> None:
        self.transform, self.count = transform, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return self.transform(sample())


def images(loader: Any) -> list[torch.Tensor]:
    return [one["image"].as_tensor() for batch in loader for one in decollate_batch(batch)]


def different(found: list[torch.Tensor]) -> bool:
    pairs = [(a, b) for i, a in enumerate(found) for b in found[:i]]
    return not any(torch.equal(a, b) for a, b in pairs)


def plain_loader(transform: Any, method: str, count: int = 4) -> Any:
    return torch.utils.data.DataLoader(
        Repeated(transform, count),
        num_workers=2,
        multiprocessing_context=method,
        collate_fn=list_data_collate,
        generator=torch.Generator().manual_seed(4),
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_in_a_plain_loader_every_worker_draws_its_own(maker: Live, method: str) -> None:
    if method not in torch.multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} on this platform")
    first = images(plain_loader(randomly(maker), method))
    assert len(first) == 4
    assert different(first)
    assert all(map(torch.equal, first, images(plain_loader(randomly(maker), method))))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_in_monais_loader_its_seeds_count(maker: Live, method: str) -> None:
    if method not in torch.multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} on this platform")

    def loaded() -> list[torch.Tensor]:
        data = Dataset([sample() for _ in range(4)], randomly(maker, seed=1))
        loader = DataLoader(
            data,
            num_workers=2,
            multiprocessing_context=method,
            generator=torch.Generator().manual_seed(4),
        )
        return images(loader)

    first = loaded()
    assert different(first)
    assert all(map(torch.equal, first, loaded()))
