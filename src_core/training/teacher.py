"""Models to learn from: weights that a training starts with, a teacher that it follows."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from src_core.diffusion.schedule import TAU_POWER
from src_core.errors import InputError
from src_core.io.hashing import sha256_file
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.models.prediction import network_kind
from src_core.models.release import RELEASE_SIGMA, release_network, release_spec
from src_core.training.config import TrainConfig

__all__ = ["Teacher", "fitted_weights", "open_model", "sigma_of", "summary_of"]


class Teacher:
    """A model's velocities for a batch, as outputs of the network that is trained.

    Fields of another sigma reach a deformation at another level: ``tau(t) sigma`` has to be the
    same, so the teacher predicts at ``t = level (sigma / teacher's sigma)^(1 / 1.3)``.

    Raises:
        InputError: it takes images of another size, or windows are trained on.
    """

    def __init__(self, model: Model, config: TrainConfig) -> None:
        spec = model.spec
        if (spec.ndim, spec.size) != (config.network.ndim, config.size) or config.window:
            raise InputError(
                f"the teacher takes whole images of {spec.size} in {spec.ndim}D",
                where=model.file,
                expected=f"{config.size} in {config.network.ndim}D, and no window in the config",
            )
        self.model, self.config, self.summary = model, config, summary_of(model)
        self.ratio = config.schedule.sigma / (config.distillation.sigma or sigma_of(model))

    @torch.no_grad()
    def __call__(self, images: Tensor, levels: Tensor) -> Tensor:
        """The outputs for images (B, 1, *size) in 0..1 at levels (B,); 0 at level 0."""
        velocities = [
            self.model.predict(image[None], self.level(int(level))) * (self.ratio * bool(level))
            for image, level in zip(images, levels, strict=True)
        ]
        kind = network_kind(self.config.network)
        return kind.as_output(self.config, torch.cat(velocities), levels).to(images.device)

    def level(self, level: int) -> int:
        """The teacher's level of the same deformation."""
        same = round(level * self.ratio ** (1 / TAU_POWER))
        return min(max(same, 1), self.model.spec.schedule.levels)


def open_model(name: Path | str, device: torch.device) -> Model:
    """A model by name or file, or the published .pth as it is.

    Raises:
        InputError: it is none.
    """
    path = Path(name)
    if path.suffix != ".pth":
        return load_model(name, str(device))
    network = release_network(path).to(device)
    return Model(release_spec(), network, device, sha256_file(path), str(path.resolve()))


def sigma_of(model: Model) -> float:
    """Sigma of the fields a model was trained on."""
    released = model.spec.card == release_spec().card
    return RELEASE_SIGMA if released else model.spec.schedule.sigma


def summary_of(model: Model) -> str:
    """A model in one line: name, licence, file."""
    return f"{model.spec.name} ({model.spec.card.licence}), sha256 {model.sha256[:16]}"


def fitted_weights(model: Model, config: TrainConfig) -> dict[str, Tensor]:
    """A model's weights for the network, units and schedule of a config.

    Raises:
        InputError: the network is another.
    """
    found, wanted = model.spec.network, config.network
    kind = network_kind(wanted)
    if found.kind != wanted.kind or kind.shape(found) != kind.shape(wanted):
        raise InputError(
            "the model to start from has another network",
            where=model.file,
            expected="the one of the config",
        )
    weights = {k: v.detach().clone() for k, v in model.network.state_dict().items()}
    ratio = config.schedule.sigma / sigma_of(model)
    return kind.transferred_weights(weights, found, wanted, ratio)
