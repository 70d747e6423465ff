"""Images that a model is not for, made from its training images or from nothing but numbers.

They stand for all that may be shown to a model: shapes, textures, and training images that are cut
up, or whose organs are filled with their surroundings.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["counterexample", "seen_again"]

_Image = NDArray[np.float32]
_Numbers = NDArray[np.float64]
_Rng = np.random.Generator


def seen_again(image: _Image, rng: _Rng, shift: float = 0.05) -> _Image:
    """A training image as another scanner might show it: other pose, field of view, intensities."""
    ndim = image.ndim
    angle = rng.uniform(-0.35, 0.35) if ndim == 2 else 0.0
    if ndim == 2 and rng.random() < 0.25:
        angle = rng.uniform(-np.pi, np.pi)
    side = rng.uniform(0.7, 1.25) if ndim == 2 else rng.uniform(0.85, 1.15)
    return _intensities(_posed(image, angle, side, rng.uniform(-shift, shift, ndim)), rng)


def counterexample(image: _Image, organs: NDArray[np.bool_], rng: _Rng) -> _Image:
    """An image (*size) in 0..1 that the model is not for.

    Args:
        image: a training image.
        organs: (*size), where its organs are; nowhere if unknown.
        rng: random numbers.
    """
    size, ndim = image.shape[0], image.ndim
    made: list[tuple[float, Callable[[], NDArray[np.floating]]]] = [
        (3, lambda: _shapes(size, ndim, rng)),
        (3, lambda: _ellipses(size, ndim, rng)),
        (2, lambda: _texture(size, ndim, rng)),
        (1.5, lambda: _cut_up(image, rng)),
        (1, lambda: _scrambled(image, rng)),
    ]
    if organs.any():
        made.append((3, lambda: _without(image, organs, rng)))
    shares = np.array([share for share, _ in made])
    return _intensities(made[rng.choice(len(made), p=shares / shares.sum())][1](), rng)


def _intensities(image: NDArray[np.floating], rng: _Rng) -> _Image:
    """Another curve, bias field, blur and noise, stretched to 0..1."""
    low, high = float(image.min()), float(image.max())
    found = (image - low) / max(high - low, 1e-6)
    if rng.random() < 0.7:
        found = found ** np.exp(rng.normal(0, 0.35))
    if rng.random() < 0.6:
        found = found * np.exp(0.25 * _smooth_noise(found.shape, 3, rng))
    if rng.random() < 0.4:
        found = ndimage.gaussian_filter(found, rng.uniform(0.3, 1.6))
    if rng.random() < 0.4:
        found = found + rng.normal(0, rng.uniform(0, 0.06), found.shape)
    low, high = np.percentile(found, [0.5, 99.5])
    return np.clip((found - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)


def _posed(image: _Image, angle: float, side: float, shift: NDArray[np.float64]) -> _Image:
    """Turned (2D), with another field of view (a share of the side), and shifted (the same)."""
    matrix = np.eye(image.ndim) * side
    if image.ndim == 2:
        c, s = np.cos(angle), np.sin(angle)
        matrix = np.array([[c, -s], [s, c]]) * side
    centre = (np.array(image.shape) - 1) / 2
    offset = centre - matrix @ centre + shift * image.shape
    found: _Image = ndimage.affine_transform(image, matrix, offset, order=1)
    return found


def _smooth_noise(shape: tuple[int, ...], points: int, rng: _Rng) -> NDArray[np.float64]:
    """White noise on a few points a side, refined."""
    noise = rng.normal(size=(points,) * len(shape))
    order = 3 if points > 3 else 1
    found: NDArray[np.float64] = ndimage.zoom(noise, shape[0] / points, order=order)
    return found[tuple(slice(n) for n in shape)]


def _axes(size: int, ndim: int) -> NDArray[np.float64]:
    return np.stack(np.meshgrid(*[np.linspace(-1, 1, size)] * ndim, indexing="ij"))


def _ball(
    at: NDArray[np.float64], centre: NDArray[np.float64], radii: NDArray[np.float64]
) -> _Image:
    """Squared distance from an ellipsoid's centre, 1 on its surface."""
    scaled = [((x - c) / r) ** 2 for x, c, r in zip(at, centre, radii, strict=True)]
    return np.sum(scaled, axis=0).astype(np.float32)


