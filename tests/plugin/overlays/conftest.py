"""A volume of a file and its field on disk."""

from __future__ import annotations

import pytest
import SimpleITK as sitk
from napari.components import ViewerModel

from napari_drdm.layers.reader import read_layers
from src_core.cases.case import Case
from src_core.io import write_image
from src_core.io.fields import write_field
from tests.support.overlays import OBLIQUE, blocks, picture, wave


@pytest.fixture
def filed(tmp_path, moment_of):
    """A viewer with an oblique anisotropic volume of a file, its moment, and its field on disk."""
    case = Case.from_arrays(picture().T, affine=OBLIQUE)
    write_image(tmp_path / "head.nii.gz", case.image, case.images[0])
    data, about, _ = read_layers(tmp_path / "head.nii.gz")[0]
    viewer = ViewerModel()
    image = viewer.add_image(data, **about)
    labels = viewer.add_labels(
        blocks(), scale=image.scale, metadata={"drdm": {"label_names": {3: "LV"}}}
    )
    moment = moment_of(image, wave, labels)
    write_field(tmp_path / "displacement.nii.gz", moment.displacement, moment.layer_case.case.grid)
    return viewer, moment, sitk.ReadImage(str(tmp_path / "displacement.nii.gz"))
