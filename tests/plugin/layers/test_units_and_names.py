"""Which unit a layer has, and names of labels that outlive a session."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_drdm.layers.label_names import label_names, name_label, recall_names
from napari_drdm.layers.reader import read_layers
from napari_drdm.layers.units import unit_of
from napari_drdm.variants.label_sizes import label_sizes
from napari_drdm.widgets.length_unit import MM, PX
from src_core.cases.case import Case
from src_core.io import write_image

VALUES = np.arange(60.0).reshape(3, 4, 5)


@pytest.mark.parametrize(
    ("about", "unit"),
    [
        ({}, PX),
        ({"scale": (1, 1, 1)}, PX),
        ({"scale": (3, 1, 1)}, MM),
        ({"units": ("mm", "mm", "mm")}, MM),
        ({"metadata": {"drdm": {"affine": np.eye(4)}}}, MM),
    ],
)
def test_the_unit_of_a_layer(about, unit):
    assert unit_of(Image(VALUES, **about)) is unit


def test_a_file_knows_its_spacing_and_a_cine_counts_its_frames(tmp_path: Path):
    case = Case.from_arrays(VALUES)
    write_image(tmp_path / "scan.nii.gz", case.image, case.images[0])
    ((data, about, _),) = read_layers(tmp_path / "scan.nii.gz")
    assert unit_of(Image(data, **about)) is MM
    assert unit_of(Image(np.zeros((2, 3, 4, 5)), scale=(30, 1, 1, 1))) is PX


def test_sizes_without_a_spacing_are_counted():
    labels = Labels(np.array([[[0, 3], [3, 3]]]))
    (size,) = label_sizes(labels)
    assert (size.shown, size.unit, size.length) == (3, "voxels", PX)
    (flat,) = label_sizes(Labels(np.array([[0, 3], [3, 3]])))
    assert (flat.shown, flat.unit) == (3, "px²")


def test_names_are_kept_with_their_file(tmp_path: Path):
    path = tmp_path / "seg.nii.gz"
    path.write_bytes(b"")

    def opened() -> Labels:
        known = {"path": str(path), "label_names": {1: "of the reader"}}
        return Labels(np.array([[1, 2]]), metadata={"drdm": known})

    first, second = opened(), opened()
    name_label(first, 2, "apex")
    name_label(first, 1, "base")
    assert label_names(first) == {1: "base", 2: "apex"}
    assert label_names(second) == {1: "of the reader"}
    recall_names(second)
    assert label_names(second) == {1: "base", 2: "apex"}
    name_label(second, 2, "")
    third = opened()
    recall_names(third)
    assert label_names(third) == {1: "base"}


def test_a_layer_without_a_file_keeps_names_for_the_session_alone():
    labels = Labels(np.array([[1, 2]]))
    name_label(labels, 2, "apex")
    assert label_names(labels) == {2: "apex"}
    other = Labels(np.array([[1, 2]]), name=labels.name)
    recall_names(other)
    assert label_names(other) == {}
