"""What a layer that was made from another one says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from src_core.cases.synthetic import SYNTHETIC

if TYPE_CHECKING:
    from napari.layers import Image, Layer

__all__ = ["derived_metadata", "is_synthetic", "look_of"]


def derived_metadata(source: Layer, output: str) -> dict[str, Any]:
    """The source's metadata with what was made of it, and the notice that it is synthetic."""
    drdm = {**source.metadata.get("drdm", {}), "output": output, "notice": SYNTHETIC}
    drdm.pop("path", None)
    return {**source.metadata, "drdm": drdm}


def look_of(image: Image) -> dict[str, Any]:
    """Settings of a layer that shows other values as an image layer shows its own."""
    if image.rgb:
        return {"rgb": True, "interpolation2d": image.interpolation2d}
    names = ("colormap", "contrast_limits", "gamma", "interpolation2d", "rendering")
    return {name: getattr(image, name) for name in names}


def is_synthetic(metadata: dict[str, Any]) -> bool:
    """Whether a layer's metadata carry the notice."""
    return str(metadata.get("drdm", {}).get("notice", "")).startswith(SYNTHETIC)
