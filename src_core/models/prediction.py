"""The kinds of recovery network by name, and what is common to all of them.

A new kind is a file of ``models.nn`` with a config, a network and a ``NetworkKind``, and a row of
``NETWORK_KINDS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny
from torch import nn

from src_core.diffusion.grids import state_size
from src_core.diffusion.kinds import random_field
from src_core.errors import ArgumentError, InputError
from src_core.models.network_kind import Design, NetworkConfig, NetworkKind
from src_core.models.nn.acnn_kind import AcnnKind
from src_core.models.nn.velocity import VelocityUNetKind
from src_core.models.organs import Organ

__all__ = [
    "NETWORK_KINDS",
    "AnyNetworkConfig",
    "build",
    "check_design",
    "check_organs",
    "checked_condition",
    "network_kind",
    "register_network_kind",
    "unfilled",
]

NETWORK_KINDS: dict[str, NetworkKind] = {
    "acnn": AcnnKind(),
    "velocity-unet": VelocityUNetKind(),
}


def network_kind(config: NetworkConfig) -> NetworkKind:
    """The kind of a config.

    Raises:
        InputError: there is none of that name.
    """
    return _named(config.kind)


def register_network_kind(kind: NetworkKind) -> None:
    """Add a kind of network from outside this package, under the name in its config.

    Raises:
        ArgumentError: the name is taken.
    """
    name = str(kind.config.model_fields["kind"].default)
    if name in NETWORK_KINDS:
        raise ArgumentError(f"register_network_kind() 'kind' must have a new name, got {name!r}")
    NETWORK_KINDS[name] = kind


def build(config: NetworkConfig) -> nn.Module:
    """The network of a config, with fresh random weights (from torch's global generator)."""
    return network_kind(config).build(config)


def unfilled(config: NetworkConfig) -> nn.Module:
    """The network of a config, whose weights a file gives; see ``NetworkKind.unfilled``."""
    return network_kind(config).unfilled(config)


def check_design(design: Design) -> None:
    """Raise a ValueError unless the grids of model, state and network are in step."""
    random_field(design.schedule)
    size, control, state = design.size, design.schedule.control, state_size(design.schedule)
    if control % 4 or size % state:
        raise ValueError(
            f"size {size} and control {control} do not fit: size a multiple of {state}"
        )
    network_kind(design.network).check(design)


def check_organs(config: NetworkConfig, organs: Sequence[Organ]) -> None:
    """Raise a ValueError unless the network predicts a map of each organ."""
    maps = network_kind(config).organs(config)
    if maps != len(organs):
        raise ValueError(f"network.organs is {maps}, but {len(organs)} organs are described")


def checked_condition(
    config: NetworkConfig, values: Sequence[float] | None
) -> tuple[float, ...] | None:
    """A condition for a network, its defaults where none is given; None where it takes none.

    Raises:
        InputError: it takes none, or numbers are missing, too many or out of range.
    """
    numbers = network_kind(config).condition(config)
    if not numbers:
        if values is None:
            return None
        raise InputError("the model takes no condition", option="condition", do="leave it out")
    if values is None:
        return tuple(n.default for n in numbers)
    fits = len(values) == len(numbers)
    if not fits or not all(n.low <= v <= n.high for n, v in zip(numbers, values, strict=True)):
        given = ", ".join(f"{value:g}" for value in values) or "of no numbers"
        raise InputError(
            f"condition {given} is not possible",
            option="condition",
            expected=f"{len(numbers)} numbers: {', '.join(map(str, numbers))}",
        )
    return tuple(float(value) for value in values)


def _named(name: object) -> NetworkKind:
    if name not in NETWORK_KINDS:
        raise InputError(
            f"there is no network of kind {name}",
            where="network.kind",
            expected="one of: " + ", ".join(NETWORK_KINDS),
        )
    return NETWORK_KINDS[str(name)]


def _parsed(values: Any) -> Any:
    """A config of the kind that its values name."""
    if isinstance(values, dict):
        return _named(values.get("kind")).config.model_validate(values)
    return values


#: A network's config in a model or a training, of any kind of the table.
AnyNetworkConfig = Annotated[SerializeAsAny[NetworkConfig], BeforeValidator(_parsed)]
