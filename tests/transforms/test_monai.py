"""``RandDRDM`` among MONAI's transforms: traced, undone, its own random numbers."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from src_core.cases.case import Case
from src_core.errors import ArgumentError
from src_core.transforms import Bank, Live, make_bank
from tests.support import tiny
from tests.support.loops import ball, scan, untouched

pytest.importorskip("monai", reason='needs MONAI: pip install "napari-drdm[monai]"')
from monai import transforms as mt
from monai.data import (
    MetaTensor,
    decollate_batch,
    list_data_collate,
)
from monai.data.meta_obj import set_track_meta

from src_core.transforms import RandDRDM, RandDRDMd
from tests.support.monai_samples import KEYS, middle, randomly, sample


def test_it_is_what_monai_asks_for(maker: Live) -> None:
    assert RandDRDM is RandDRDMd
    transform = RandDRDM(KEYS, maker)
    kinds = (mt.RandomizableTransform, mt.MapTransform, mt.InvertibleTransform)
    assert all(isinstance(transform, kind) for kind in kinds)
    assert transform.prob == 0.1


def test_image_and_label_move_together_and_stay_what_they_are(maker: Live) -> None:
    given = sample()
    with untouched():
        made = randomly(maker)(given)
    assert made["age"] == 61
    for key in KEYS:
        assert isinstance(made[key], MetaTensor)
        assert (made[key].dtype, made[key].shape) == (given[key].dtype, given[key].shape)
        assert torch.equal(made[key].affine, given[key].affine)
        assert given[key].applied_operations == []
        trace = made[key].applied_operations[-1]
        assert trace["class"] == "RandDRDMd"
        assert trace["do_transforms"]
    assert (middle(made["image"]) - middle(given["image"])).abs().mean() > 1
    assert ((middle(made["image"]) > 50) == middle(made["label"]).bool()).float().mean() > 0.98


def test_the_inverse_gives_the_source_back(maker: Live) -> None:
    given, transform = sample(), randomly(maker)
    made = transform(given)
    back = transform.inverse(made)
    for key in KEYS:
        assert back[key].applied_operations == []
        assert back[key].dtype == given[key].dtype
    moved = (middle(made["image"]) - middle(given["image"])).abs().mean()
    assert (middle(back["image"]) - middle(given["image"])).abs().mean() < 0.1 * moved
    wrong = (middle(back["label"]) != middle(given["label"])).float().mean()
    assert wrong < 0.1 * (middle(made["label"]) != middle(given["label"])).float().mean()


def test_left_out_by_chance_it_is_still_traced(maker: Live) -> None:
    given, transform = sample(), randomly(maker, prob=0.0)
    made = transform(given)
    assert torch.equal(made["image"], given["image"])
    assert not made["image"].applied_operations[-1]["do_transforms"]
    assert given["image"].applied_operations == []
    assert torch.equal(transform.inverse(made)["image"], given["image"])


def test_seeds_make_the_same_as_monais_own_do(maker: Live) -> None:
    elastic = mt.Rand2DElasticd(("image",), (8, 8), (1, 2), prob=1.0)
    for transform in (elastic, randomly(maker)):
        given = sample((40, 52), np.eye(3)) if transform is elastic else sample()
        first = transform.set_random_state(5)(given)["image"]
        second = transform(given)["image"]
        assert torch.equal(transform.set_random_state(5)(given)["image"], first)
        assert torch.equal(transform(given)["image"], second)
        assert not torch.equal(first, second)


def test_fifty_samples_through_a_pipeline_and_back(maker: Live, tmp_path: Path) -> None:
    import nibabel as nib

    for name, values in (("image", ball()), ("label", (ball() > 50).astype(np.uint8))):
        nib.save(nib.Nifti1Image(values, tiny.OBLIQUE), tmp_path / f"{name}.nii.gz")
    files = {key: str(tmp_path / f"{key}.nii.gz") for key in KEYS}
    pipeline = mt.Compose(
        [
            mt.LoadImaged(KEYS),
            mt.EnsureChannelFirstd(KEYS),
            mt.Orientationd(KEYS, axcodes="RAS", labels=None),
            randomly(maker, prob=0.8),
            mt.RandFlipd(KEYS, prob=0.5, spatial_axis=0),
            mt.RandRotate90d(KEYS, prob=0.5, spatial_axes=(0, 1)),
            mt.RandScaleIntensityd(("image",), factors=0.0, prob=0.5),
        ]
    ).set_random_state(3)
    source = mt.Compose(pipeline.transforms[:2])(files)
    drawn, errors, moves = set(), [], []
    for _ in range(50):
        made = pipeline(files)
        trace = made["image"].applied_operations[1]
        assert trace["class"] == "RandDRDMd"
        if trace["do_transforms"]:
            drawn.add(trace["extra_info"]["deformation"]["seed"])
        back = pipeline.inverse(made)
        assert back["image"].applied_operations == []
        assert torch.allclose(back["image"].affine, source["image"].affine)
        errors.append(float((middle(back["image"]) - middle(source["image"])).abs().mean()))
        moves.append(trace["do_transforms"])
    assert 30 <= len(drawn) == sum(moves) < 50
    assert max(errors) < 1
    assert max(e for e, moved in zip(errors, moves, strict=True) if not moved) == 0


def test_the_way_back_loses_no_more_than_monais_own(maker: Live) -> None:
    """Over 50 samples; MONAI's elastic transforms have no way back, its affine one has.

    Two interpolations lose more where the image is compressed in between, which a rotation spares.
    """
    given = sample((96, 104), np.eye(3))
    affine = mt.RandAffined(
        ("image",), prob=1.0, rotate_range=0.5, translate_range=4, padding_mode="border"
    )
    assert not issubclass(mt.Rand2DElasticd, mt.InvertibleTransform)

    def losses(transform: Any) -> list[float]:
        transform.set_random_state(1)
        found = []
        for _ in range(50):
            back = transform.inverse(transform(given))["image"]
            found.append(float((back - given["image"])[:, 24:-24, 26:-26].abs().mean()))
        return found

    ours, theirs = losses(randomly(maker)), losses(affine)
    assert np.median(ours) < 1.3 * np.median(theirs)
    assert max(ours) < 2 * max(theirs)


def test_items_on_other_grids_move_with_the_image(maker: Live) -> None:
    given = sample()
    half = np.array(tiny.OBLIQUE) @ np.diag([2, 2, 1, 1.0])
    coarse = given["image"].as_tensor()[:, ::2, ::2]
    given["label"] = MetaTensor(coarse, affine=torch.from_numpy(half))
    made = randomly(maker, mode="bilinear")(given)
    expected = made["image"].as_tensor()[:, ::2, ::2]
    assert torch.equal(made["image"], randomly(maker)(sample())["image"])
    wrong = (made["label"].as_tensor() - expected)[:, 4:-4, 5:-5].abs().mean()
    assert wrong < 0.15 * (coarse - expected)[:, 4:-4, 5:-5].abs().mean()


def test_pictures_arrays_and_untracked_tensors(maker: Live) -> None:
    given = sample((40, 52), np.eye(3))
    made = randomly(maker)(given)
    assert made["image"].shape == (1, 40, 52)
    arrays = {key: given[key].numpy() for key in KEYS}
    assert torch.equal(randomly(maker)(arrays)["label"], made["label"])
    set_track_meta(False)
    try:
        bare = randomly(maker)(arrays)
    finally:
        set_track_meta(True)
    assert type(bare["image"]) is torch.Tensor
    assert torch.equal(bare["image"], made["image"].as_tensor())


def test_keys_that_are_missing(maker: Live) -> None:
    given = {"image": sample()["image"]}
    with pytest.raises(KeyError, match="label"):
        randomly(maker)(given)
    assert set(randomly(maker, allow_missing_keys=True)(given)) == {"image"}
    with pytest.raises(ArgumentError, match="'mode'"):
        RandDRDMd(KEYS, maker, mode="spline")


def test_from_a_bank_by_file_by_key_and_after_turning(maker: Live, tmp_path: Path) -> None:
    case = Case.from_arrays(ball(), affine=tiny.OBLIQUE)
    list(make_bank({"p1": case, "p2": case}, tmp_path, maker, per_case=2))
    given = sample()
    given["image"].meta["filename_or_obj"] = "/data/p2.nii.gz"
    made = randomly(tmp_path)(given)
    trace = made["image"].applied_operations[-1]["extra_info"]["deformation"]
    assert trace["seed"] in [Bank(tmp_path).get("p2", i).seed for i in (0, 1)]
    named = randomly(tmp_path, case_key="who")({**sample(), "who": "p2"})
    assert torch.equal(named["image"], made["image"])
    bare = {key: given[key].numpy() for key in KEYS}
    set_track_meta(False)
    try:
        unplaced = randomly(tmp_path, case_key="who")({**bare, "who": "p2"})
    finally:
        set_track_meta(True)
    assert torch.equal(unplaced["image"], made["image"].as_tensor())
    turn = mt.Orientationd(KEYS, axcodes="PSR", labels=None)
    turned = turn.inverse(randomly(tmp_path)(turn(given)))
    assert (turned["image"] - made["image"]).abs().max() < 0.02


def test_it_is_pickled_with_its_state(maker: Live) -> None:
    transform = randomly(maker)
    transform(sample())
    again = pickle.loads(pickle.dumps(transform))
    assert torch.equal(again(sample())["image"], transform(sample())["image"])


def test_a_batch_is_undone_after_decollation(maker: Live) -> None:
    transform = randomly(maker)
    batch = list_data_collate([transform(sample()) for _ in range(3)])
    for one in decollate_batch(batch):
        back = transform.inverse({key: one[key] for key in KEYS})
        assert (middle(back["image"]) - middle(sample()["image"])).abs().mean() < 1


def test_the_deformation_is_the_sources_own(maker: Live) -> None:
    made = randomly(maker)(sample())
    trace = made["image"].applied_operations[-1]["extra_info"]["deformation"]
    expected = maker.make(scan(), trace["level"], trace["seed"])
    assert np.array_equal(trace["u"], expected.u)
