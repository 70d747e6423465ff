"""Organs of a model: their maps in the network, in the model, and in label maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from src_core.fields.algebra import resized
from src_core.models.model import Model, ModelSpec, with_variety
from src_core.models.nn.velocity import VelocityUNet, depth_to_space, space_to_depth
from src_core.models.organs import Organ, marked, organs_of_labels
from tests.support import tiny

ORGANS = ({"name": "wall", "labels": (1, 2)}, {"name": "cavity", "labels": (2,)})


def with_organs(ndim: int = 2, **changes: Any) -> Model:
    network = {**tiny.SPEC["network"], "ndim": ndim, "organs": 2}  # type: ignore[dict-item]
    return tiny.model(ndim, network=network, organs=ORGANS, **changes)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("sides", "block"), [((12, 8), 2), ((6, 12, 9), 3), ((8, 4, 12), 4)])
def test_depth_to_space_is_the_inverse_of_space_to_depth(
    sides: tuple[int, ...], block: int
) -> None:
    image = random(2, 3, *sides)
    folded = space_to_depth(image, block)
    assert folded.shape == (2, 3 * block ** len(sides), *(n // block for n in sides))
    assert torch.equal(depth_to_space(folded, block), image)
    assert torch.equal(space_to_depth(depth_to_space(folded, block), block), folded)


@pytest.mark.parametrize("ndim", [2, 3])
def test_organs_lie_on_a_grid_twice_as_fine_beside_the_same_velocity(ndim: int) -> None:
    network = with_organs(ndim).network
    assert isinstance(network, VelocityUNet)
    side = 64 if ndim == 2 else 32
    images, levels = random(2, 1, *[side] * ndim), torch.tensor([3, 50])
    with torch.inference_mode():
        velocity, logits = network.forward_with_organs(images, levels)
        assert torch.equal(velocity, network(images, levels))
    assert logits is not None
    assert velocity.shape == (2, ndim, *[side // 4] * ndim)
    assert logits.shape == (2, 2, *[side // 2] * ndim)


def test_a_network_without_organs_gives_none() -> None:
    network = tiny.model().network
    assert isinstance(network, VelocityUNet)
    _, logits = network.forward_with_organs(random(1, 1, 64, 64), torch.tensor([5]))
    assert logits is None
    assert "organs" not in network.config.model_dump()
    assert tiny.model().organ_shares(random(1, 1, 64, 64)) is None


@pytest.mark.parametrize(("maps", "described"), [(1, 2), (0, 1), (2, 0)])
def test_a_spec_describes_every_organ_of_its_network(maps: int, described: int) -> None:
    network = {**tiny.SPEC["network"], "organs": maps}  # type: ignore[dict-item]
    values = {**tiny.SPEC, "network": network, "organs": ORGANS[:described]}
    message = f"network.organs is {maps}, but {described} organs are described"
    with pytest.raises(ValidationError, match=message):
        ModelSpec.model_validate(values)


def test_shares_are_the_mean_of_the_maps_in_the_images() -> None:
    model, images = with_organs(), random(2, 1, 64, 64)
    with torch.inference_mode():
        together = model.organ_shares(images)
        alone = [model.organ_shares(image[None]) for image in images]
        maps = model.network.forward_with_organs(images[:1], torch.tensor([4]))[1]  # type: ignore[operator]
    assert together is not None and alone[0] is not None and alone[1] is not None
    assert together.shape == (1, 2, model.spec.state, model.spec.state)
    torch.testing.assert_close(together, (alone[0] + alone[1]) / 2)
    torch.testing.assert_close(alone[0], resized(maps.sigmoid(), model.spec.state))
    assert float(alone[0].std()) > 0 and float((alone[0] - alone[1]).abs().max()) > 0


def test_another_default_variety_changes_nothing_else() -> None:
    model = with_organs()
    assert with_variety(model, None) is model
    other = with_variety(model, 0.6)
    assert other.network is model.network and other.spec.recovery.variety == 0.6
    assert with_variety(other, model.spec.recovery.variety).spec == model.spec


def test_an_organ_holds_every_label_of_its_own() -> None:
    labels = np.array([[0, 1, 1, 3], [2, 2, 1, 0]])
    maps = marked(labels, [Organ.model_validate(organ) for organ in ORGANS])
    np.testing.assert_array_equal(maps[0], [[0, 1, 1, 0], [1, 1, 1, 0]])
    np.testing.assert_array_equal(maps[1], [[0, 0, 0, 0], [1, 1, 0, 0]])


def test_holes_of_a_label_are_its_organ() -> None:
    """A ring with a cavity of another label: the ring's organ is the whole disc."""
    labels = np.zeros((9, 11), np.uint8)
    labels[2:7, 3:8], labels[3:6, 4:7] = 5, 2
    ring, cavity = organs_of_labels(labels, (5, 2))
    assert ring.sum() == 25 and cavity.sum() == 9
    np.testing.assert_array_equal(ring[2:7, 3:8], 1)
