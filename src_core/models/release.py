"""The published 2D weights (``000000_cmr_recresacnet.pth``) and one step of their recovery.

A step is ``u <- compose(u, net(I o phi_u, level))``: the image bicubic, the displacement linear,
both zero outside. The release runs levels 80..1 whatever level the field was drawn at. Its own
order multiplies rounding errors about tenfold a step: whole runs agree on no two machines.
"""

from __future__ import annotations

import pickle
import warnings
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from src_core.diffusion.schedule import Schedule
from src_core.errors import InputError
from src_core.fields import compose
from src_core.fields.sampling import warp
from src_core.models.model import Card, ModelSpec, Recovery
from src_core.models.nn.acnn import AcnnConfig, AcnnUNet, predict
from src_core.models.preprocessing import Preprocessing

__all__ = [
    "RELEASE_NETWORK",
    "RELEASE_SIGMA",
    "release_network",
    "release_spec",
    "release_state",
    "release_step",
    "release_warp",
]

RELEASE_NETWORK = AcnnConfig()

#: Of the fields it was trained on, in the image's own units: 4e-5, doubled after the integration.
RELEASE_SIGMA = 8.0e-5

_EXPECTED = "the published 2D recresacnet, a state dict"

_KINDS = ("weight", "bias")

_SINGLE = {
    "time_embed.weight": "time_table",
    **{f"down{i + 1}.{kind}": f"down.{i}.{kind}" for i, kind in product(range(3), _KINDS)},
    **{f"up{i + 1}.{kind}": f"up.{i}.{kind}" for i, kind in product(range(3), _KINDS)},
    "conv_out.weight": "head.weight",
    "conv_out.bias": "head.bias",
}

_STAGES = {
    "1": "encoder.0",
    "2": "encoder.1",
    "3": "encoder.2",
    "_mid": "bottleneck",
    "4": "decoder.0",
    "5": "decoder.1",
    "_out": "decoder.2",
}

_BLOCK = {"conv0": "entry", "ln": "norm", "convs.0": "middle", "convs.1": "dilated"}


def release_state(path: str | Path) -> dict[str, Tensor]:
    """The published weights under our names, float32 on the CPU.

    Raises:
        InputError: no such file; no checkpoint; one that would run code, which is not run; weights
            that are missing, unknown, of another shape or not finite.
    """
    stored, names = _load(Path(path)), _names()
    for theirs in sorted(stored.keys() ^ names.keys()):
        what = "missing" if theirs in names else "unknown"
        raise InputError(f"{what} weight {theirs!r}", where=str(path), expected=_EXPECTED)
    shapes = {name: tuple(v.shape) for name, v in AcnnUNet(RELEASE_NETWORK).state_dict().items()}
    return {
        ours: _checked(stored[theirs], shapes[ours], theirs, path) for theirs, ours in names.items()
    }


def release_network(path: str | Path) -> AcnnUNet:
    """The network with the published weights, in evaluation mode; errors as ``release_state``."""
    network = AcnnUNet(RELEASE_NETWORK)
    network.load_state_dict(release_state(path))
    return network.eval().requires_grad_(False)


def release_warp(image: Tensor, u: Tensor) -> Tensor:
    """``I o phi_u`` as the release's network sees it: (B, 1, H, W), cubic, so beyond [0, 1]."""
    return warp(image, u, "cubic", "zeros")


@torch.inference_mode()
def release_step(network: AcnnUNet, image: Tensor, u: Tensor, level: int) -> Tensor:
    """One recovery step.

    Args:
        network: as ``release_network`` gives it.
        image: (B, 1, 256, 256), undeformed, in [0, 1].
        u: (B, 2, 256, 256), voxels.
        level: 1 to 80, row ``level - 1`` of the release's time table.

    Returns:
        The next u, (B, 2, 256, 256), voxels.
    """
    row = torch.full((len(image),), level - 1, device=image.device)
    return compose(u, predict(network, release_warp(image, u), row), "zeros")


def _names() -> dict[str, str]:
    """The release's names of weights -> ours."""
    names = dict(_SINGLE)
    for short, stage in _STAGES.items():
        for layer, kind in product((0, 2), _KINDS):
            names[f"te{short}.{layer}.{kind}"] = f"{stage}.time.{layer}.{kind}"
        for i, (theirs, ours), kind in product(range(3), _BLOCK.items(), _KINDS):
            if ours != "norm" or not stage.startswith("decoder"):
                names[f"b{short}.{i}.{theirs}.{kind}"] = f"{stage}.blocks.{i}.{ours}.{kind}"
    return names


def _load(path: Path) -> dict[str, object]:
    if not path.is_file():
        raise InputError("no such file", where=str(path), expected=_EXPECTED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            stored = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError("the file cannot be read", where=str(path)) from error
    except pickle.UnpicklingError as error:
        raise InputError(_why_refused(path, error), where=str(path), expected=_EXPECTED) from error
    except Exception as error:  # torch raises errors of almost any type for a broken file
        raise InputError("not a checkpoint", where=str(path), expected=_EXPECTED) from error
    if not isinstance(stored, dict):
        raise InputError("not a state dict", where=str(path), expected=_EXPECTED)
    return {str(key): value for key, value in stored.items()}


def _why_refused(path: Path, error: pickle.UnpicklingError) -> str:
    """The safe loader takes pickles of plain weights: any other could run code, or is no pickle."""
    with path.open("rb") as stream:
        head = stream.read(2)
    pickled = head == b"PK" or head[:1] == b"\x80" or "GLOBAL" in str(error).upper()
    return "loading it could run code, so it was refused" if pickled else "not a checkpoint"


def _checked(value: object, shape: tuple[int, ...], name: str, path: str | Path) -> Tensor:
    if not isinstance(value, Tensor) or tuple(value.shape) != shape:
        came = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise InputError(f"weight {name!r} is {came}", where=str(path), expected=f"shape {shape}")
    if value.is_complex() or not bool(torch.isfinite(value).all()):
        raise InputError(f"weight {name!r} is not finite", where=str(path), expected="real numbers")
    return value.float()


def release_spec() -> ModelSpec:
    """The published model as this package runs it."""
    return ModelSpec(
        name="release-cardiac",
        size=256,
        preprocessing=Preprocessing(percentiles=(0.0, 100.0)),
        schedule=Schedule(),
        network=RELEASE_NETWORK,
        recovery=Recovery(image_mode="cubic"),
        card=Card(
            title="The published 2D cardiac model (Zheng et al.)",
            data="Sunnybrook, LASC, M&Ms and M&Ms-2, as the paper says",
            licence="Apache-2.0 (weights), Zheng et al.",
            citation="Zheng et al., Medical Image Analysis 2026, doi:10.1016/j.media.2026.103987",
        ),
    )
