"""From signed signal to what a scanner stores: coils, off-resonance bands, k-space, noise.

    stored = | F^-1( W F( B S + n_1 + i n_2 ) ) |

with the coil field B, a window W that drops the high frequencies, and white noise n. The noise
is scaled so that both parts of the result have deviation ``NOISE``: the magnitude is Rician.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

from src_core.phantom.brush import Array, smoothstep

__all__ = ["NOISE", "coil_field", "store", "window"]

NOISE = 8.0


def coil_field(x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Sensitivity of surface coils on the chest and back times the dark bands, (Y, X).

    Args:
        x: (1, X), mm.
        y: (Y, 1), mm.
        rng: places the coils and the bands.
    """
    field = np.full(np.broadcast_shapes(x.shape, y.shape), 0.45, np.float32)
    coils = ((-120, 10, 85, 1.1), (-60, -120, 75, 0.6), (125, 0, 70, 0.8), (100, 120, 75, 0.6))
    for cx, cy, reach, gain in coils:
        dx, dy = x - cx - rng.uniform(-15, 15), y - cy - rng.uniform(-25, 25)
        field += gain * np.exp(-(dx**2 + dy**2) / (2 * reach**2)).astype(np.float32)
    return np.asarray(field * _bands(x, y, rng), np.float32)


def _bands(x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Dark lines where precession per repetition passes pi: crowded at two opposite corners."""
    field = np.ones(np.broadcast_shapes(x.shape, y.shape), np.float32)
    side = rng.choice((-1.0, 1.0))
    low = side * rng.uniform(85, 130), rng.uniform(165, 200), 105
    high = -side * rng.uniform(130, 165), rng.uniform(-150, -60), 62
    for cx, cy, reach in (low, high):
        near = np.hypot(x - np.float32(cx), np.float32(1.2) * (y - np.float32(cy)))
        field *= np.abs(np.cos(0.0016 * np.clip(reach - near, 0, None) ** 2)) ** 0.7
    return field


def window(shape: tuple[int, int]) -> Array:
    """Share of each spatial frequency kept, (Y, X): flat, then falling to 0 at 0.46 / pixel."""
    rows, columns = (np.abs(np.fft.fftfreq(n)).astype(np.float32) for n in shape)
    radius = np.hypot(1.08 * rows[:, None], columns)
    return 1 - smoothstep(radius, 0.3, 0.46)


def store(signal: Array, keep: Array, rng: np.random.Generator) -> np.ndarray:
    """Acquire one plane: signed signal (Y, X), frequencies kept (Y, X) -> int16 (Y, X)."""
    deviation = np.float32(NOISE / np.sqrt(np.mean(keep**2)))
    noise = rng.standard_normal((*signal.shape, 2), dtype=np.float32)
    noisy = (deviation * noise).view(np.complex64)[..., 0]
    noisy.real += signal
    echo = fft.fft2(noisy)
    echo *= keep
    return np.rint(np.abs(fft.ifft2(echo))).astype(np.int16)
