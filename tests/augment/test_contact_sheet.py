"""The contact sheet: outlines where there are labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from src_core.augment import augment, make_plan
from src_core.augment.contact_sheet import save_sheet
from src_core.errors import InputError
from src_core.models.model import Model
from tests.support.augmenting import asked


def test_the_sheet_shows_outlines_where_there_are_labels(
    data: Path, model: Model, done: Path, tmp_path: Path
) -> None:
    sheet = np.asarray(Picture.open(save_sheet(done)).convert("RGB")).astype(int)
    list(augment(make_plan(asked(data / "images", tmp_path / "o"), model), model))
    bare = np.asarray(Picture.open(save_sheet(tmp_path / "o")).convert("RGB")).astype(int)
    assert sheet.shape[0] > 300 and sheet.shape[1] / sheet.shape[0] == pytest.approx(
        5.7 / 6.75, rel=0.02
    )
    for colour in ((0x4F, 0x8D, 0xF7), (0x35, 0xD0, 0x4F)):
        near = [(abs(shown - colour).max(-1) < 12).sum() for shown in (sheet, bare)]
        assert near[0] > 9 * 20 and near[1] == 0
    with pytest.raises(InputError, match="nothing to show"):
        save_sheet(tmp_path / "nowhere")
