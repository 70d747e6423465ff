from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from src_core.errors import ArgumentError
from src_core.fields import folding_permille, jacobian_determinant

INNER_2D = np.s_[1:-1, 1:-1]


def positions(*shape):
    axes = [torch.arange(n, dtype=torch.float64) for n in shape]
    return torch.meshgrid(*axes, indexing="ij")


def wavy(*shape, amplitude=2.0):
    """A field that differs along every axis and in every channel, (1, D, *shape)."""
    x = positions(*shape)
    waves = [
        amplitude * torch.sin(0.3 * x[axis] + 0.2 * (axis + 1) * x[axis - 1])
        for axis in range(len(shape))
    ]
    return torch.stack(waves)[None]


def test_a_quadratic_map_has_its_hand_written_determinant():
    x, y = positions(9, 14)
    u = torch.stack((0.02 * x * x + 0.3 * y, 0.1 * x - 0.03 * x * y))[None]
    by_hand = (1 + 0.04 * x) * (1 - 0.03 * x) - 0.3 * (0.1 - 0.03 * y)
    found = jacobian_determinant(u)[0]
    np.testing.assert_allclose(found[INNER_2D], by_hand[INNER_2D], atol=1e-12)


def test_an_affine_map_has_one_determinant_up_to_the_borders():
    matrix = torch.tensor([[1.2, 0.4, -0.1], [0.3, 0.7, 0.2], [-0.2, 0.5, 1.5]]).double()
    x = torch.stack(positions(5, 7, 4))
    u = torch.einsum("ij,j...->i...", matrix, x) - x
    expected = torch.full((5, 7, 4), float(torch.linalg.det(matrix)), dtype=torch.float64)
    torch.testing.assert_close(jacobian_determinant(u[None])[0], expected)


@pytest.mark.parametrize("shape", [(17, 23), (9, 12, 7)])
def test_it_agrees_with_itk_inside(shape):
    u = wavy(*shape)
    channels_last = np.moveaxis(u[0].numpy()[::-1], 0, -1)
    image = sitk.GetImageFromArray(np.ascontiguousarray(channels_last), isVector=True)
    by_itk = sitk.GetArrayFromImage(sitk.DisplacementFieldJacobianDeterminant(image))
    inner = tuple(slice(1, -1) for _ in shape)
    np.testing.assert_allclose(jacobian_determinant(u)[0].numpy()[inner], by_itk[inner], atol=1e-6)


@pytest.mark.parametrize("shape", [(6, 11), (5, 4, 7)])
def test_it_agrees_with_numpy_up_to_the_borders(shape):
    u = wavy(*shape)[0]
    rows = np.stack([np.stack(np.gradient(channel.numpy())) for channel in u])
    matrices = np.moveaxis(rows, (0, 1), (-2, -1)) + np.eye(len(shape))
    np.testing.assert_allclose(jacobian_determinant(u[None])[0], np.linalg.det(matrices))


def test_batch_items_do_not_mix():
    fields = torch.cat([wavy(8, 9), wavy(8, 9, amplitude=0.5)])
    alone = torch.cat([jacobian_determinant(one[None]) for one in fields])
    assert torch.equal(jacobian_determinant(fields), alone)


def test_its_gradient_is_right():
    u = wavy(4, 5).requires_grad_()
    assert torch.autograd.gradcheck(jacobian_determinant, (u,))


def test_folding_counts_only_voxels_off_the_border():
    u = torch.zeros(2, 2, 8, 12)
    u[0, 0, 4, 5] = 2.5  # folds at (5, 5) alone, where (u[6] - u[4]) / 2 = -1.25
    u[1, 0, 1, 5] = 2.5  # folds at (2, 5)
    u[1, 0, 7, 5] = -2.5  # folds at the border voxel (7, 5) and at (6, 5)
    expected = torch.tensor([1, 2], dtype=torch.float64) * 1000 / (6 * 10)
    torch.testing.assert_close(folding_permille(u), expected)


def test_folding_of_a_reflection_is_a_thousand_also_with_two_slices():
    x = torch.stack(positions(4, 5, 2))
    u = torch.zeros_like(x)
    u[2] = -2 * x[2]
    assert folding_permille(u[None]).tolist() == [1000.0]


@pytest.mark.parametrize("function", [jacobian_determinant, folding_permille])
@pytest.mark.parametrize(
    ("u", "found_text"),
    [
        (torch.zeros(2, 8, 8), "got (2, 8, 8)"),
        (torch.zeros(1, 3, 8, 8), "got (1, 3, 8, 8)"),
        (torch.zeros(1, 2, 8, 1), "2 voxels or more"),
        (torch.zeros(1, 2, 8, 8, dtype=torch.int64), "got torch.int64"),
        (torch.full((1, 2, 3, 3), torch.nan), "got 18 values that are not"),
    ],
)
def test_what_is_no_field_is_refused_in_one_line(function, u, found_text):
    with pytest.raises(ArgumentError) as error:
        function(u)
    message = str(error.value)
    assert found_text in message and message.startswith(f"{function.__name__}() 'u' must")
    assert "\n" not in message
