"""Methods of augmentation: their draws, what they leave alone, how far they move."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_core.fields import magnitude

pytest.importorskip("monai")
from src_core.tasks.segmentation.methods import METHODS, appearance, bigaug_spatial
from src_core.tasks.segmentation.slice_stacks import one_hot
from tests.support.segmentations import pool, stack


def test_without_augmentation_every_variant_is_the_slice_itself():
    none, original = pool("none"), stack()
    for variant in (0, 3):
        image, classes = none.get(1, variant)
        assert torch.equal(image, original.images[1].half())
        assert torch.equal(classes.long(), original.classes[1])


@pytest.mark.parametrize("method", METHODS)
def test_variants_follow_from_seed_case_slice_and_number_alone(method):
    torch.manual_seed(3)
    np.random.seed(3)
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    one, other = pool(method), pool(method)
    other.get(0, 5), other.get(3, 1)
    for index, variant in ((1, 2), (4, 1)):
        for ours, theirs in zip(one.get(index, variant), other.get(index, variant), strict=True):
            assert torch.equal(ours, theirs)
    assert torch.equal(states[0], torch.get_rng_state())
    assert (states[1] == np.random.get_state()[1]).all()


@pytest.mark.parametrize("method", ["bigaug", "appearance", "elastic", "drdm"])
def test_variants_differ_from_the_slice_and_variant_0_is_it(method):
    made = pool(method)
    images = torch.stack([made.get(0, variant)[0].float() for variant in range(6)])
    assert torch.equal(made.get(0, 0)[0], stack().images[0].half())
    assert len({tuple(image.flatten().tolist()) for image in images}) >= 5
    assert set(torch.cat([made.get(0, v)[1] for v in range(6)]).unique().tolist()) <= {0, 1, 2}


def test_another_seed_draws_differently():
    ours, theirs = (pool("bigaug", seed=s) for s in (1, 2))
    assert any(not torch.equal(ours.get(0, v)[0], theirs.get(0, v)[0]) for v in range(1, 5))


def test_a_field_of_the_models_grid_moves_the_slice_by_the_same_share_of_its_side():
    made, original = pool("drdm"), stack()
    image, classes = made.get(0, 2)  # two of 16 state voxels: 4 of 32 pixels
    assert torch.allclose(image[:, :-4].float(), original.images[0, :, 4:], atol=1e-3)
    assert torch.equal(classes[:-4].long(), original.classes[0, 4:])
    assert not classes[-4:].any()


def test_elastic_deformation_moves_as_much_as_the_models_on_average():
    elastic, drdm = pool("elastic"), pool("drdm")
    for variant in (1, 3):
        means = [float(magnitude(p.displacement("a", variant, 32)).mean()) for p in (elastic, drdm)]
        assert means[0] == pytest.approx(means[1], rel=1e-5) == pytest.approx(2 * variant)
    assert elastic.displacement("a", 1, 32).std() > 0.1


def test_appearance_leaves_labels_and_places_alone():
    made, original = pool("appearance"), stack()
    for variant in range(1, 5):
        assert torch.equal(made.get(0, variant)[1].long(), original.classes[0])


def test_bigaug_draws_each_transform_with_a_chance_of_one_half():
    image = stack().images[0]
    same = sum(torch.allclose(appearance(image, seed), image, atol=1e-6) for seed in range(800))
    assert 3 <= same <= 25  # 800 / 2**6 = 12.5
    planes = torch.cat([image, one_hot(stack().classes[0], 2)])
    still = sum(torch.allclose(bigaug_spatial(planes, seed), planes) for seed in range(160))
    assert 8 <= still <= 34  # 160 / 2**3 = 20
