"""A bank as nnU-Net's cases need it: by their names, in the voxels of their preprocessed arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from src_core.errors import InputError
from src_core.transforms.bank import Bank
from src_core.transforms.nnunet.geometry import to_case
from src_core.transforms.nnunet.patch_field import PatchField
from src_core.transforms.scan import Below

__all__ = ["CaseBank"]

# ``drdm augment --with-sources`` writes a source under its name and this number.
_SOURCE = "-000"


@dataclass(frozen=True)
class CaseBank:
    """Draws the deformations of the cases of one data set of nnU-Net's.

    Attributes:
        bank: the deformations.
        transpose: ``transpose_forward`` of the plans.
        flat: patches are slices (configuration 2d).
    """

    bank: Bank
    transpose: tuple[int, ...]
    flat: bool

    def find(self, name: str) -> str | None:
        """The case of the bank that a case of nnU-Net's is, if it is one."""
        for candidate in (name, name.removesuffix(_SOURCE)):
            if candidate in self.bank.names:
                return candidate
        return None

    def matched(self, names: Sequence[str]) -> list[str]:
        """The cases that have deformations.

        Raises:
            InputError: none has, or there is no such bank.
        """
        if known := [name for name in names if self.find(name)]:
            return known
        some = ", ".join(self.bank.names[:3])
        raise InputError(
            f"none of the {len(names)} training cases ({', '.join(sorted(names)[:3])}) is in it",
            where=str(self.bank.folder),
            expected=f"a bank of this data set; it has {some}",
            do="make the bank from nnU-Net's raw data set",
        )

    def draw(
        self, name: str, properties: Mapping[str, Any], shape: Sequence[int], below: Below
    ) -> PatchField | None:
        """One of a case's deformations, over its whole preprocessed array; None if it has none.

        Args:
            name: of the case.
            properties: as nnU-Net stored them.
            shape: of the array, its three axes in space.
            below: random numbers.

        Raises:
            InputError: it is of other images, or moves across the slices that 2d is trained on.
        """
        stored = self.find(name)
        if stored is None:
            return None
        drawn = self.bank.get(stored, below(self.bank.count(stored)))
        matrix = to_case(
            properties, shape, self.transpose, drawn.grid, f"{name}, {self.bank.folder}"
        )
        field = PatchField(drawn, matrix)
        if self.flat and field.reach[0]:
            raise InputError(
                "the deformations move across the slices that nnU-Net's 2d configuration takes",
                where=f"{name}, {self.bank.folder}",
                expected="deformations within these slices",
                do="make the bank with a 2D model, or train 3d_fullres",
            )
        return field
