"""A case in a model's grid, for many levels and seeds: its images, random fields and steps."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from src_core.cases.case import Case
from src_core.diffusion.flow import Flow
from src_core.diffusion.random_field import Draws, generator
from src_core.errors import InputError
from src_core.fields.planes import Field
from src_core.generation.model_view import MOST_SLICES, ModelView, make_model_view
from src_core.generation.options import Options
from src_core.generation.recovery import RecoveryStep, Variety, recovery_steps
from src_core.generation.region import Box
from src_core.generation.steered import check_steering, slab_search, steered_steps
from src_core.generation.still import still_factors
from src_core.models.device import fixed_threads
from src_core.models.image_fit import ImageFit
from src_core.models.model import Model, ModelSpec
from src_core.models.prediction import checked_condition
from src_core.steering.search import TargetSearch, rounds_of

__all__ = ["Session", "Step", "find_organs", "flow_of", "start_flow", "threaded"]

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class Step:
    """Progress of a generation: step ``index`` of ``total``; ``recovery`` is the run's state.

    A slab is the part of a case that one deformation serves: all slices, one slice, or the volume.
    Steps are counted over all slabs. With targets, a slab is recovered in up to ``rounds`` rounds,
    each of which begins at its random field; ``round`` counts them from 1.
    """

    index: int
    total: int
    level: int
    slab: int
    recovery: RecoveryStep
    view: ModelView
    round: int = 1
    rounds: int = 1

    def displacement(self) -> Field:
        """The field at this step on the case's grid, LPS mm (shared deformations only)."""
        return self.view.field(self.recovery.displacement)


