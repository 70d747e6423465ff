"""Parts of the comparison of registration networks, each by closed form, property or oracle."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from scipy import ndimage
from torch import nn

from src_core.datasets.entry import Entry
from src_core.errors import InputError
from src_core.fields import magnitude
from src_core.training.hardware import Hardware, start_fabric

monai = pytest.importorskip("monai")
from src_core.diffusion import bspline_field  # noqa: E402
from src_core.tasks.registration import synthetic_pairs  # noqa: E402
from src_core.tasks.registration.losses import supervised, unsupervised  # noqa: E402
from src_core.tasks.registration.measures import figures_of  # noqa: E402
from src_core.tasks.registration.networks import (  # noqa: E402
    load_weights,
    make_network,
    save_weights,
)
from src_core.tasks.registration.pair_batches import (  # noqa: E402
    PairBatch,
    RealPairs,
    SyntheticPairs,
    make_batch,
    real_pairs,
)
from src_core.tasks.registration.training import fit  # noqa: E402
from src_core.tasks.registration.window import InputWindow, WindowedCase  # noqa: E402

WINDOW = InputWindow(32, 0.5)


def places(side: int) -> np.ndarray:
    return np.indices((side, side)).astype(np.float64)


def smooth_image(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 0.5 + 0.25 * np.sin(x / 6) + 0.2 * np.cos(y / 5 + x / 9)


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def laid(name: str, shapes: list[np.ndarray], window: InputWindow, mm: float = 2.5) -> WindowedCase:
    """Slices of which each label is a mask (K, size, size), 0..1."""
    shares = (255 * np.stack(shapes)).astype(np.uint8)
    images = np.zeros((len(shapes), 1, window.side, window.side), np.uint8)
    first = (window.side - window.size) // 2
    inner = slice(first, first + window.size)
    images[:, :, inner, inner] = shares.max(axis=1, keepdims=True)
    return WindowedCase(name, name, images, shares, mm)


def box(at: tuple[int, int], size: tuple[int, int], side: int = 32) -> np.ndarray:
    mask = np.zeros((1, side, side), np.float32)
    mask[0, at[0] : at[0] + size[0], at[1] : at[1] + size[1]] = 1
    return mask


class Constant(nn.Module):
    """Answers one displacement, voxels, whatever the images are."""

    def __init__(self, *u: float) -> None:
        super().__init__()
        self.u = nn.Parameter(torch.tensor(u).view(1, -1, 1, 1))

    def forward(self, both: torch.Tensor) -> torch.Tensor:
        return self.u.expand(len(both), -1, *both.shape[2:])


def test_a_window_is_the_centre_of_the_grid_and_fields_keep_their_share_of_the_side():
    assert (InputWindow(64, 0.5).side, InputWindow(64, 1.0).side, InputWindow(96, 0.7).side) == (
        128,
        64,
        138,
    )
    state = (places(16) - 7.5) * np.array([0.1, -0.2]).reshape(2, 1, 1)
    u = WINDOW.field(tensor(state)[None])
    expected = (places(64) - 31.5) * np.array([0.1, -0.2]).reshape(2, 1, 1)
    np.testing.assert_allclose(u[0, :, 2:-2, 2:-2], expected[:, 2:-2, 2:-2], atol=1e-5)
    cut = WINDOW.cut(tensor(places(64))[None])
    assert cut.shape == (1, 2, 32, 32) and cut[0, 0, 0, 0] == 16 and cut[0, 1, -1, -1] == 47


def test_a_synthetic_pair_is_what_the_maps_say():
    x, y = places(64)
    u1 = np.stack([1.5 * np.sin(y / 9), 2 + 0 * x])
    u2 = np.stack([0 * x - 1.25, 2 * np.cos(x / 11)])
    batch = make_batch(
        tensor(smooth_image(x, y))[None, None], tensor(u1)[None], tensor(u2)[None], WINDOW
    )
    inner = slice(16, 48)
    moving = smooth_image(x + u1[0], y + u1[1])[inner, inner]
    x2, y2 = x + u2[0], y + u2[1]
    fixed = smooth_image(x2 + 1.5 * np.sin(y2 / 9), y2 + 2)[inner, inner]
    np.testing.assert_allclose(batch.moving[0, 0], moving, atol=0.004)
    np.testing.assert_allclose(batch.fixed[0, 0], fixed, atol=0.006)
    np.testing.assert_allclose(batch.truth[0], u2[:, inner, inner], atol=1e-6)
    leaving = (np.stack([x2, y2]) < 15.5) | (np.stack([x2, y2]) >= 47.5)
    np.testing.assert_array_equal(batch.known[0, 0], ~leaving.any(axis=0)[inner, inner])
    at = np.stack([x2, y2])[:, inner, inner] - 16
    seen = ndimage.map_coordinates(moving, at, order=1, mode="nearest")
    there = batch.known[0, 0].numpy()
    np.testing.assert_allclose(batch.fixed[0, 0][there], seen[there], atol=0.03)


def test_a_pairs_number_stands_for_its_case_slice_and_fields(tmp_path):
    cases, drawn, units = [], [], ((1, 0, 1), (0, 2))
    for index, mine in enumerate(units):
        images = np.stack([np.full((1, 64, 64), 100 * index + 20 * u, np.uint8) for u in range(3)])
        cases.append(
            WindowedCase(str(index), str(index), images, np.zeros((3, 0, 32, 32), np.uint8), 1.0)
        )
        shift = np.arange(len(mine), dtype=np.float32).reshape(-1, 1, 1, 1) + 10 * index
        path = tmp_path / f"{index}.safetensors"
        fields = np.zeros((2, len(mine), 2, 16, 16), np.float32)
        fields[1] += shift
        save_file(dict(zip(("first", "second"), fields, strict=True)), path)
        drawn.append(synthetic_pairs.PairFields(path, mine))
    pairs = SyntheticPairs(cases, drawn, WINDOW)
    assert len(pairs) == 5
    batch = pairs.batch([4, 0, 2, 3])
    assert (255 * batch.moving[:, 0, 9, 9]).round().tolist() == [140, 20, 20, 100]
    assert batch.truth is not None
    assert batch.truth[:, 1, 5, 5].tolist() == [44, 0, 8, 40]


@pytest.mark.parametrize("ndim", [2, 3])
def test_bsplines_of_several_resolutions_move_as_much_as_the_models_field(ndim):
    like = torch.randn(1, ndim, *[16] * ndim, generator=torch.Generator().manual_seed(1))
    made = bspline_field.multiresolution_ddf(like, 1, 2, 3)
    assert float(magnitude(made).mean()) == pytest.approx(float(magnitude(like).mean()), rel=0.01)
    assert torch.equal(made, bspline_field.multiresolution_ddf(like, 1, 2, 3))
    assert not torch.equal(made, bspline_field.multiresolution_ddf(like, 1, 2, 4))
    part = bspline_field.multiresolution_ddf(like, 1, 2, 3, part=0.5)
    centre = (0, *[slice(4, 12)] * ndim)
    ours, theirs = (float(magnitude(u)[centre].mean()) for u in (part, like))
    assert ours == pytest.approx(theirs, rel=0.01)
    longer = bspline_field.multiresolution_ddf(2 * like, 1, 2, 3)
    assert float(torch.corrcoef(torch.stack([made.flatten(), longer.flatten()]))[0, 1]) > 0.98


def test_one_resolution_is_itks_bspline(monkeypatch):
    sitk = pytest.importorskip("SimpleITK")
    monkeypatch.setattr(bspline_field, "SPANS", (4,))
    made = bspline_field.multiresolution_ddf(torch.full((1, 2, 20, 20), 1.5), 5)[0]
    drawn = torch.rand(2, 7, 7, generator=bspline_field.generator(5), dtype=torch.float64)
    transform = sitk.BSplineTransform(2, 3)
    transform.SetTransformDomainOrigin((-0.5, -0.5))
    transform.SetTransformDomainPhysicalDimensions((20.0, 20.0))
    transform.SetTransformDomainMeshSize((4, 4))
    transform.SetParameters(np.concatenate([(2 * d - 1).numpy().T.ravel() for d in drawn]))
    pixels = [(i, j) for i in range(20) for j in range(20)]
    found = np.array([transform.TransformPoint(tuple(map(float, p))) for p in pixels]) - pixels
    itk = found.T.reshape(2, 20, 20)
    scale = float(made[0].abs().max() / np.abs(itk[0]).max())
    np.testing.assert_allclose(made, scale * itk, atol=1e-5)


def test_the_loss_of_a_field_counts_known_voxels_and_slopes():
    truth, known = torch.zeros(2, 2, 8, 6), torch.zeros(2, 1, 8, 6, dtype=torch.bool)
    known[0, :, :4] = True
    batch = PairBatch(torch.zeros(2, 1, 8, 6), torch.zeros(2, 1, 8, 6), truth, known)
    wrong = torch.full_like(truth, 7.0)
    wrong[0, 0, :4], wrong[0, 1, :4] = 3.0, 1.0
    assert float(supervised(0.0)(wrong, batch)) == pytest.approx(5.0)
    ramp = 0.5 * torch.arange(8.0).view(1, 1, 8, 1).expand(2, 2, 8, 6)
    assert float(supervised(2.0)(ramp, PairBatch(batch.moving, batch.fixed, ramp, known))) == (
        pytest.approx(2.0 * 0.25 / 2)
    )


@pytest.mark.parametrize(("similarity", "gain"), [("mse", 1.0), ("ncc", 0.4)])
def test_images_that_match_through_the_field_cost_nothing(similarity, gain):
    x, y = places(40)
    image = tensor(smooth_image(x, y))[None, None]
    shifted = tensor(gain * smooth_image(x + 3, y - 2))[None, None]
    right = torch.tensor([3.0, -2.0]).view(1, 2, 1, 1).expand(1, 2, 40, 40)
    loss = unsupervised(similarity, 0.0)
    costs = [float(loss(scale * right, PairBatch(image, shifted))) for scale in (1, 0, -1)]
    assert costs[0] < 0.2 * costs[1] < 0.2 * costs[2]


@pytest.mark.slow
def test_a_network_begins_still_learns_a_shift_and_its_seed_gives_its_weights(tmp_path):
    pairs = [box((8 + k, 9), (10, 7)) for k in range(4)]
    window = InputWindow(32, 1.0)
    shifted = [np.roll(p, (2, -1), axis=(1, 2)) for p in pairs]
    both = laid("a", pairs, window), laid("b", shifted, window)
    real = RealPairs([both], [(0, u) for u in range(4)], window)
    fabric = start_fabric(Hardware("cpu"))

    def trained() -> tuple[nn.Module, list[float]]:
        network = make_network(2, 1)
        still = network(torch.rand(1, 2, 32, 32)).detach()
        assert still.shape == (1, 2, 32, 32) and float(still.abs().max()) < 0.01
        at = fit(network, real, unsupervised("mse", 0.001), fabric,
                 steps=30, batch=4, rate=2e-3, seed=1, every=5)  # fmt: skip
        return network, [step.loss for step in at]

    network, losses = trained()
    again, same = trained()
    assert losses == same and losses[-1] < 0.5 * losses[0]
    before, after = (figures_of(n, both, (1,), window)["dsc"] for n in (None, network))
    assert after > before
    other, path = make_network(2, 2), tmp_path / "w.safetensors"
    assert not load_weights(path, other, "one")
    save_weights(path, network, "one")
    assert not load_weights(path, other, "another") and load_weights(path, other, "one")
    assert all(torch.equal(a, b) for a, b in zip(other.parameters(), again.parameters(),
                                                 strict=True))  # fmt: skip


def test_a_loss_that_is_no_number_stops_with_one_line():
    window = InputWindow(16, 1.0)
    one = laid("a", [box((2, 3), (5, 6), 16)], window)
    steps = fit(Constant(math.nan, 0), RealPairs([(one, one)], [(0, 0)], window),
                unsupervised("mse", 0.1), start_fabric(Hardware("cpu")),
                steps=2, batch=1, rate=1e-3, seed=1)  # fmt: skip
    with pytest.raises(InputError, match=r"no longer a number, step 1, take a lower rate"):
        list(steps)


def test_figures_of_boxes_before_and_after_the_right_shift():
    at, size = (10, 12), (8, 6)
    fixed = laid("f", [box(at, size), np.zeros((1, 32, 32))], WINDOW, mm=2.5)
    moving = laid("m", [box((13, 12), size), np.zeros((1, 32, 32))], WINDOW, mm=2.5)
    before = figures_of(None, (moving, fixed), (1,), WINDOW)
    assert before["dsc 1"] == before["dsc"] == pytest.approx(5 / 8)
    assert (before["hd_voxels"], before["hd_mm"]) == (3.0, 7.5)
    assert before["asd_mm"] == pytest.approx(2.5 * before["asd_voxels"]) and before["mean_mm"] == 0
    after = figures_of(Constant(3.0, 0.0), (moving, fixed), (1,), WINDOW)
    assert (after["dsc"], after["asd_mm"], after["hd_mm"]) == (1.0, 0.0, 0.0)
    assert (after["central"], after["strict"]) == (0.0, 0.0)
    assert after["max_mm"] == after["mean_mm"] == pytest.approx(7.5)
    away = figures_of(Constant(-3.0, 0.0), (moving, fixed), (1,), WINDOW)
    assert away["dsc"] == pytest.approx(2 / 8) and away["hd_voxels"] == 6.0


def test_labels_that_one_image_lacks():
    none = np.zeros((1, 32, 32), np.float32)
    both = [np.concatenate([box((10, 12), (8, 6)), part]) for part in (none, box((2, 3), (4, 4)))]
    one, other = laid("a", both[:1], WINDOW), laid("b", both[1:], WINDOW)
    lost = figures_of(None, (one, other), (1, 2), WINDOW)
    assert lost["dsc 2"] == 0 and math.isnan(lost["hd_mm 2"]) and lost["dsc"] == 0.5
    absent = figures_of(None, (other, one), (1, 2), WINDOW)
    assert math.isnan(absent["dsc 2"]) and absent["dsc"] == absent["dsc 1"] == 1


def test_folds_of_a_field_are_counted_both_ways():
    class Folding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(-2.0))

        def forward(self, both: torch.Tensor) -> torch.Tensor:
            u = torch.zeros(len(both), 2, *both.shape[2:])
            u[:, 0] = self.scale * torch.arange(both.shape[2])[:, None]
            return u

    one = laid("a", [box((10, 12), (8, 6))], WINDOW)
    figures = figures_of(Folding(), (one, one), (1,), WINDOW)
    assert figures["central"] == figures["strict"] == 1000


def entry(name: str, subject: str) -> Entry:
    return Entry(Path(f"{name}.nii.gz"), Path(f"{name}-labels.nii.gz"), subject)


def test_real_pairs_of_a_subject_and_between_subjects():
    cases = [entry(n, n[0]) for n in ("a1", "b1", "a2", "c1", "b2", "a3")]
    assert real_pairs(cases, "subject", "x") == [(0, 2), (2, 0), (2, 5), (5, 2), (1, 4), (4, 1)]
    assert real_pairs(cases, "between", "x") == [(0, 1), (1, 0), (1, 3), (3, 1), (3, 0), (0, 3)]
    assert real_pairs(cases[:2], "between", "x") == [(0, 1), (1, 0)]
    with pytest.raises(InputError, match=r"no real pairs, x, expected two cases of one subject"):
        real_pairs(cases[:2], "subject", "x")
    with pytest.raises(InputError, match="two subjects"):
        real_pairs(cases[:1], "between", "x")
