"""The segmentation network: it learns, its seed gives its weights, how a pixel gets its label."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("monai")
from src_core.tasks.segmentation.measures import figures_of
from src_core.tasks.segmentation.network import predict, train
from tests.support.segmentations import SPACING, pool, stack


def test_every_method_is_trained_on_the_same_slices_from_the_same_weights(monkeypatch):
    seen: dict[str, list[object]] = {"none": [], "drdm": []}
    for method, calls in seen.items():
        made = pool(method)
        batch = made.batch
        monkeypatch.setattr(made, "batch", lambda c, f=batch, k=calls: (k.append(c), f(c))[1])
        options = {"times": 3, "steps": 3, "batch": 4, "seed": 5, "loss": "bce+dice"}
        options |= {"rate": 1e-3, "device": "cpu"}
        list(train(made, 2, **options))
    assert seen["none"] == seen["drdm"] and len(seen["drdm"]) == 3
    assert {v for call in seen["drdm"] for _, v in call} <= {0, 1, 2, 3}


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["bce", "bce+dice"])
def test_the_network_learns_and_a_seed_gives_the_same_weights(loss):
    options = {"times": 1, "steps": 100, "batch": 4, "seed": 5, "loss": loss}
    options |= {"rate": 1e-2, "device": "cpu"}
    runs = [[(v, n) for _, v, n in train(pool("none"), 2, **options)] for _ in range(2)]
    assert [v for v, _ in runs[0]] == [v for v, _ in runs[1]]
    network, original = runs[0][-1][1], stack()
    figures = figures_of(predict(network, original.images), original.classes, (1, 2), SPACING)
    assert figures["dsc"] > 0.9


def test_a_pixel_gets_the_likeliest_label_above_one_half():
    logits = torch.tensor([[-1.0, -2.0], [0.5, 0.2], [0.3, 4.0], [-3.0, 0.1]])

    class Fixed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.anything = torch.nn.Parameter(torch.zeros(1))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return logits.T.reshape(1, 2, 2, 2).expand(len(images), -1, -1, -1)

    assert predict(Fixed(), torch.zeros(3, 1, 2, 2))[2].flatten().tolist() == [0, 1, 2, 2]
