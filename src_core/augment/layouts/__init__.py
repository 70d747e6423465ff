"""Where the files of a new case go; each case appears whole or not at all.

``cases``: one folder a case, as ``drdm generate`` writes it. ``nifti``: ``images/`` and ``labels/``
with equal names. ``nnunet``: an nnU-Net v2 raw data set. ``decathlon``: one with a
``dataset.json``. All but the first keep ``fields/``, ``recipes/`` and ``metrics/`` beside.
"""

from __future__ import annotations

from src_core.augment.layouts.cases import Cases
from src_core.augment.layouts.decathlon import Decathlon
from src_core.augment.layouts.flat import Flat
from src_core.augment.layouts.layout import Files, Layout, sweep
from src_core.augment.layouts.nnunet import NnUNet
from src_core.augment.layouts.style import Style, make_style

__all__ = ["LAYOUTS", "Files", "Layout", "Style", "make_style", "sweep"]

LAYOUTS: dict[str, Layout] = {
    "cases": Cases(),
    "nifti": Flat(),
    "nnunet": NnUNet(),
    "decathlon": Decathlon(),
}
