"""The notice goes with a layer into its file, and comes back from it."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Image

from napari_drdm.layers.derived import derived_metadata, is_synthetic
from napari_drdm.layers.reader import read_layers
from napari_drdm.layers.writer import write_layer
from src_core.cases.synthetic import SYNTHETIC


@pytest.mark.parametrize("made", [True, False])
def test_a_layer_that_was_made_here_says_so_in_its_file(made: bool, tmp_path: Path) -> None:
    source = Image(np.arange(60.0).reshape(3, 4, 5), name="heart", scale=(3, 1, 1))
    layer = source
    if made:
        layer = Image(source.data, metadata=derived_metadata(source, "image"), scale=(3, 1, 1))
    path = str(tmp_path / "saved.nii.gz")
    write_layer(path, layer.data, layer.as_layer_data_tuple()[1])
    words = nib.load(path).header["descrip"].item().decode()
    assert words.startswith(SYNTHETIC) is made
    ((_, about, _),) = read_layers(path)
    assert is_synthetic(about["metadata"]) is made
