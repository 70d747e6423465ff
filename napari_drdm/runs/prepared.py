"""A case on a model's grid, and looks at it: in part and at once, or whole with its field."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_drdm.layers.cases import LayerCase, fingerprint, make_case, shown
from napari_drdm.runs.buffers import Canvas
from napari_drdm.runs.cache import Memory
from napari_drdm.runs.devices import ModelCache, resolved
from napari_drdm.runs.moments import Look
from napari_drdm.runs.requests import Request, Viewed

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from src_core.generation import Session
    from src_core.generation.run import Finishing

__all__ = ["Place", "Places"]

_KEPT = 3


@dataclass(eq=False)
class Place:
    """A case on a model's grid, and arrays to show it in."""

    key: Hashable
    layer_case: LayerCase
    session: Session
    canvas: Canvas

    def look(
        self, request: Request, u: Tensor, position: float, total: int, viewed: Viewed | None
    ) -> Look:
        """What a displacement shows of the part on view, or of all where ``viewed`` is None.

        Args:
            u: (slabs, D, *state), state voxels.
        """
        from src_core.inspection.part_view import Part, glimpse

        case = self.layer_case.case
        # the window may look at another image by now
        part = ((viewed and viewed.part) or Part()).within(case.image.shape)
        volumes = (*case.images, *case.labels)
        images, labels = self.canvas.filled(part, glimpse(self.session.view, u, part, volumes))
        left = None if part.whole else part
        return Look(request, self.layer_case, position, total, images, labels, part=left)

    def warped(self, request: Request, done: Finishing, total: int, viewed: Viewed) -> Look:
        """The look of a result whose inverse, proof and numbers are still to come."""
        back, case, field = self.layer_case.back, done.case, done.displacement
        assert case is not None and field is not None
        return Look(
            request,
            self.layer_case,
            total,
            total,
            tuple(back(shown(image)) for image in case.images),
            tuple(back(labels.data) for labels in case.labels),
            field,
            self.jacobian(field) if viewed.field else None,
        )

    def field(self, u: Tensor) -> np.ndarray[Any, Any]:
        """A displacement on the case's grid, (X, Y, Z, 3), LPS mm."""
        return self.session.view.field(u)

    def jacobian(self, field: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Its determinant, (X, Y, Z)."""
        from src_core.generation.run import determinant

        return determinant(self.session.view, self.session.view.distinct(field))

    def so_far(self, request: Request, viewed: Viewed, slabs: list[list[Any]]) -> Tensor:
        """Where the slabs that are looked at stand: at their last step, or at their random field.

        The others stand still.
        """
        import torch

        view, options = self.session.view, request.options
        part = viewed.part.within(view.case.image.shape) if viewed.part else None
        fixed = part.fixed[view.axis] if part and view.axis is not None else None
        looked = range(view.slabs) if view.shared or fixed is None else (fixed,)
        state, ndim = self.session.model.spec.state, len(view.plane)
        u = torch.zeros(view.slabs, ndim, *[state] * ndim)
        for slab in looked if options.level else ():
            if slab < len(slabs):
                u[slab] = slabs[slab][-1].displacement[0]
            else:
                u[slab] = self.session.start(options, slab).start()[0]
        return u


class Places:
    """The last few places and models that were used."""

    def __init__(self) -> None:
        self._places: Memory[Place] = Memory(_KEPT)  # each counts as one byte
        self._models = ModelCache()

    def get(self, request: Request) -> Place:
        """The place of a request, made where it is not known or its layers were edited.

        Raises:
            InputError: case and model do not fit, or the model cannot be read.
        """
        from src_core.generation import Session

        options, device = request.options, resolved(request.device)
        network = self._models.get(request.model, device)
        model = (network.sha256, device, options.slices, options.region)
        key = (fingerprint(request.snapshot), model)
        place = self._places.get(key)
        if place is None:
            layer_case = make_case(request.snapshot.copied())
            session = Session(layer_case.case, network, options.slices, options.region)
            place = Place(key, layer_case, session, Canvas(layer_case))
            self._places.put(key, place, 1)
        return place

    def forget(self, device: str) -> None:
        """Let go of what lies on a device."""
        self._places.clear()
        self._models.forget(device)
