"""Rows of training: a live transform, a bank, and batches with pose and intensities."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks import inputs
from benchmarks.table import Goal, Row, Sizes
from benchmarks.timing import Work
from src_core.cases.case import Case
from src_core.transforms import Bank, Live, RandDRDMd, RandomDRDM, Source, make_bank, random_deform

__all__ = ["rows"]

_PER_CASE = 4
#: nnU-Net's ranges and chances, but every sample is turned and scaled.
_POSE = "nnunet,rotation_probability=1,scale_probability=1"
_KEYS = ("image", "label")


def rows(sizes: Sizes) -> Iterator[Row]:
    """All of them; the bank lies in a temporary folder meanwhile."""
    at, case = f"{sizes.plane}^2", inputs.slice_case(sizes.plane)
    with tempfile.TemporaryDirectory() as folder:
        bank, live = cache(lambda: _bank(case, Path(folder) / "bank")), Live(inputs.MODEL)
        elastic = {"MONAI, elastic": lambda: _monai_elastic(case)}
        elastic |= {"TorchIO, elastic": lambda: _torchio_elastic(case)}
        yield Row(
            f"live transform of an image and labels, {at}",
            lambda: _ours(case, live),
            elastic,
            Goal(0.025),
        )
        yield Row(f"the same, of an image that never came before, {at}", lambda: _new(case, live))
        yield Row(
            f"from a bank, with a pose, {at}",
            lambda: _ours(case, bank(), pose=_POSE),
            elastic,
            Goal(0.003),
        )
        yield Row(
            f"the same in MONAI's pipeline, {at}",
            lambda: _in_monai(case, bank()),
            {"MONAI, elastic": elastic["MONAI, elastic"]},
        )
        yield Row(
            f"the same in TorchIO's pipeline, {at}",
            lambda: _in_torchio(case, bank()),
            {"TorchIO, elastic": elastic["TorchIO, elastic"]},
        )
        count = sizes.batch
        yield Row(
            f"batch of {count}, deformation, pose and intensities, {at}, each",
            lambda: _times(_ours(case, bank(), pose=_POSE, intensity="nnunet"), count),
            {
                "batchgeneratorsv2": lambda: _times(_batchgenerators(case), count),
                "MONAI": lambda: _times(_monai_all(case), count),
                "TorchIO": lambda: _times(_torchio_all(case), count),
            },
            per=count,
        )


def _bank(case: Case, folder: Path) -> Bank:
    list(make_bank({"case": case}, folder, Live(inputs.MODEL), per_case=_PER_CASE))
    return Bank(folder)


def _times(work: Work, count: int) -> Work:
    return lambda: [work() for _ in range(count)]


def _tensors(case: Case) -> tuple[Tensor, Tensor]:
    """(1, X, Y): image, float32, and labels, int16."""
    image = torch.from_numpy(case.image[..., 0].astype(np.float32))[None]
    return image, torch.from_numpy(np.asarray(case.label_map)[..., 0].astype(np.int16))[None]


def _ours(case: Case, source: Source, **changes: str) -> Work:
    image, labels = _tensors(case)
    numbers = torch.Generator().manual_seed(1)
    affine: Any = case.grid.affine
    return lambda: random_deform(
        image, labels, source=source, generator=numbers, affine=affine, name="case", **changes
    )


def _new(case: Case, live: Live) -> Work:
    """Every image is another one, so that nothing prepared for it is kept."""
    image, labels = _tensors(case)
    numbers, affine = torch.Generator().manual_seed(1), case.grid.affine

    def work() -> object:
        return random_deform(
            image.add_(1), labels, source=live, generator=numbers, affine=affine, name="case"
        )

    return work


def _monai_sample(case: Case) -> dict[str, Any]:
    from monai.data import MetaTensor

    affine = torch.from_numpy(np.array(case.grid.affine))
    pairs = zip(_KEYS, _tensors(case), strict=True)
    return {key: MetaTensor(values, affine=affine) for key, values in pairs}


def _in_monai(case: Case, bank: Bank) -> Work:
    transform = RandDRDMd(_KEYS, bank, ("bilinear", "label"), prob=1, case_key="case", pose=_POSE)
    sample = {**_monai_sample(case), "case": "case"}
    return lambda: transform(sample)


def _monai_elastic(case: Case) -> Work:
    import monai.transforms as mt

    sample, modes = _monai_sample(case), ("bilinear", "nearest")
    transform: Any = mt.Rand2DElasticd(_KEYS, (30, 30), (1, 2), prob=1, mode=modes)
    return lambda: transform(sample)


def _monai_all(case: Case) -> Work:
    """Elastic and pose in one resampling, then intensities as far as MONAI has nnU-Net's."""
    import monai.transforms as mt

    turn, size = (np.pi, (-0.3, 0.4))
    whole = mt.Compose(
        [
            mt.Rand2DElasticd(
                _KEYS,
                (30, 30),
                (1, 2),
                prob=1,
                rotate_range=(turn,),
                scale_range=(size, size),
                mode=("bilinear", "nearest"),
            ),
            mt.RandGaussianNoised("image", prob=0.1, std=0.1),
            mt.RandGaussianSmoothd("image", (0.5, 1), (0.5, 1), prob=0.2),
            mt.RandScaleIntensityd("image", 0.25, prob=0.15),
            mt.RandAdjustContrastd("image", prob=0.3, gamma=(0.7, 1.5)),
        ]
    )
    sample = _monai_sample(case)
    return lambda: whole(sample)


