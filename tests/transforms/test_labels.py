"""Labels at every position are those of the engine's own sampling."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st

from src_core.fields.sampling import warp_labels
from src_core.transforms.labels import labels_at


@given(
    st.sampled_from([(2, 2), (5, 7), (1, 6), (4, 3, 5), (6, 2, 1)]),
    st.integers(0, 10**6),
    st.sampled_from(["linear", "nearest"]),
)
def test_labels_are_those_of_every_cell(shape: tuple[int, ...], seed: int, mode: Any) -> None:
    numbers = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (2, 1, *shape), generator=numbers)
    labels[0, 0, : shape[0] // 2 + 1] = 3
    size = torch.tensor(shape).view(1, -1, *[1] * len(shape))
    at = torch.rand(2, len(shape), *[9] * len(shape), generator=numbers) * (size + 2) - 1.5
    assert torch.equal(labels_at(labels, at, mode), warp_labels(labels, at, mode))
    both = torch.cat([labels, 3 - labels], 1).to(torch.int16)
    expected = torch.cat([warp_labels(c, at, mode) for c in both.split(1, 1)], 1)
    assert torch.equal(labels_at(both, at, mode).long(), expected)
