"""nnU-Net's loader of training patches, which draws a deformation for each."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import numpy as np
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

from src_core.transforms.nnunet.case_bank import CaseBank
from src_core.transforms.nnunet.patch_field import PatchField
from src_core.transforms.nnunet.spatial import DEFORMED

__all__ = ["DeformingDataLoader"]


class DeformingDataLoader(nnUNetDataLoader):  # type: ignore[misc]
    """nnU-Net's loader; some samples bring a deformation to their transforms.

    A patch that is deformed is cut out larger by the deformation's reach, so that what moves into
    it is there. Random numbers are each process's own; nnU-Net's are neither used nor changed.

    Args:
        data: nnU-Net's data set.
        bank: the deformations of its cases.
        probability: of a deformation, for each sample.
        numbers: what random numbers start from; None for others in every training.
        given: as nnU-Net's loader takes it.
    """

    transforms: Any

    def __init__(
        self,
        data: Any,
        *given: Any,
        bank: CaseBank,
        probability: float,
        numbers: int | None = None,
        **named: Any,
    ) -> None:
        super().__init__(_LastCase(data), *given, **named)
        self._bank, self._probability = bank, probability
        self._start = secrets.randbits(64) if numbers is None else numbers
        self._numbers = np.random.default_rng(self._start)
        self._drawn: PatchField | None = None
        self._others, self.transforms = self.transforms, self._transformed

    def set_thread_id(self, thread_id: int) -> None:
        """Called in each process of nnU-Net's, which so gets random numbers of its own."""
        super().set_thread_id(thread_id)
        self._numbers = np.random.default_rng([self._start, thread_id])

    def get_bbox(
        self, data_shape: Sequence[int], *given: Any, **named: Any
    ) -> tuple[list[int], list[int]]:
        """Where a patch is cut out of the case that was loaded last."""
        lower, upper = super().get_bbox(data_shape, *given, **named)
        field = self._draw(data_shape)
        self._drawn = None
        if field is not None:
            lower = [int(n) - more for n, more in zip(lower, field.reach, strict=True)]
            upper = [int(n) + more for n, more in zip(upper, field.reach, strict=True)]
            self._drawn = field.of(lower)
        return lower, upper

    def _draw(self, shape: Sequence[int]) -> PatchField | None:
        if self._numbers.random() >= self._probability:
            return None
        name, properties = self._data.last
        return self._bank.draw(name, properties, shape, lambda n: int(self._numbers.integers(n)))

    def _transformed(self, **sample: Any) -> Any:
        return self._others(**sample, **{DEFORMED: self._drawn})


class _LastCase:
    """A data set of nnU-Net's that keeps the name and the properties of the case loaded last."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self.identifiers = data.identifiers
        self.last: tuple[str, dict[str, Any]] = "", {}

    def load_case(self, identifier: str) -> Any:
        """As nnU-Net's."""
        loaded = self._data.load_case(identifier)
        self.last = identifier, loaded[-1]
        return loaded
