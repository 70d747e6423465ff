"""The recursive U-Net by closed forms: what a pass means, and how passes are put together."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from src_core.errors import ArgumentError
from src_core.models.nn.acnn import AcnnConfig, AcnnUNet, predict


@pytest.fixture
def constant() -> AcnnUNet:
    """Every pass says (0.125, -0.25) of the side, whatever it sees."""
    network = AcnnUNet(AcnnConfig())
    torch.nn.init.zeros_(network.head.weight)
    network.head.bias.data = torch.tensor([0.125, -0.25])
    return network.eval()


@torch.inference_mode()
def test_fractions_are_of_the_side_of_their_own_axis(constant: AcnnUNet) -> None:
    u = predict(constant, torch.rand(1, 1, 16, 48), torch.tensor([5]))
    # Two passes of a constant add up: 2 * 0.125 * 16 and 2 * -0.25 * 48.
    assert torch.allclose(u, torch.tensor([4.0, -24.0]).view(1, 2, 1, 1).expand_as(u), atol=1e-5)


@torch.inference_mode()
def test_a_pass_is_clamped_to_its_side_less_a_voxel(constant: AcnnUNet) -> None:
    constant.head.bias.data = torch.tensor([3.0, -3.0])
    u = constant(torch.rand(1, 1, 16, 32), torch.tensor([5]))
    assert u[0, 0].unique().tolist() == [15 / 16] and u[0, 1].unique().tolist() == [-31 / 32]


@torch.inference_mode()
def test_the_second_pass_sees_the_image_deformed_by_the_first() -> None:
    class Looks(torch.nn.Module):
        config = AcnnConfig()

        def __init__(self) -> None:
            super().__init__()
            self.seen: list[Tensor] = []

        def forward(self, image: Tensor, row: Tensor) -> Tensor:
            self.seen.append(image)
            return torch.tensor([1 / 16, 0.0]).view(1, 2, 1, 1).expand(1, 2, *image.shape[2:])

    image, looks = torch.rand(1, 1, 16, 24), Looks()
    predict(looks, image, torch.tensor([0]))  # type: ignore[arg-type]
    assert torch.allclose(looks.seen[1][:, :, :-1], image[:, :, 1:], atol=1e-5)
    assert float(looks.seen[1][:, :, -1].abs().max()) <= 1e-5  # from outside: zeros


@torch.inference_mode()
def test_3d_by_the_same_code() -> None:
    config = AcnnConfig(ndim=3, channels=(4, 6), bottleneck=(5, 5, 6), time_features=8)
    u = predict(AcnnUNet(config), torch.rand(2, 1, 8, 12, 16), torch.tensor([0, 79]))
    assert u.shape == (2, 3, 8, 12, 16) and bool(u.isfinite().all())


@pytest.mark.parametrize(
    ("shape", "row"),
    [((1, 1, 64, 60), 3), ((1, 1, 8, 64), 3), ((1, 2, 64, 64), 3), ((1, 1, 64), 3)]
    + [((1, 1, 64, 64), row) for row in (-1, 80)],
)
def test_wrong_arguments_are_named(shape: tuple[int, ...], row: int) -> None:
    name = "image" if row == 3 else "row"
    with pytest.raises(ArgumentError, match=rf"AcnnUNet\(\) '{name}'"):
        AcnnUNet(AcnnConfig())(torch.zeros(shape), torch.tensor([row]))


def test_a_bottleneck_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ArgumentError, match="'bottleneck' must end with 40"):
        AcnnUNet(AcnnConfig(bottleneck=(20, 20, 30)))
