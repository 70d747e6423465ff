"""A case on a model's grid, and moments of its runs, in part or whole."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_drdm.layers.cases import LayerCase, fingerprint, make_case
from napari_drdm.runs.buffers import DisplayBuffers
from napari_drdm.runs.cache import BoundedCache
from napari_drdm.runs.devices import ModelCache, resolved
from napari_drdm.runs.moments import Moment
from napari_drdm.runs.prior import prior_answer
from napari_drdm.runs.requests import RunRequest, Viewed

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from src_core.generation import Session
    from src_core.generation.run import Finishing
    from src_core.inspection.trajectory import Trajectory

__all__ = ["PreparedCase", "PreparedCases"]

_KEPT = 3


@dataclass(eq=False)
class PreparedCase:
    """A case on a model's grid, and arrays to show it in."""

    key: Hashable
    layer_case: LayerCase
    session: Session
    buffers: DisplayBuffers

    def moment(
        self, request: RunRequest, u: Tensor, position: float, total: int, viewed: Viewed | None
    ) -> Moment:
        """What a displacement shows of the part on view, or of all where ``viewed`` is None.

        Args:
            u: (slabs, D, *state), state voxels.
        """
        from src_core.inspection.part_view import Part, warp_part

        case = self.layer_case.case
        # the window may show another image by now
        part = ((viewed and viewed.part) or Part()).within(case.image.shape)
        volumes = (*case.images, *case.labels)
        images, labels = self.buffers.filled(part, warp_part(self.session.view, u, part, volumes))
        left = None if part.whole else part
        return Moment(request, self.layer_case, position, total, images, labels, part=left)

    def warped(self, request: RunRequest, done: Finishing, total: int, viewed: Viewed) -> Moment:
        """The moment of a result whose inverse, proof and numbers are still to come."""
        back, case, field = self.layer_case.back, done.case, done.displacement
        assert case is not None and field is not None
        return Moment(
            request,
            self.layer_case,
            total,
            total,
            self.layer_case.layer_images(case.images),
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

    def so_far(self, request: RunRequest, viewed: Viewed, slabs: list[list[Any]]) -> Tensor:
        """Where the slabs on view stand: at their last step, or at their random field.

        The others stand still.
        """
        import torch

        view, options = self.session.view, request.options
        on_view = self._on_view(viewed)
        state, ndim = self.session.model.spec.state, len(view.plane)
        u = torch.zeros(view.slabs, ndim, *[state] * ndim)
        for slab in on_view if options.level else ():
            if slab < len(slabs):
                u[slab] = slabs[slab][-1].displacement[0]
            else:
                u[slab] = self.session.start(options, slab).start()[0]
        return u

    def answered(self, request: RunRequest, viewed: Viewed, trace: Trajectory) -> Tensor:
        """What it takes from a finished run to a request's targets, in the slabs on view."""
        u = trace.at(trace.total).clone()
        for slab in self._on_view(viewed):
            part = slice(slab, slab + 1)
            u[part] = prior_answer(self.session, request.options, slab, u[part])
        return u

    def _on_view(self, viewed: Viewed) -> Sequence[int]:
        """The slabs on view."""
        view = self.session.view
        part = viewed.part.within(view.case.image.shape) if viewed.part else None
        fixed = part.fixed[view.axis] if part and view.axis is not None else None
        return range(view.slabs) if view.shared or fixed is None else (fixed,)


class PreparedCases:
    """The last few cases and models that were used."""

    def __init__(self) -> None:
        self._prepared: BoundedCache[PreparedCase] = BoundedCache(_KEPT)  # each counts as one byte
        self._models = ModelCache()

    def get(self, request: RunRequest) -> PreparedCase:
        """The case of a request, prepared where it is not known or its layers were edited.

        Raises:
            InputError: case and model do not fit, or the model cannot be read.
        """
        from src_core.generation import Session

        options, device = request.options, resolved(request.device)
        network = self._models.get(request.model, device)
        model = (network.sha256, device, options.slices, options.region, options.guide)
        key = (fingerprint(request.snapshot), model)
        prepared = self._prepared.get(key)
        if prepared is None:
            layer_case = make_case(request.snapshot.copied())
            chosen = options.slices, options.region, options.guide
            session = Session(layer_case.case, network, *chosen)
            prepared = PreparedCase(key, layer_case, session, DisplayBuffers(layer_case))
            self._prepared.put(key, prepared, 1)
        return prepared

    def forget(self, device: str) -> None:
        """Drop what lies on a device."""
        self._prepared.clear()
        self._models.forget(device)
