"""A pose with a deformation: one map, sampled once, as ITK composes and resamples it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.fields import sampling, warp_case
from src_core.fields.planes import field_tensor
from src_core.fields.sampling import identity, sample
from src_core.generation import Options, generate, generate_series, iterate
from src_core.generation.pairs import make_pair
from src_core.generation.pose import Pose, parse_pose, pose_text
from src_core.generation.recipe import differences
from tests.support import tiny
from tests.support.posed import always, inside, matrix_of, oblique_volume, resampled

TWO, THREE = tiny.model(2), tiny.model(3)
CASES = [(TWO, tiny.case()), (THREE, oblique_volume())]
FLIP = {"rotation_probability": 0, "scale_probability": 0, "shift": 0}


@pytest.mark.parametrize("flip", ["", "x", "xy", "y"])
@pytest.mark.parametrize(("model", "case"), CASES, ids=["2D", "3D"])
def test_the_new_image_is_the_one_itk_composes(model: Any, case: Case, flip: str) -> None:
    options = {"level": 40, "seed": 3}
    new, bare = (
        generate(case, model, **options, pose=always(flip=flip)),
        generate(case, model, **options),
    )
    pose = matrix_of(new)
    known = inside(case, pose)
    assert known.mean() > 0.4 and np.abs(bare.displacement).max() > 1.5
    apart = np.abs(resampled(case, bare.displacement, pose) - new.case.image)
    assert apart[known].max() < 0.501  # rounding to whole numbers
    assert np.sign(np.linalg.det(pose[:3, :3])) == (-1 if len(flip) == 1 else 1)


@pytest.mark.parametrize(("model", "case"), CASES, ids=["2D", "3D"])
def test_the_saved_displacement_is_the_whole_map(model: Any, case: Case) -> None:
    new = generate(case, model, level=40, seed=3, pose=always(flip="x"))
    apart = np.abs(resampled(case, new.displacement, np.eye(4)) - new.case.image)
    assert apart.max() < 0.501


@pytest.mark.parametrize(("model", "case"), CASES, ids=["2D", "3D"])
def test_the_inverse_undoes_the_whole_map(model: Any, case: Case) -> None:
    new = generate(case, model, level=30, seed=3, pose=always(flip="y"))
    there, back = (field_tensor(f, case.grid, None) for f in (new.displacement, new.inverse))
    at = identity(case.grid.shape, back) + back
    last = torch.tensor(case.grid.shape).view(1, 3, 1, 1, 1) - 1
    known = ((at >= 1) & (at <= last - 1))[:, : model.spec.ndim].all(1)
    apart = (back + sample(there, at)).abs().amax(1)[known]
    assert known.float().mean() > 0.5 and float(apart.max()) < 0.2


@pytest.mark.parametrize("flip", ["x", "y", "xy"])
@pytest.mark.parametrize(("model", "case"), CASES, ids=["2D", "3D"])
def test_a_flip_is_exact(model: Any, case: Case, flip: str) -> None:
    new = generate(case, model, level=0, pose=always(flip=flip, **FLIP))
    axes = ["xyz".index(axis) for axis in flip]
    assert np.array_equal(new.case.image, np.flip(case.image, axes))
    assert np.array_equal(new.case.label_map, np.flip(case.label_map, axes))
    assert np.abs(new.jacobian - 1).max() < 1e-4
    assert new.metrics["folding_permille"] == 0 and new.metrics["label_folding_permille"] == {
        str(v): 0 for v in np.unique(case.label_map) if v
    }


def test_a_2d_model_keeps_to_its_slices() -> None:
    case = tiny.case()
    new = generate(case, TWO, level=30, slices="each", pose=always(flip="xyz"))
    assert np.abs(case.grid.to_voxels(new.displacement)[..., 2]).max() < 1e-4
    drawn = new.recipe["drawn"]["pose"]
    assert drawn["rotation"][:2] == (0, 0) and drawn["rotation"][2] and drawn["shift"][2] == 0
    assert drawn["flip"] == (True, True, False)


def test_image_and_labels_are_sampled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the compiled loops, and by PyTorch, which samples the mask of each label."""
    case = oblique_volume()
    known = {"image": case.image, "label": case.label_map, "mask": case.label_map == 2}
    counts = dict.fromkeys(known, 0)

    def counting(home: Any, name: str, array_of: Any) -> None:
        plain = getattr(home, name)

        def counted(values: Any, *args: Any, **options: Any) -> Any:
            array = array_of(values)
            for what, other in known.items():
                counts[what] += array.shape == other.shape and bool((array == other).all())
            return plain(values, *args, **options)

        monkeypatch.setattr(home, name, counted)

    counting(sampling, "image_source", np.asarray)
    counting(sampling, "label_source", np.asarray)
    counting(functional, "grid_sample", lambda values: values[0, 0].numpy())
    generate(case, THREE, level=20, pose=always(), intensity="nnunet")
    assert counts == {"image": 1, "label": 1, "mask": 0}
    monkeypatch.setattr(warp_case, "warp_volumes", lambda *_: None)
    for name in ("can_sample", "can_vote"):
        monkeypatch.setattr(sampling, name, lambda *_: False)
    generate(case, THREE, level=20, pose=always(), intensity="nnunet")
    assert counts == {"image": 2, "label": 1, "mask": 1}


