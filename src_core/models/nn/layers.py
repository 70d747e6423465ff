"""Classes of layers, with random weights or for weights that a file gives; copies of networks."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import nn

__all__ = ["RANDOM", "UNFILLED", "Layers", "copied"]


class _Unfilled:
    """A layer whose weights a file gives: what random ones cost is saved."""

    def reset_parameters(self) -> None:
        """Leave them as they are."""


class _UnfilledConv2d(_Unfilled, nn.Conv2d):
    pass


class _UnfilledConv3d(_Unfilled, nn.Conv3d):
    pass


class _UnfilledLinear(_Unfilled, nn.Linear):
    pass


class Layers(NamedTuple):
    """The classes that a network is made of."""

    conv2d: type[nn.Conv2d] = nn.Conv2d
    conv3d: type[nn.Conv3d] = nn.Conv3d
    linear: type[nn.Linear] = nn.Linear

    def conv(
        self, ndim: int, inputs: int, outputs: int, size: int, stride: int = 1
    ) -> nn.Conv2d | nn.Conv3d:
        """A convolution that keeps the side, or divides it by the stride."""
        layer = self.conv2d if ndim == 2 else self.conv3d
        return layer(inputs, outputs, size, stride, padding=(size - 1) // 2)


RANDOM = Layers()
UNFILLED = Layers(_UnfilledConv2d, _UnfilledConv3d, _UnfilledLinear)


def copied(module: Any) -> Any:
    """A module of the same parameters, with modules and tables of its own."""
    kind: Any = type(module)
    new = kind.__new__(kind)
    for name, value in vars(module).items():
        new.__dict__[name] = value.copy() if isinstance(value, (dict, set)) else value
    for name, inner in module._modules.items():
        new._modules[name] = None if inner is None else copied(inner)
    return new
