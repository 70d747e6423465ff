"""The centre of each label in the new image, as points."""

import numpy as np
from napari.layers import Points
from scipy.ndimage import center_of_mass

from napari_drdm.overlays.overlay import LayerContent, Overlay


def centroids(moment, index, view, style):
    labels = moment.labels[index]
    values = np.unique(labels[labels > 0])
    points = np.reshape(center_of_mass(labels > 0, labels, values), (-1, labels.ndim))
    return LayerContent(points, fixed={"ndim": labels.ndim, "size": 3, "face_color": "red"})


CENTROIDS = Overlay(
    name="centroids",
    label="centroids",
    tooltip="The centre of each label in the new image",
    needs=("labels",),
    build=centroids,
    layer=Points,
    spatial=False,
    legend="centroids: red",
)
