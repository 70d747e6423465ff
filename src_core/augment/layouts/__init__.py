"""Where the files of a new case, or of a pair, go; each appears whole or not at all.

``cases``: one folder a case, as ``drdm generate`` writes it. ``nifti``: ``images/`` and ``labels/``
with equal names. ``nnunet``: an nnU-Net v2 raw data set. ``decathlon``: one with a
``dataset.json``. ``pairs``: one folder a pair. ``learn2reg``: pairs as that challenge lists them.
All but ``cases`` and ``pairs`` have folders for recipes and metrics.
"""

from __future__ import annotations

from src_core.augment.layouts.cases import Cases
from src_core.augment.layouts.decathlon import Decathlon
from src_core.augment.layouts.flat import Flat
from src_core.augment.layouts.layout import Layout, remove_partial
from src_core.augment.layouts.learn2reg import Learn2Reg
from src_core.augment.layouts.nnunet import NnUNet
from src_core.augment.layouts.pairs import FlatPairs, PairFolders
from src_core.augment.layouts.style import Style, make_style
from src_core.generation import Result
from src_core.generation.pairs import Pair

__all__ = ["LAYOUTS", "PAIR_LAYOUTS", "Layout", "Style", "make_style", "remove_partial"]

LAYOUTS: dict[str, Layout[Result]] = {
    "cases": Cases(),
    "nifti": Flat(),
    "nnunet": NnUNet(),
    "decathlon": Decathlon(),
}
PAIR_LAYOUTS: dict[str, Layout[Pair]] = {
    "pairs": PairFolders(),
    "nifti": FlatPairs(),
    "learn2reg": Learn2Reg(),
}
