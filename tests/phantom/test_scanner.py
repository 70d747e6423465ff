"""The phantom's picture: noise of a scanner, the contrast of the sequence, borders."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from src_core.phantom.scanner import NOISE
from tests.support.phantoms import END_SYSTOLE, LV, MYOCARDIUM


def test_noise_in_air_is_rayleigh(cine):
    air = cine.image[:12, :40, :, :].astype(float)
    assert air.mean() == pytest.approx(NOISE * np.sqrt(np.pi / 2), rel=0.02)
    assert air.std() == pytest.approx(NOISE * np.sqrt(2 - np.pi / 2), rel=0.02)
    assert np.mean(air**2) == pytest.approx(2 * NOISE**2, rel=0.03)
    frames = air.reshape(-1, air.shape[-1]).T
    assert np.abs(np.corrcoef(frames) - np.eye(len(frames))).max() < 0.06


def test_noise_in_bright_tissue_at_rest_is_gaussian(cine):
    still = cine.image.astype(np.float32)[:, 60:150]
    mean, spread = still.mean(axis=-1), still.std(axis=-1, ddof=1)
    far = np.ones(mean.shape, bool)
    far[40:170] = False
    fat = far & (mean > 400)
    assert fat.sum() > 2000
    assert np.sqrt((spread[fat] ** 2).mean()) == pytest.approx(NOISE, rel=0.03)


def test_tissues_have_the_contrast_of_the_sequence(cine):
    picture, labels = cine.image[:, :, 4, 0], cine.labels[:, :, 4, 0]
    blood, muscle = (np.median(picture[labels == k]) for k in (LV, MYOCARDIUM))
    lung = np.percentile(picture[80:160, 60:180], 5)
    assert blood > 2.5 * muscle
    assert lung < 0.4 * muscle
    papillary = (picture < 0.5 * blood) & ndimage.binary_erosion(labels == LV, iterations=2)
    assert 15 < papillary.sum() < 0.25 * (labels == LV).sum()


def test_borders_in_the_image_follow_the_labels(cine):
    for phase in (0, END_SYSTOLE):
        picture = cine.image[:, :, 2, phase]
        cavity = cine.labels[:, :, 2, phase] == LV
        inside = ndimage.binary_erosion(cavity, iterations=4)
        ring = ndimage.binary_dilation(cavity, iterations=4) & ~ndimage.binary_dilation(
            cavity, iterations=2
        )
        ring &= cine.labels[:, :, 2, phase] == MYOCARDIUM
        assert np.percentile(picture[ring], 90) < 0.6 * np.median(picture[inside])