class Session:
    """A case prepared for one model: all that stays the same when level, seed or steps change.

    Args:
        case: what is deformed.
        model: the model that recovers.
        slices: with a 2D model, one deformation for all slices ("shared"), or one "each".
        region: the box that is deformed, voxels along X, Y, Z; None for the whole image.
        guide: the image that the network sees, from 1; None: the first, of a picture green.

    Raises:
        InputError: case and model do not fit.
    """

    def __init__(
        self,
        case: Case,
        model: Model,
        slices: str = "shared",
        region: Box | None = None,
        guide: int | None = None,
    ) -> None:
        self.case, self.model = case, model
        self.view = make_model_view(case, model.spec, slices, region, guide)
        self._images: dict[int, Tensor] = {}
        self._organs: dict[int, Tensor | None] = {}
        self._fit: ImageFit | None = None

    def check(self, options: Options) -> None:
        """Refuse options that do not fit the model, before anything is computed.

        Raises:
            InputError: cubic interpolation for a 3D deformation, a condition that the model does
                not take, or variety without organs.
        """
        if options.interpolation == "cubic" and self.view.axis is None:
            raise InputError(
                "cubic exists for 2D models only", option="interpolation", expected="linear"
            )
        checked_condition(self.model.spec.network, options.condition)
        if options.variety and not self.model.spec.organs and not self.case.labels:
            raise InputError(
                f"the model {self.model.spec.name} finds no organs whose variety could be kept",
                option="variety",
                do="give labels of the organs, or choose a variety of 0",
            )
        if options.targets:
            check_steering(self.view, self.model.spec, options)

    def variety(self, options: Options, slab: int = 0) -> Variety | None:
        """What recovery leaves out with these options; None for nothing."""
        chosen = options.variety
        share = self.model.spec.recovery.variety if chosen is None else chosen
        organs = self.organs(slab) if share else None
        return None if organs is None else Variety(share, organs)

    def organs(self, slab: int) -> Tensor | None:
        """Where organs are in one slab, as ``find_organs`` has them."""
        if slab not in self._organs:
            with fixed_threads():
                self._organs[slab] = find_organs(self.model, self.view, slab, self.images(slab))
        return self._organs[slab]

    def step_count(self, options: Options) -> int:
        """Number of recovery steps with these options."""
        return min(options.steps or self.model.spec.recovery.steps, options.level)

    def draws(self, options: Options, slab: int = 0) -> Draws:
        """The random numbers of one slab."""
        seeds = (options.seed,) if self.view.shared else (options.seed, slab)
        spec = self.model.spec
        return spec.random_field.draw(spec.ndim, generator(*seeds))

    def start(self, options: Options, slab: int = 0, draws: Draws | None = None) -> Flow:
        """The random flow of one slab, from its draws or from others."""
        draws = self.draws(options, slab) if draws is None else draws
        with fixed_threads():
            flow = flow_of(self.model.spec, draws, options.level)
            fades = self._fades(options, slab, flow.random.shape[-1])
        return flow if fades is None else replace(flow, random=flow.random * fades[0])

    def steps(self, options: Options) -> Generator[Step, None, tuple[RecoveryStep, ...]]:
        """The recovery of every slab, one after the other; nothing at level 0.

        Returns:
            The last step of each slab: ``ends = yield from session.steps(options)``.

        Raises:
            InputError: options that do not fit the model.
        """
        self.check(options)
        slabs, ends = self.view.slabs if options.level else 0, list[RecoveryStep]()
        rounds = rounds_of(options.targets)
        for slab in range(slabs):
            at: RecoveryStep | None = None
            number = 0
            for at in threaded(self._slab_steps(options, slab)):
                number += at.index == 0
                total = at.total + 1
                index = (slab * rounds + number - 1) * total + at.index
                yield Step(
                    index, slabs * rounds * total, at.level, slab, at, self.view, number, rounds
                )
            assert at is not None
            ends.append(at)
        return tuple(ends)

    def ends(self, options: Options) -> tuple[RecoveryStep, ...]:
        """The last step of each slab, without the others."""
        steps = self.steps(options)
        while True:
            try:
                next(steps)
            except StopIteration as finished:
                ends: tuple[RecoveryStep, ...] = finished.value
                return ends

    def images(self, slab: int) -> Tensor:
        """The network's input images of one slab: (N, 1, *size) in 0..1."""
        if slab not in self._images:
            with fixed_threads():
                self._images[slab] = self.view.images(slab)
        return self._images[slab]

    @property
    def fit(self) -> ImageFit:
        """Whether the case's undeformed images fit the model."""
        if self._fit is None:
            slabs, most = self.view.slabs, MOST_SLICES
            some = sorted({i * (slabs - 1) // (most - 1) for i in range(most)})
            images = torch.cat([self.images(slab) for slab in some])
            with torch.inference_mode(), fixed_threads():
                self._fit = self.model.fit_of(images)
        return self._fit

    def prior_answer(self, options: Options, slab: int, u: Tensor) -> Tensor:
        """A map of a slab, followed by what the prior alone answers to targets: not recovered.

        Args:
            options: with the targets.
            slab: of the case.
            u: (1, D, *state), state voxels.

        Returns:
            Another such map; the same one where nothing is asked of the slab.
        """
        with torch.inference_mode(), fixed_threads():
            search = self._search(options, slab, self.draws(options, slab))
            return u if search is None else search.prior_answer(u)

    def _slab_steps(self, options: Options, slab: int) -> Iterator[RecoveryStep]:
        """The steps of one slab; with targets, those of every round."""
        draws = self.draws(options, slab)
        search = self._search(options, slab, draws)
        if search is None:
            return self._recovery(options, slab, draws)
        return steered_steps(search, draws, lambda moved: self._recovery(options, slab, moved))

    def _search(self, options: Options, slab: int, draws: Draws) -> TargetSearch | None:
        """The search for targets in one slab; None without any."""
        if not options.targets:
            return None
        spec = self.model.spec
        fades = self._fades(options, slab, 2 * spec.state)
        fade = None if fades is None else fades[1]
        return slab_search(self.view, spec, options, slab, draws, fade)

    def _recovery(self, options: Options, slab: int, draws: Draws) -> Iterator[RecoveryStep]:
        start, images = self.start(options, slab, draws), self.images(slab)
        fades = self._fades(options, slab, start.random.shape[-1])
        fade = None if fades is None else fades[1]
        steps = self.step_count(options)
        condition, variety = options.condition, self.variety(options, slab)
        return recovery_steps(
            self.model, images, start, options.level, steps, fade, condition, variety
        )

    def _fades(self, options: Options, slab: int, enlarged: int) -> tuple[Tensor, Tensor] | None:
        """Factors on velocities, of the region and of what stays still: enlarged, state grid."""
        state = self.model.spec.state
        fades = self.view.fades(enlarged, state)
        still = still_factors(self.view, options.targets, slab, enlarged, state)
        if fades is None or still is None:
            return still if fades is None else fades
        return fades[0] * still[0], fades[1] * still[1]


def find_organs(model: Model, view: ModelView, slab: int, images: Tensor) -> Tensor | None:
    """Where organs are in a slab, whose undeformed images are given: (1, K, *state), 0 to 1.

    As the model finds them; for a model without organs each label, its holes filled; None without
    either.
    """
    found = model.organ_shares(images)
    return view.label_shares(slab, model.spec.state) if found is None else found


def start_flow(model: Model, *seeds: int, level: int) -> Flow:
    """The random flow of a seed at a level."""
    draws = model.spec.random_field.draw(model.spec.ndim, generator(*seeds))
    return flow_of(model.spec, draws, level)


def flow_of(spec: ModelSpec, draws: Draws, level: int) -> Flow:
    """The random flow that is made from given draws at a level, on the enlarged grid."""
    field, time = spec.random_field, spec.schedule.tau(level)
    velocity = field.enlarged(field.velocity(draws))
    integrate = partial(field.ddf, times=torch.tensor([time]))
    return Flow(velocity * time, (), spec.state, integrate)


def threaded(values: Iterator[_T]) -> Iterator[_T]:
    """The same values, each computed on the fixed number of threads; the consumer keeps its own."""
    while True:
        with fixed_threads():
            try:
                value = next(values)
            except StopIteration:
                return
        yield value