def _subject(case: Case) -> Any:
    import torchio as tio

    image, labels = (values[..., None] for values in _tensors(case))
    affine = np.array(case.grid.affine)
    return tio.Subject(
        image=tio.ScalarImage(tensor=image, affine=affine),
        label=tio.LabelMap(tensor=labels, affine=affine),
        case="case",
    )


def _in_torchio(case: Case, bank: Bank) -> Work:
    transform, subject = RandomDRDM(bank, case="case", pose=_POSE), _subject(case)
    return lambda: transform(subject)


def _torchio_elastic(case: Case) -> Work:
    import torchio as tio

    transform, subject = tio.RandomElasticDeformation(), _subject(case)
    return lambda: transform(subject)


def _torchio_all(case: Case) -> Work:
    """Elastic and pose in two resamplings, then intensities as far as TorchIO has nnU-Net's."""
    import torchio as tio

    whole = tio.Compose(
        [
            tio.RandomAffine(scales=(0.7, 1.4), degrees=(0, 0, 0, 0, -180, 180)),
            tio.RandomElasticDeformation(),
            tio.RandomNoise(std=(0, 0.1), p=0.1),
            tio.RandomBlur(std=(0.5, 1), p=0.2),
            tio.RandomGamma(log_gamma=(-0.3, 0.4), p=0.3),
        ]
    )
    subject = _subject(case)
    return lambda: whole(subject)


def _batchgenerators(case: Case) -> Work:
    """nnU-Net's own transforms, with its elastic deformation, which nnU-Net leaves out."""
    from batchgeneratorsv2.transforms.intensity.brightness import MultiplicativeBrightnessTransform
    from batchgeneratorsv2.transforms.intensity.contrast import BGContrast, ContrastTransform
    from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
    from batchgeneratorsv2.transforms.intensity.gaussian_noise import GaussianNoiseTransform
    from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
    from batchgeneratorsv2.transforms.spatial.low_resolution import SimulateLowResolutionTransform
    from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
    from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
    from batchgeneratorsv2.transforms.utils.random import RandomTransform

    image, labels = _tensors(case)
    chance = RandomTransform
    space = SpatialTransform(
        tuple(image.shape[1:]),
        patch_center_dist_from_border=0,
        random_crop=False,
        p_elastic_deform=1,
        p_rotation=1,
        rotation=(-np.pi, np.pi),
        p_scaling=1,
        scaling=(0.7, 1.4),
        p_synchronize_scaling_across_axes=1,
    )
    intensities = [
        chance(GaussianNoiseTransform((0, 0.1), 1, True), 0.1),
        chance(GaussianBlurTransform((0.5, 1.0), False, False, 0.5), 0.2),
        chance(MultiplicativeBrightnessTransform(BGContrast((0.75, 1.25)), False, 1), 0.15),
        chance(ContrastTransform(BGContrast((0.75, 1.25)), True, False, 1), 0.15),
        chance(SimulateLowResolutionTransform((0.5, 1), False, True, None, None, 0.5), 0.25),
        chance(GammaTransform(BGContrast((0.7, 1.5)), 1, False, 1, 1), 0.1),
        chance(GammaTransform(BGContrast((0.7, 1.5)), 0, False, 1, 1), 0.3),
    ]
    whole = ComposeTransforms([space, *intensities])
    return lambda: whole(image=image, segmentation=labels)
