"""The trainer among nnU-Net's: what stays nnU-Net's own, what is checked, its processes."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from src_core.errors import ArgumentError, InputError

pytest.importorskip("nnunetv2", reason='needs nnU-Net: pip install "napari-drdm[nnunet]"')
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from src_core.transforms import nnUNetTrainerDRDM
from src_core.transforms.nnunet.spatial import with_deformations
from tests.support.nnunet import preprocess, trainer_of
from tests.support.nnunet_data import cases
from tests.support.nnunet_patches import fill, loader_of, patches
from tests.support.stored_bank import bank_of

pytestmark = pytest.mark.filterwarnings("ignore")


def along_y(grid: Any, at: np.ndarray) -> np.ndarray:
    return 0.0 * at + [0, 3, 0]


@pytest.fixture
def thick(nnunet: Path) -> Path:
    """A preprocessed data set of slices along x, which has a bank."""
    fill(nnunet / "bank", True, along_y)
    return preprocess(nnunet, thick=True, configuration="2d")


def seeded(loader: Any, count: int = 4) -> list[dict[str, Any]]:
    np.random.seed(11)
    torch.manual_seed(11)
    return [next(loader) for _ in range(count)]


def same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    return all(
        torch.equal(a["data"], b["data"]) and all(map(torch.equal, a["target"], b["target"]))
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("configuration", ["2d", "3d_fullres"])
def test_without_deformations_batches_are_nnunets_to_the_bit(
    nnunet: Path, monkeypatch: pytest.MonkeyPatch, configuration: str
) -> None:
    """All of its augmentation, training and validation; and a deformation is a difference."""
    fill(nnunet / "bank", True, along_y)
    folder = preprocess(nnunet, thick=True, configuration=configuration)
    plain = trainer_of(nnUNetTrainer, folder, configuration).get_dataloaders()
    for probability, equal in (("0", True), ("1", False)):
        monkeypatch.setenv("DRDM_PROBABILITY", probability)
        made = trainer_of(nnUNetTrainerDRDM, folder, configuration).get_dataloaders()
        training, validation = zip(plain, made, strict=True)
        assert same(*map(seeded, training)) is equal
        assert same(*map(seeded, validation))


def test_a_part_of_the_samples_is_deformed(thick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    still = {"p_rotation": 0.0, "p_scaling": 0.0, "allowed_axes": ()}
    plain = patches(loader_of(nnUNetTrainer, thick, "2d", **still), 30)
    monkeypatch.setenv("DRDM_PROBABILITY", "0.3")
    made = patches(loader_of(nnUNetTrainerDRDM, thick, "2d", **still), 30)
    pairs = zip(plain.coordinates, made.coordinates, strict=True)
    share = np.mean([not np.array_equal(one, other) for one, other in pairs])
    assert 0.1 < share < 0.5  # of 120


def test_cases_without_deformations_are_used_as_they_are_and_named(nnunet: Path) -> None:
    known = dict(cases(True))
    u = {
        n: (known[n], [known[n].to_lps_mm(np.full((*known[n].shape, 3), 1.0))])
        for n in ("p1", "p5")
    }
    folder = preprocess(nnunet, thick=True, configuration="3d_fullres")
    bank_of(nnunet / "bank", u)
    plain = patches(loader_of(nnUNetTrainer, folder, "3d_fullres"))
    trainer = trainer_of(nnUNetTrainerDRDM, folder, "3d_fullres")
    trainer.get_dataloaders()
    log = Path(trainer.log_file).read_text("utf-8")
    made = patches(loader_of(nnUNetTrainerDRDM, folder, "3d_fullres"))
    for (name, c, _, _), (_, moved, _, _) in zip(plain, made, strict=True):
        assert np.array_equal(c, moved) == (name != "p1")
    warning = "WARNING: the bank has no deformations of 3 training cases, which are used undeformed"
    assert log.count(f"{warning}: p0, p2, p3 \n") == 1
    assert f"Deformations from {nnunet / 'bank'}, with probability 1" in log


def test_what_does_not_fit_is_an_error_before_training(
    thick: Path, nnunet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = trainer_of(nnUNetTrainerDRDM, thick, "2d")
    monkeypatch.setenv("DRDM_BANK", str(nnunet / "nowhere"))
    with pytest.raises(InputError, match="there are no deformations in this folder"):
        trainer.get_dataloaders()
    monkeypatch.delenv("DRDM_BANK")
    with pytest.raises(InputError, match="no bank of deformations is named"):
        trainer.get_dataloaders()
    (thick / "drdm.json").write_text(json.dumps({"bank": "../../other"}), encoding="utf-8")
    fill(nnunet / "other", False, along_y)
    with pytest.raises(InputError, match=r"42 x 38 x 46 voxels, and nnU-Net read 14 x 52 x 44, p0"):
        trainer.get_dataloaders()
    shutil.rmtree(nnunet / "other")
    fill(nnunet / "other", True, lambda grid, at: 0.0 * at + [1, 0, 0])
    with pytest.raises(InputError, match="move across the slices"):
        trainer.get_dataloaders()
    shutil.rmtree(nnunet / "other")
    fill(nnunet / "other", True, along_y)
    assert next(trainer.get_dataloaders()[0])["data"].shape == (4, 4, 24, 32)


def test_transforms_that_sample_nothing_cannot_deform() -> None:
    with pytest.raises(ArgumentError, match="without a SpatialTransform"):
        with_deformations(ComposeTransforms([]))


@pytest.mark.parametrize(
    ("labels", "channels"),
    [
        ({"background": 0, "left": 1, "right": 2, "ignore": 3}, 1),
        ({"background": 0, "ball": [1, 2], "right": 2, "ignore": 3}, 3),
    ],
)
def test_regions_and_the_ignore_label_are_nnunets(
    nnunet: Path, labels: dict[str, Any], channels: int
) -> None:
    """The ignore label moves with the image, and is a last channel beside regions."""
    order = {"regions_class_order": [1, 2]} if channels == 3 else {}
    grids = fill(nnunet / "bank", True, along_y)
    folder = preprocess(nnunet, thick=True, configuration="3d_fullres", labels=labels, **order)
    still = {"p_rotation": 0.0, "p_scaling": 0.0, "allowed_axes": ()}
    loader = loader_of(nnUNetTrainerDRDM, folder, "3d_fullres", **still)
    ignored = seen = 0
    for batch in seeded(loader, 20):
        target = batch["target"][0].numpy()
        assert target.shape[1] == channels
        ignore = target[:, -1] == (1 if channels == 3 else 3)
        for key, marked, image in zip(batch["keys"], ignore, batch["data"].numpy(), strict=True):
            corner = image[3] == 1
            for c, n, depth in zip(image, grids[key].shape, (6, 12, 12), strict=False):
                corner &= c - 1 > n - depth
            ignored += (marked & corner).sum()
            seen += corner.sum()
    assert seen > 100
    assert ignored > 0.9 * seen


@pytest.mark.slow
def test_nnunets_processes_draw_their_own(thick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("nnUNet_n_proc_DA", "2")
    monkeypatch.setenv("DRDM_PROBABILITY", "0.5")
    training, validation = trainer_of(nnUNetTrainerDRDM, thick, "2d").get_dataloaders()
    try:
        assert next(training)["data"].shape == (4, 4, 24, 32)
        assert next(validation)["data"].shape == (4, 4, 24, 32)
    finally:
        training._finish()
        validation._finish()


def test_each_process_has_random_numbers_of_its_own(thick: Path) -> None:
    loader = loader_of(nnUNetTrainerDRDM, thick, "2d")
    drawn = []
    for number in (0, 1, 0):
        loader.set_thread_id(number)
        drawn.append(loader._numbers.random(8).tolist())
    assert drawn[0] == drawn[2] != drawn[1]


def test_the_loader_can_be_sent_to_a_process_that_is_spawned(thick: Path) -> None:
    loader = loader_of(nnUNetTrainerDRDM, thick, "2d")
    sent = pickle.loads(pickle.dumps(loader))
    assert sent.transforms.__self__ is sent
    assert same(seeded(loader), seeded(sent))
