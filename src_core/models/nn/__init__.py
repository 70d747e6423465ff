"""Recovery networks and their frozen configs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import nn

from src_core.models.nn.acnn import AcnnConfig, AcnnUNet
from src_core.models.nn.velocity import VelocityUNet, VelocityUNetConfig

__all__ = ["AcnnConfig", "NetworkConfig", "VelocityUNetConfig", "build"]

NetworkConfig = Annotated[AcnnConfig | VelocityUNetConfig, Field(discriminator="kind")]


def build(config: AcnnConfig | VelocityUNetConfig) -> nn.Module:
    """The network of a config, with fresh random weights (from torch's global generator)."""
    return AcnnUNet(config) if isinstance(config, AcnnConfig) else VelocityUNet(config)
