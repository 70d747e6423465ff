"""The layers of pinned results: the image just above its source, its labels above theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_drdm.variants.layers import (
    OwnLayers,
    child_name,
    label_layer,
    label_values,
    picture_layer,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_drdm.variants.history import Variant

__all__ = ["PinnedLayers", "names_of", "return_layers", "several_images"]


class PinnedLayers:
    """Adds, renames and removes the layers of pinned results.

    Args:
        own: keeps them.
    """

    def __init__(self, own: OwnLayers) -> None:
        self._own = own

    def add(self, variant: Variant, labelled: bool) -> None:
        """Add the layers of a result that is stored; those left of a former pin are replaced.

        Args:
            labelled: whether labels are seen at first.
        """
        outcome, inputs = variant.outcome, variant.inputs
        if outcome is None:
            return
        self.drop(variant)
        image_name, labels_name = _names(variant)
        image = picture_layer(inputs.source, values(outcome), image_name, "pinned")
        self._own.add(image, above=inputs.source)
        layers: list[Layer] = [image]
        moved = label_values(outcome)
        if inputs.labels is not None and moved is not None:
            layers.append(label_layer(inputs.labels, moved, labels_name, "pinned labels"))
            layers[-1].visible = labelled
            self._own.add(layers[-1], above=inputs.labels)
        variant.layers = tuple(layers)

    def drop(self, variant: Variant) -> tuple[Layer, ...]:
        """Remove the layers of a result; returns them."""
        layers, variant.layers = variant.layers, ()
        for layer in reversed(layers):
            self._own.drop(layer)
        return layers

    def rename(self, variant: Variant) -> None:
        """Name the layers as the result is named now."""
        for layer in variant.layers:
            is_image = type(layer).__name__ == "Image"
            layer.name = _names(variant)[0 if is_image else 1]


def return_layers(viewer: ViewerModel, variant: Variant) -> str:
    """Put the image and labels of a variant back where they were removed; their names."""
    inputs, there = variant.inputs, viewer.layers
    wanted = (inputs.source, inputs.labels, *inputs.extras)
    back = [layer for layer in wanted if layer is not None and layer not in there]
    for layer in back:
        there.append(layer)
    return ", ".join(layer.name for layer in back)


def names_of(items: Iterable[Variant], kept: Iterable[Variant] = ()) -> str:
    """``L48 S1, L48 S2``, or how many where there are more.

    Args:
        kept: all results; where they are of several images, each name is followed by its image's.
    """
    named = several_images(kept)
    names = [f"{v.name} of {v.inputs.source.name}" if named else v.name for v in items]
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} results"


def several_images(kept: Iterable[Variant]) -> bool:
    """Whether results are of more than one image."""
    return len({id(variant.inputs.source) for variant in kept}) > 1


def _names(variant: Variant) -> tuple[str, str]:
    name = child_name(variant.inputs.source, variant.name)
    return name, f"{name} labels"
