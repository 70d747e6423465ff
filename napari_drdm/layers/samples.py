"""Sample data: a procedural short-axis cine with labels, and its first phase alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from src_core.cases.case import Case

__all__ = ["LABEL_NAMES", "cine_sample", "slice_sample", "volume_sample"]

_BRIGHTNESS = (1.0, 99.0)

LayerData = tuple[Any, dict[str, Any], str]

LABEL_NAMES = {1: "RV", 2: "Myo", 3: "LV"}


def cine_sample() -> list[LayerData]:
    """Twenty phases of ten slices: (T, Z, Y, X)."""
    return _layers(_case(None))


def volume_sample() -> list[LayerData]:
    """End-diastole, ten slices: (Z, Y, X)."""
    return _layers(_case(0))


def slice_sample() -> list[LayerData]:
    """The middle slice of end-diastole: (Y, X)."""
    return [
        (data[data.shape[0] // 2], _flat(settings), kind)
        for data, settings, kind in volume_sample()
    ]


def _case(phase: int | None) -> Case:
    from src_core.phantom import phantom_case

    return phantom_case(0, phase)


def _layers(case: Case) -> list[LayerData]:
    labels = case.label_map
    if labels is None:
        raise RuntimeError("the phantom comes with labels")
    z, y, x = case.grid.spacing[::-1]
    time = case.image.ndim == 4
    axes = {
        "scale": (1, z, y, x)[0 if time else 1 :],
        "units": ("pixel", "mm", "mm", "mm")[0 if time else 1 :],
        "axis_labels": ("t", "z", "y", "x")[0 if time else 1 :],
    }
    metadata = {"drdm": {"affine": case.grid.affine, "label_names": LABEL_NAMES}}
    limits = tuple(np.percentile(case.image, _BRIGHTNESS).tolist())
    return [
        (
            case.image.T,
            {"name": "phantom", "contrast_limits": limits, **axes, "metadata": metadata},
            "image",
        ),
        (
            labels.T,
            {"name": "phantom labels", "opacity": 0.4, **axes, "metadata": metadata},
            "labels",
        ),
    ]


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of a stack for one slice of it."""
    axes = {key: settings[key][1:] for key in ("scale", "units", "axis_labels")}
    return {**settings, **axes, "metadata": {"drdm": {"label_names": LABEL_NAMES}}}