def _shapes(size: int, ndim: int, rng: _Rng) -> NDArray[np.floating]:
    """Regions of any form and grey value, often inside an ellipse, like a painted label map."""
    shape, kinds = (size,) * ndim, int(rng.integers(3, 12))
    points = int(rng.integers(3, 9 if ndim == 2 else 5))
    regions = np.argmax([_smooth_noise(shape, points, rng) for _ in range(kinds)], axis=0)
    image = rng.uniform(0, 1, kinds)[regions]
    if rng.random() < 0.6:
        radii, centre = rng.uniform(0.5, 0.95, ndim), rng.uniform(-0.15, 0.15, ndim)
        rim = _ball(_axes(size, ndim), centre, radii) + 0.15 * _smooth_noise(shape, 4, rng)
        image = np.where(rim < 1, image, 0)
    return ndimage.gaussian_filter(image, rng.uniform(0.3, 1.5)) + rng.normal(0, 0.03, shape)


def _ellipses(size: int, ndim: int, rng: _Rng) -> NDArray[np.floating]:
    """Ellipses in an ellipse, some with a rim, like a phantom."""
    at, image = _axes(size, ndim), np.zeros((size,) * ndim)
    outer, middle = rng.uniform(0.5, 0.95, ndim), rng.uniform(-0.1, 0.1, ndim)
    for index in range(int(rng.integers(2, 14))):
        centre = middle + rng.uniform(-0.6, 0.6, ndim) * outer if index else middle
        radii = outer * rng.uniform(0.05, 0.6, ndim) if index else outer
        distance = _ball(at, centre, radii)
        image[distance < 1] = rng.uniform(0, 1)
        if rng.random() < 0.4:
            image[(distance < 1) & (distance > 0.75)] = rng.uniform(0, 1)
    return ndimage.gaussian_filter(image, rng.uniform(0.3, 1.5)) + rng.normal(0, 0.02, image.shape)


def _texture(size: int, ndim: int, rng: _Rng) -> NDArray[np.floating]:
    """Noise of one scale or of many, waves, ramps, or boxes."""
    shape, at, kind = (size,) * ndim, _axes(size, ndim), rng.integers(5)
    if kind == 0:
        return ndimage.gaussian_filter(rng.normal(size=shape), rng.uniform(0, 8))
    if kind == 1:
        power = rng.uniform(0.3, 1.2)
        return np.sum([_smooth_noise(shape, n, rng) / n**power for n in (3, 6, 12, 24)], axis=0)
    if kind == 2:
        waves = np.tensordot(rng.uniform(-40, 40, ndim), at, 1)
        return np.sin(waves + 2 * _smooth_noise(shape, 4, rng))
    if kind == 3:
        return np.tensordot(rng.normal(size=ndim), at, 1) + 0.5 * (at[0] > rng.uniform(-1, 1))
    image = np.zeros(shape)
    for _ in range(int(rng.integers(3, 40))):
        first = rng.integers(0, size - 1, ndim)
        sides = rng.integers(1, max(size // 2, 2), ndim)
        image[tuple(slice(a, a + n) for a, n in zip(first, sides, strict=True))] = rng.uniform()
    return image


def _cut_up(image: _Image, rng: _Rng) -> NDArray[np.floating]:
    """The image's tiles in another order, each turned."""
    tiles, ndim = int(rng.integers(2, 6 if image.ndim == 2 else 5)), image.ndim
    side, image_cut = image.shape[0] // tiles, np.zeros_like(image)
    at = [tuple(slice(i * side, (i + 1) * side) for i in c) for c in np.ndindex(*[tiles] * ndim)]
    for place, index in zip(at, rng.permutation(len(at)), strict=True):
        axes = tuple(int(a) for a in rng.permutation(ndim)[:2])
        image_cut[place] = np.rot90(image[at[index]], int(rng.integers(4)), (axes[0], axes[1]))
    return image_cut


def _scrambled(image: _Image, rng: _Rng) -> NDArray[np.floating]:
    """The image's spectrum with phases that are random in part."""
    spectrum, share = np.fft.fftn(image), rng.uniform(0.3, 1)
    other = np.angle(np.fft.fftn(rng.normal(size=image.shape)))
    phases = (1 - share) * np.angle(spectrum) + share * other
    return np.abs(np.real(np.fft.ifftn(np.abs(spectrum) * np.exp(1j * phases))))


def _without(image: _Image, organs: NDArray[np.bool_], rng: _Rng) -> NDArray[np.floating]:
    """The image with its organs filled by their surroundings, and texture from elsewhere."""
    hole = ndimage.binary_dilation(organs, iterations=max(image.shape[0] // 40, 1))
    blur = image.shape[0] / 20
    known = np.maximum(ndimage.gaussian_filter((~hole).astype(float), blur), 1e-3)
    filled = ndimage.gaussian_filter(image * ~hole, blur) / known
    moved = np.roll(image, rng.integers(0, image.shape[0], image.ndim), tuple(range(image.ndim)))
    filled = filled + 0.5 * (moved - ndimage.gaussian_filter(moved, blur))
    return np.where(hole, filled, image)
