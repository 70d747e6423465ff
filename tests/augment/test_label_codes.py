"""Labels that nnU-Net's layout renumbers: everything that names one follows."""

from __future__ import annotations

import json
from pathlib import Path

from src_core.augment.layouts.nnunet import NnUNet
from src_core.augment.layouts.style import Style
from src_core.datasets.described import Catalogue


def described(catalogue: Catalogue, out: Path) -> dict[str, object]:
    style = Style(catalogue=catalogue)
    NnUNet().close(out, [], style)
    (file,) = out.glob("nnunet/*/dataset.json")
    return json.loads(file.read_text())


def test_regions_and_their_order_follow_the_values(tmp_path: Path) -> None:
    labels = {"background": 0, "whole": [1, 2, 4], "core": [1, 4], "enhancing": [4]}
    facts = described(Catalogue(labels=labels, others={"regions_class_order": [2, 1, 4]}), tmp_path)
    assert facts["labels"] == {
        "background": 0,
        "whole": [1, 2, 3],
        "core": [1, 3],
        "enhancing": [3],
    }
    assert facts["regions_class_order"] == [2, 1, 3]


def test_what_is_not_annotated_keeps_the_highest_value(tmp_path: Path) -> None:
    labels = {"background": 0, "a": 2, "ignore": 3, "b": 7}
    facts = described(Catalogue(labels=labels), tmp_path)
    assert facts["labels"] == {"background": 0, "a": 1, "b": 2, "ignore": 3}
    assert Style(catalogue=Catalogue(labels=labels)).codes == {0: 0, 2: 1, 7: 2, 3: 3}
