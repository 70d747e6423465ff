"""Models to learn from: weights that a training starts with, a teacher that it follows."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from src_core.errors import InputError
from src_core.io.hashing import sha256_file
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.models.nn import AcnnConfig, NetworkConfig
from src_core.models.release import RELEASE_SIGMA, release_network, release_spec
from src_core.training.config import TrainConfig

__all__ = ["Teacher", "fitted_weights", "open_model", "sigma_of", "told"]

#: tau = 2/3 level^1.3 and n_dvf = level^0.6.
_GROWTH, _TARGET = 1.3, 0.6


class Teacher:
    """What a model says to a batch, as the prediction of the network that is trained.

    Fields of another sigma reach a deformation at another level: ``tau(t) sigma`` has to be the
    same, so the teacher is asked at ``t = level (sigma / its sigma)^(1 / 1.3)``.

    Raises:
        InputError: it takes images of another size, or windows are trained on.
    """

    def __init__(self, model: Model, config: TrainConfig) -> None:
        spec = model.spec
        if (spec.ndim, spec.size) != (config.network.ndim, config.size) or config.window:
            raise InputError(
                f"the teacher sees whole images of {spec.size} in {spec.ndim}D",
                where=model.file,
                expected=f"{config.size} in {config.network.ndim}D, and no window in the config",
            )
        self.model, self.config, self.told = model, config, told(model)
        self.ratio = config.schedule.sigma / (config.distillation.sigma or sigma_of(model))

    @torch.no_grad()
    def __call__(self, images: Tensor, levels: Tensor) -> Tensor:
        """The prediction for images (B, 1, *size) in 0..1 at levels (B,); 0 at level 0."""
        from src_core.models.prediction import as_prediction

        said = [
            self.model.predict(image[None], self.level(int(level))) * (self.ratio * bool(level))
            for image, level in zip(images, levels, strict=True)
        ]
        return as_prediction(self.config, torch.cat(said), levels).to(images.device)

    def level(self, level: int) -> int:
        """The teacher's level of the same deformation."""
        its = round(level * self.ratio ** (1 / _GROWTH))
        return min(max(its, 1), self.model.spec.schedule.levels)


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


def told(model: Model) -> str:
    """A model in one line: name, licence, file."""
    return f"{model.spec.name} ({model.spec.card.licence}), sha256 {model.sha256[:16]}"


def fitted_weights(model: Model, config: TrainConfig) -> dict[str, Tensor]:
    """A model's weights for a config's network, in its units and for its schedule.

    For the paper's network, rows of the time table move to the levels of the same deformation, and
    the output is scaled from one target to the other: ``ratio f^-0.6``, ``f = ratio^(1 / 1.3)``.

    Raises:
        InputError: the network is another.
    """
    found, wanted = model.spec.network, config.network
    if _shape(found) != _shape(wanted):
        raise InputError(
            "the model to start from has another network",
            where=model.file,
            expected="the one of the config",
        )
    weights = {k: v.detach().clone() for k, v in model.network.state_dict().items()}
    if not (isinstance(found, AcnnConfig) and isinstance(wanted, AcnnConfig)):
        return weights
    ratio = config.schedule.sigma / sigma_of(model)
    shrink = ratio ** (1 / _GROWTH)
    rows = (torch.arange(found.levels) * shrink).round().long().clamp_max(found.levels - 1)
    weights["time_table"] = weights["time_table"][rows]
    scale = ratio * shrink**-_TARGET * found.output_unit / wanted.output_unit
    for name in ("head.weight", "head.bias"):
        weights[name] = weights[name] * scale
    return weights


def _shape(network: NetworkConfig) -> NetworkConfig:
    """A network without what its weights do not depend on."""
    if not isinstance(network, AcnnConfig):
        return network
    return network.model_copy(update={"recursion": 1, "output_unit": 1.0})
