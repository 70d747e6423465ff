"""Changes of intensities against closed forms, and their draws against the published chances."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.generation import generate
from src_core.generation.drawn import DrawnIntensities, DrawnPose, draw_intensities, draw_pose
from src_core.generation.intensities import (
    INTENSITIES,
    Intensities,
    intensities_text,
    parse_intensities,
)
from src_core.generation.intensity_changes import change_case, changed
from src_core.generation.pose import Pose
from tests.support import tiny

DRAWS = 3000


def image(shape: tuple[int, ...] = (1, 40, 30, 20)) -> torch.Tensor:
    """Smooth blobs, mean about 300 and deviation about 50."""
    noise = np.random.default_rng(1).normal(size=shape)
    blobs = ndimage.gaussian_filter(noise, (0, 3, 3, 3))
    return torch.from_numpy(300 + 50 * blobs / blobs.std())


def test_without_changes_every_bit_stays() -> None:
    values = image()
    assert changed(values, DrawnIntensities(noise_seed=7), None) is values
    flat = torch.full((1, 4, 5, 3), 9.0)
    assert torch.equal(changed(flat, DrawnIntensities(noise=1.0, gamma=2.0), None), flat)


def test_noise_has_its_deviation_in_units_of_the_image() -> None:
    values = image((2, 60, 50, 20))
    added = changed(values, DrawnIntensities(noise=0.1, noise_seed=3), None) - values
    unit = float(values.std(correction=0))
    assert float(added.var()) == pytest.approx((0.1 * unit) ** 2, rel=0.02)
    assert abs(float(added.mean())) < 4 * 0.1 * unit / added.numel() ** 0.5
    other = changed(values, DrawnIntensities(noise=0.1, noise_seed=4), None) - values
    assert abs(float(torch.corrcoef(torch.stack([added.ravel(), other.ravel()]))[0, 1])) < 0.02


def test_blur_is_a_gaussian_of_each_axis() -> None:
    values = image()
    new = changed(values, DrawnIntensities(blur=(0.9, 0.6, 0.7)), None)
    wanted = ndimage.gaussian_filter(
        values.numpy(), (0, 0.9, 0.6, 0.7), mode="nearest", radius=(0, 3, 2, 2)
    )
    assert np.allclose(new.numpy(), wanted, atol=1e-9)
    in_slice = changed(values, DrawnIntensities(blur=(0.9, 0.6, 0.7)), 2)
    wanted = ndimage.gaussian_filter(
        values.numpy(), (0, 0.9, 0.6, 0), mode="nearest", radius=(0, 3, 2, 0)
    )
    assert np.allclose(in_slice.numpy(), wanted, atol=1e-9)


def test_brightness_and_contrast_are_factors_about_the_mean() -> None:
    values = image()
    mean = values.mean()
    bright = changed(values, DrawnIntensities(brightness=1.2), None)
    assert torch.allclose(bright, mean + 1.2 * (values - mean))
    strong = changed(values, DrawnIntensities(contrast=1.2), None)
    wanted = (mean + 1.2 * (values - mean)).clamp(values.min(), values.max())
    assert torch.allclose(strong, wanted) and float(strong.max()) == pytest.approx(
        float(values.max())
    )


def test_low_resolution_keeps_a_ramp_and_the_slice_axis() -> None:
    across = torch.arange(20.0, dtype=torch.float64).expand(1, 40, 30, 20).clone()
    new = changed(across, DrawnIntensities(resolution=0.5), 2)
    assert torch.allclose(new, across)  # nothing happens along the slices
    coarse = changed(across, DrawnIntensities(resolution=0.5), None)
    assert float((coarse - across).abs().max()) > 0.4
    along = torch.diff(coarse[0, 0, 0])[2:-2]
    assert torch.allclose(along, torch.ones_like(along))  # a line again, between fewer voxels


@pytest.mark.parametrize("name", ["gamma", "inverted_gamma"])
@pytest.mark.parametrize("exponent", [0.7, 1.5])
def test_gamma_keeps_mean_and_deviation_where_asked(name: str, exponent: float) -> None:
    values = image()
    kept = changed(values, DrawnIntensities(**{name: exponent}), None)
    assert float(kept.mean()) == pytest.approx(float(values.mean()))
    assert float(kept.std()) == pytest.approx(float(values.std()))
    assert float((kept - values).abs().max()) > 5
    plain = changed(values, DrawnIntensities(**{name: exponent}, keeps_mean=False), None)
    low, high = values.min(), values.max()
    share = (values - low) / (high - low)
    wanted = share**exponent if name == "gamma" else 1 - (1 - share) ** exponent
    assert torch.allclose(plain, low + wanted * (high - low))
    assert torch.equal(kept.ravel().argsort(), values.ravel().argsort())


def test_only_images_change_and_their_type_stays() -> None:
    values = image()[0].numpy()
    stored = (values * 100).astype(np.uint16)
    stored[:2] = np.iinfo(np.uint16).max
    labels = (values > 320).astype(np.uint8)
    case = Case.from_arrays(stored, labels, spacing=(1, 2, 3))
    drawn = DrawnIntensities(noise=1.0, brightness=1.3)
    new = change_case(case, [drawn], None)
    assert new.image.dtype == np.uint16 and not np.array_equal(new.image, stored)
    whole = changed(torch.from_numpy(stored.astype(np.float32))[None], drawn, None)[0].numpy()
    assert np.array_equal(new.image, whole.round().clip(0, 65535).astype(np.uint16))
    assert (whole > 65535).any() and (new.image == 65535).any()
    assert new.labels is case.labels


def test_a_cine_is_one_image() -> None:
    frames = np.moveaxis(image((4, 20, 16, 3)).numpy(), 0, -1).astype(np.float32)
    case = Case.from_arrays(frames, spacing=(1, 2, 8))
    drawn = DrawnIntensities(brightness=0.8, blur=(0.5, 0.5, 0.5))
    new = change_case(case, [drawn], 2).image
    wanted = changed(torch.from_numpy(frames).movedim(-1, 0), drawn, 2).movedim(0, -1)
    assert new.shape == frames.shape and np.array_equal(new, wanted.numpy())


def test_draws_follow_the_published_chances() -> None:
    drawn = [draw_intensities(INTENSITIES["nnunet"], seed, 2) for seed in range(DRAWS)]
    firsts = [one for one, _ in drawn]
    shares = {
        "noise": 0.1, "blur": 0.1, "brightness": 0.15, "contrast": 0.15,
        "resolution": 0.125, "inverted_gamma": 0.1, "gamma": 0.3,
    }  # fmt: skip
    none = DrawnIntensities()
    for name, share in shares.items():
        found = np.mean([getattr(one, name) != getattr(none, name) for one in firsts])
        assert abs(found - share) < 4 * (share * (1 - share) / DRAWS) ** 0.5, name
    gammas = np.array([one.gamma for one in firsts if one.gamma != 1])
    assert gammas.min() >= 0.7 and gammas.max() <= 1.5
    assert abs((gammas < 1).mean() - 0.5) < 4 * 0.5 / len(gammas) ** 0.5
    assert all(a.noise == b.noise and a.noise_seed != b.noise_seed for a, b in drawn)


def test_draws_of_a_pose_follow_their_chances() -> None:
    drawn = [draw_pose(Pose(), seed, None) for seed in range(DRAWS)]
    for share, found in (
        (0.2, [any(one.rotation) for one in drawn]),
        (0.2, [one.scale != 1 for one in drawn]),
        (0.5, [one.flip[2] for one in drawn]),
    ):
        assert abs(np.mean(found) - share) < 4 * (share * (1 - share) / DRAWS) ** 0.5
    angles = np.array([one.rotation for one in drawn if any(one.rotation)])
    assert 25 < np.abs(angles).max() <= 30 and not any(any(one.shift) for one in drawn)


def test_drawn_numbers_come_back_from_arrays() -> None:
    for seed in range(20):
        pose = draw_pose(Pose(shift=5), seed, 2)
        assert DrawnPose.from_numbers(pose.numbers()) == pose
        (look,) = draw_intensities(Intensities(), seed, 1)
        assert DrawnIntensities.from_numbers(look.numbers()) == look


def test_a_field_is_the_same_with_and_without_them() -> None:
    case = tiny.case()
    bare, new = (
        generate(case, tiny.model(), level=30, seed=2, intensity=i) for i in (None, "nnunet")
    )
    assert np.array_equal(bare.displacement, new.displacement)
    drawn = new.recipe["drawn"]["intensities"]
    wanted = change_case(bare.case, [DrawnIntensities(**one) for one in drawn], 2)
    assert np.array_equal(new.case.image, wanted.image)
    assert np.array_equal(new.case.label_map, bare.case.label_map)
    assert "label_cut_percent" not in new.metrics


def test_texts_and_impossible_values() -> None:
    one = parse_intensities("noise=0:0.2,gamma_keeps_mean=off")
    assert one == Intensities(noise=(0, 0.2), gamma_keeps_mean=False)
    assert parse_intensities(intensities_text(one)) == one
    for text in ("resolution=0.5:2", "noise=-1:0", "gamma=0:1", "blur=3:1", "noise=x"):
        with pytest.raises(InputError, match="intensity, expected nnunet, none"):
            parse_intensities(text)
