"""Principal modes of the displacement fields of one case over its seeds.

The modes are eigenvectors of the fields' covariance over the seeds; they need no labels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from src_core.errors import ArgumentError

__all__ = ["mode_figures"]

_MODES = 3


def mode_figures(fields: ArrayLike) -> dict[str, float]:
    """Spread of the fields of several seeds along their principal modes.

    Args:
        fields: (seeds, D, *spatial), two or more, voxels.

    Returns:
        ``mode_1`` to ``mode_3``: standard deviation along each mode (with seeds - 1), as the root
        mean square displacement over the grid in % of the longest side; at most seeds - 1 of them.
        ``modes``: their effective number, (sum of variances)^2 / sum of squared variances.

    Raises:
        ArgumentError: there are fewer than two fields.
    """
    values = np.asarray(fields, dtype=np.float64)
    if values.ndim < 4 or len(values) < 2:
        raise ArgumentError(
            f"mode_figures() 'fields' must be (seeds, D, *spatial), 2 or more, got {values.shape}"
        )
    side, points = max(values.shape[2:]), values[0, 0].size
    flat = (values - values.mean(axis=0)).reshape(len(values), -1)
    energies = np.linalg.eigvalsh(flat @ flat.T)[::-1].clip(min=0) / (len(values) - 1) / points
    shown = energies[: min(_MODES, len(values) - 1)]
    figures = {f"mode_{i}": 100 / side * float(e**0.5) for i, e in enumerate(shown, start=1)}
    squares = float(np.square(energies).sum())
    return {**figures, "modes": float(energies.sum() ** 2 / squares) if squares else 0.0}
