"""Deformations in training: MONAI, TorchIO, plain PyTorch, and a trainer for nnU-Net.

A draw is a small value, a ``Deformation``, generated on demand (``Live``) or taken from those
generated in advance (``Bank``). It is applied to images and labels of any grid, and undone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from src_core.transforms.bank import Bank
    from src_core.transforms.bank_making import Stored, make_bank
    from src_core.transforms.deformation import Deformation
    from src_core.transforms.live import Live
    from src_core.transforms.monai import RandDRDM, RandDRDMd
    from src_core.transforms.nnunet.trainer import nnUNetTrainerDRDM
    from src_core.transforms.placed import Placed
    from src_core.transforms.points import PointSpace, deform_points
    from src_core.transforms.scan import Below, Scan
    from src_core.transforms.sources import Source
    from src_core.transforms.tensors import Deformed, deform, random_deform
    from src_core.transforms.torchio import DRDM, RandomDRDM

_MODULES = {
    "Bank": "bank",
    "Below": "scan",
    "DRDM": "torchio",
    "Deformation": "deformation",
    "Deformed": "tensors",
    "Live": "live",
    "Placed": "placed",
    "PointSpace": "points",
    "RandDRDM": "monai",
    "RandDRDMd": "monai",
    "RandomDRDM": "torchio",
    "Scan": "scan",
    "Source": "sources",
    "Stored": "bank_making",
    "deform": "tensors",
    "deform_points": "points",
    "make_bank": "bank_making",
    "nnUNetTrainerDRDM": "nnunet.trainer",
    "random_deform": "tensors",
}

# Packages that some modules need, and the extra of this package that brings each.
_EXTRAS = {
    "batchgenerators": "nnunet",
    "batchgeneratorsv2": "nnunet",
    "monai": "monai",
    "nnunetv2": "nnunet",
    "torchio": "torchio",
}

__all__ = [
    "DRDM",
    "Bank",
    "Below",
    "Deformation",
    "Deformed",
    "Live",
    "Placed",
    "PointSpace",
    "RandDRDM",
    "RandDRDMd",
    "RandomDRDM",
    "Scan",
    "Source",
    "Stored",
    "deform",
    "deform_points",
    "make_bank",
    "nnUNetTrainerDRDM",
    "random_deform",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(error.name or "")
        if extra is None:
            raise
        raise ModuleNotFoundError(
            f'{name} needs {error.name}: pip install "napari-drdm[{extra}]"', name=error.name
        ) from error


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
