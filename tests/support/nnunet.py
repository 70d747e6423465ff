"""nnU-Net's preprocessing and trainers on a small data set, by plans of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from tests.support.nnunet_data import CHANNELS, raw_data_set

__all__ = ["PATCH", "preprocess", "trainer_of"]

#: Patches by thickness of slices and configuration; the second is of slices one by one.
PATCH = {
    (True, "2d"): (24, 32),
    (True, "3d_fullres"): (6, 24, 32),
    (False, "2d"): (24, 32),
    (False, "3d_fullres"): (24, 28, 24),
}
_SPACING = {True: (4.1, 1.45, 0.9), False: (1.3, 0.9, 1.2)}
_TRANSPOSE = {True: ([2, 0, 1], [1, 2, 0]), False: ([1, 0, 2], [1, 0, 2])}


def preprocess(
    home: Path, *, thick: bool, configuration: str, reader: str = "SimpleITKIO", **facts: Any
) -> Path:
    """The preprocessed folder of such a data set, whose axes are transposed."""
    from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    raw = raw_data_set(home, thick, **facts)
    folder = home / "preprocessed" / raw.name
    plans = _plans(raw.name, thick, configuration, reader)
    said = json.loads((raw / "dataset.json").read_text(encoding="utf-8"))
    manager = PlansManager(plans)
    chosen = manager.get_configuration(configuration)
    (folder / chosen.data_identifier).mkdir(parents=True)
    for labels in sorted((raw / "labelsTr").iterdir()):
        name = labels.name.removesuffix(".nii.gz")
        channels = [str(raw / "imagesTr" / f"{name}_{c:04d}.nii.gz") for c in range(CHANNELS)]
        made = DefaultPreprocessor(verbose=False)
        target = str(folder / chosen.data_identifier / name)
        made.run_case_save(target, channels, str(labels), manager, chosen, said)
    for file, values in (("nnUNetPlans.json", plans), ("dataset.json", said)):
        (folder / file).write_text(json.dumps(values), encoding="utf-8")
    names = [f"p{number}" for number in range(6)]
    splits = [{"train": names[:4], "val": names[4:]}]
    (folder / "splits_final.json").write_text(json.dumps(splits), encoding="utf-8")
    return folder


def trainer_of(kind: Any, folder: Path, configuration: str) -> Any:
    """A trainer, ready to load; nnU-Net's folders are those of the environment."""
    plans, said = (
        json.loads((folder / file).read_text(encoding="utf-8"))
        for file in ("nnUNetPlans.json", "dataset.json")
    )
    plans["continue_training"] = False
    made = kind(plans, configuration, 0, said, device=torch.device("cpu"))
    made.initialize()
    return made


def _plans(name: str, thick: bool, configuration: str, reader: str) -> dict[str, Any]:
    forward, backward = _TRANSPOSE[thick]
    return {
        "dataset_name": name,
        "plans_name": "nnUNetPlans",
        "image_reader_writer": reader,
        "transpose_forward": forward,
        "transpose_backward": backward,
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {str(c): {} for c in range(CHANNELS)},
        "configurations": {configuration: _configuration(thick, configuration)},
    }


def _configuration(thick: bool, configuration: str) -> dict[str, Any]:
    patch = PATCH[thick, configuration]
    resampling = {"order_z": 1, "force_separate_z": None}
    by = "resample_data_or_seg_to_shape"
    return {
        "data_identifier": f"nnUNetPlans_{configuration}",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 4,
        "patch_size": list(patch),
        "spacing": list(_SPACING[thick][-len(patch) :]),
        "normalization_schemes": ["NoNormalization"] * CHANNELS,
        "use_mask_for_norm": [False] * CHANNELS,
        "batch_dice": True,
        "resampling_fn_data": by,
        "resampling_fn_data_kwargs": {"is_seg": False, "order": 1, **resampling},
        "resampling_fn_seg": by,
        "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, **resampling},
        "architecture": _network(len(patch)),
    }


def _network(ndim: int) -> dict[str, Any]:
    return {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {
            "n_stages": 2,
            "features_per_stage": [4, 8],
            "conv_op": f"torch.nn.modules.conv.Conv{ndim}d",
            "kernel_sizes": [[3] * ndim] * 2,
            "strides": [[1] * ndim, [2] * ndim],
            "n_conv_per_stage": [1, 1],
            "n_conv_per_stage_decoder": [1],
            "conv_bias": True,
            "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{ndim}d",
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
