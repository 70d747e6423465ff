"""From a raw data set to a prediction, by the commands a user calls: ``make nnunet`` runs it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from src_core import cardiac_phantom
from src_core.transforms import make_bank
from src_core.transforms.nnunet import TRAINERS
from tests.support.loops import live
from tests.support.nnunet_commands import called

pytest.importorskip("nnunetv2", reason='needs nnU-Net: pip install "napari-drdm[nnunet]"')

pytestmark = [pytest.mark.proof, pytest.mark.slow]
SHORT = """\
import torch
from src_core.transforms import nnUNetTrainerDRDM


class nnUNetTrainerDRDM_short(nnUNetTrainerDRDM):
    def __init__(self, plans, configuration, fold, dataset_json, device=torch.device("cuda")):
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs, self.num_iterations_per_epoch, self.num_val_iterations_per_epoch = 2, 3, 1
"""


def raw_phantoms(home: Path) -> Path:
    """An nnU-Net raw data set of six phantoms of different shapes."""
    folder = home / "raw" / "Dataset703_Phantoms"
    for part in ("imagesTr", "labelsTr", "imagesTs"):
        (folder / part).mkdir(parents=True)
    for number in range(6):
        shape = (60 + number, 54 - number)
        made = cardiac_phantom(slices=6 + number % 2, phases=1, shape=shape, seed=number)
        parts = [
            ("imagesTr", f"h{number}_0000", made.image),
            ("labelsTr", f"h{number}", made.labels),
        ]
        for part, name, values in parts:
            kept = values[..., 0].astype(np.float32 if part == "imagesTr" else np.uint8)
            nib.save(nib.Nifti1Image(kept, made.affine), folder / part / f"{name}.nii.gz")
    new = folder / "imagesTs" / "h0_0000.nii.gz"
    new.write_bytes((folder / "imagesTr" / new.name).read_bytes())
    facts = {"channel_names": {"0": "MR"}, "numTraining": 6, "file_ending": ".nii.gz"}
    facts["labels"] = {"background": 0, "rv": 1, "wall": 2, "lv": 3}
    (folder / "dataset.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def test_from_raw_data_to_a_prediction(tmp_path: Path) -> None:
    raw = raw_phantoms(tmp_path)
    states = [
        stored.state for stored in make_bank(raw, tmp_path / "bank", live(tmp_path), per_case=2)
    ]
    assert states == ["made"] * 6
    plan = ("nnUNetv2_plan_and_preprocess", "-d", "703", "-np", "1", "-npfp", "1")
    called(tmp_path, *plan, "-c", "2d", "3d_fullres")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "short_trainers.py").write_text(SHORT, encoding="utf-8")
    given = {
        "nnUNet_extTrainer": os.pathsep.join([str(TRAINERS), str(tmp_path / "own")]),
        "DRDM_BANK": str(tmp_path / "bank"),
    }
    for configuration in ("2d", "3d_fullres"):
        trainer = ("-tr", "nnUNetTrainerDRDM_short", "-device", "cpu")
        printed = called(tmp_path, "nnUNetv2_train", "703", configuration, "0", *trainer, **given)
        assert f"Deformations from {tmp_path / 'bank'}, with probability 0.5" in printed
        assert "Training done." in printed
        assert "WARNING: the bank" not in printed
        losses = [float(line.split()[-1]) for line in printed.splitlines() if "train_loss" in line]
        assert len(losses) == 2
        assert np.isfinite(losses).all()
        print(
            configuration,
            *[line for line in printed.splitlines() if "loss" in line or "Dice" in line],
            sep="\n",
        )
    out = tmp_path / "predicted"
    words = ("-i", str(raw / "imagesTs"), "-o", str(out), "-d", "703", "-c", "2d", "-f", "0")
    called(tmp_path, "nnUNetv2_predict", *words, *trainer, "-npp", "1", "-nps", "1", **given)
    shape = nib.load(raw / "imagesTr" / "h0_0000.nii.gz").shape
    assert nib.load(out / "h0.nii.gz").shape == shape


def test_nnunet_finds_the_trainer_by_its_name(tmp_path: Path) -> None:
    """Its own look-up, in a process of its own; a bank that is not named stops the training."""
    code = (
        "from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name as find;"
        "print(find('nnUNetTrainerDRDM').__mro__)"
    )
    found = called(tmp_path, "python", "-c", code, nnUNet_extTrainer=str(TRAINERS))
    assert "src_core.transforms.nnunet.trainer.nnUNetTrainerDRDM" in found
