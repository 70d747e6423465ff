"""Pairs to register: the window on a grid, synthetic pairs and real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from scipy import ndimage

from src_core.datasets.entry import Entry
from src_core.errors import InputError

pytest.importorskip("monai")
from src_core.tasks.registration import synthetic_pairs
from src_core.tasks.registration.pair_batches import (
    SyntheticPairs,
    make_batch,
    real_pairs,
)
from src_core.tasks.registration.window import InputWindow, WindowedCase
from tests.support.registrations import WINDOW, places, smooth_image, tensor


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
