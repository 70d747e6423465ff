"""Where a training runs, by Lightning Fabric: one CPU or GPU, or many that share each batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_core.errors import InputError
from src_core.errors.options import option_class, same
from src_core.models.device import choose_device
from src_core.training.options import Precision, TrainOptions

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["Hardware", "start_fabric"]


@option_class
class Hardware:
    """What to run on; every device takes an equal part of each batch.

    Weights are float32 in any precision.
    """

    device: str = same(TrainOptions, "device", default="cpu")
    devices: int = same(TrainOptions, "devices")
    precision: Precision = same(TrainOptions, "precision")


def start_fabric(hardware: Hardware) -> Fabric:
    """Fabric on that hardware; with many devices this process starts the others.

    Raises:
        InputError: there is no such device, or bfloat16 is not safe on it.
    """
    from lightning_fabric import Fabric

    device = choose_device(hardware.device)
    if hardware.precision == "bf16" and device.type != "cuda":
        raise InputError(
            f"bf16 is not safe on {device.type}: gradients of dilated convolutions become NaN",
            option="precision",
            expected="32, or a CUDA device",
        )
    if hardware.devices > 1 and device.type == "mps":
        raise InputError("there is one MPS device", option="devices", expected="1")
    one = hardware.devices == 1
    index = device.index if device.type == "cuda" else None
    fabric = Fabric(
        accelerator=device.type,
        devices=[index] if one and index is not None else hardware.devices,
        strategy="auto" if one else "ddp",
        precision="bf16-mixed" if hardware.precision == "bf16" else "32-true",
    )
    if not one:
        fabric.launch()
    return fabric