def test_what_the_deformation_is_stays_what_it_was() -> None:
    case = tiny.case()
    bare, new = (generate(case, TWO, level=40, pose=p) for p in (None, always(flip="x")))
    own = ("max_mm", "mean_mm", "min_det", "certified", "strict_folding_permille", "guard_scale")
    assert {k: bare.metrics[k] for k in own} == {k: new.metrics[k] for k in own}
    scale = new.recipe["drawn"]["pose"]["scale"]
    assert new.jacobian.min() > 0
    assert np.median(new.jacobian) == pytest.approx(np.median(bare.jacobian) / scale**2, rel=0.1)


@pytest.mark.parametrize(("model", "case"), CASES, ids=["2D", "3D"])
def test_the_change_of_a_label_leaves_out_the_scale_of_the_pose(model: Any, case: Case) -> None:
    asked = always(scale=(0.8, 0.8), shift=0, rotation_probability=0)
    bare, new = (generate(case, model, level=20, pose=p) for p in (None, asked))
    factor = 0.8**model.spec.ndim
    assert new.metrics["pose_volume"] == pytest.approx(factor) and "pose_volume" not in bare.metrics
    for value, change in bare.metrics["label_volume_change"].items():
        before, after = new.metrics["label_volume_ml"][value]
        own = new.metrics["label_volume_change"][value]
        assert own == pytest.approx(100 * (after / before / factor - 1))
        assert own == pytest.approx(change, abs=8)  # a small label's ragged edge


def test_labels_that_leave_the_image_are_reported() -> None:
    values = np.random.default_rng(0).integers(0, 90, (40, 50, 3)).astype(np.int16)
    labels = np.zeros(values.shape, np.uint8)
    labels[0:10, 20:30], labels[20:24, 20:24] = 1, 2
    case = Case.from_arrays(values, labels, spacing=(1, 2, 8))
    for seed in range(9):  # one shift takes label 1 out by more than half, along x alone
        pose = always(rotation_probability=0, scale_probability=0, shift=12)
        new = generate(case, TWO, level=0, seed=seed, pose=pose)
        shift = new.recipe["drawn"]["pose"]["shift"][0]
        gone = np.clip(np.ceil(-shift - 0.5), 0, 10)
        assert new.metrics["label_cut_percent"] == {"1": pytest.approx(10 * gone), "2": 0}


def test_the_same_recipe_makes_the_same_bits() -> None:
    case, asked = tiny.case(), {"level": 30, "pose": "nnunet", "intensity": "nnunet"}
    first = generate(case, TWO, seed=5, **asked)
    again = generate(case, TWO, **first.recipe["options"])
    assert differences(first.recipe, again.recipe) == []
    assert again.recipe["drawn"] == first.recipe["drawn"]
    other = generate(case, TWO, seed=6, **asked)
    assert differences(first.recipe, other.recipe) and "drawn" in other.recipe


def test_a_recipe_on_record_is_taken_instead_of_drawn() -> None:
    case = tiny.case()
    options = Options(level=20, seed=5, pose=always(), intensity="nnunet,noise_probability=1")
    recipe = json.loads(json.dumps(generate(case, TWO, **options.model_dump()).recipe))
    *_, same = iterate(case, TWO, options, recorded=recipe)
    assert differences(recipe, same.recipe) == []
    recipe["drawn"]["pose"]["scale"] *= 1.1
    recipe["drawn"]["intensities"][0]["noise_seed"] += 1
    *_, other = iterate(case, TWO, options, recorded=recipe)
    assert other.recipe["drawn"]["pose"]["scale"] == recipe["drawn"]["pose"]["scale"]
    assert set(differences(recipe, other.recipe)) >= {"image", "labels", "displacement"}
    *_, bare = iterate(case, TWO, options, recorded={})
    assert np.array_equal(bare.case.image, generate(case, TWO, level=20, seed=5).case.image)
    recipe["drawn"]["pose"].pop("flip")
    with pytest.raises(InputError, match="cannot be read"):
        list(iterate(case, TWO, options, recorded=recipe))


def test_pairs_and_series_refuse_a_pose() -> None:
    case, chosen = tiny.case(), Options(level=10, pose="small")
    with pytest.raises(InputError, match="pairs take no pose"):
        make_pair(case, TWO, chosen, chosen)
    with pytest.raises(InputError, match="series in time take no changes of intensity"):
        generate_series(case, TWO, frames=3, intensity="nnunet")


@pytest.mark.parametrize("text", ["nnunet", "small", "small,shift=0.1,flip=xz", "scale=0.7:1.1"])
def test_a_pose_is_written_as_it_is_read(text: str) -> None:
    pose = parse_pose(text)
    assert isinstance(pose, Pose) and parse_pose(pose_text(pose)) == pose
    assert Options(pose=text) == Options(**Options(pose=pose).model_dump())


@pytest.mark.parametrize("text", ["large", "shift", "shift=-1", "scale=2:1", "flip=q", "turn=3"])
def test_an_impossible_pose_is_an_error_that_says_what_is_possible(text: str) -> None:
    with pytest.raises(InputError, match=r"pose, expected nnunet, small, none"):
        parse_pose(text)


def test_options_without_a_pose_are_written_as_before() -> None:
    assert not {"pose", "intensity"} & Options().model_dump().keys()
    assert parse_pose("none") is None
