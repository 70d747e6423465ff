"""Difference between fields of few recovery steps and of more, on the phantom.

    python -m benchmarks.live_steps

Root mean square of the difference, in % of the field of more steps: three steps, as in a live
transform, against the model's own number, and the model's own number against thirty.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from src_core import generate, load_model
from src_core.cases.case import Case
from src_core.models.model import Model
from src_core.phantom import cardiac_phantom
from src_core.transforms import Live

_FEW, _MANY = Live().steps, 30


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--levels", type=int, nargs="+", default=[30, 50, 70])
    parser.add_argument("--seeds", type=int, default=4)
    options = parser.parse_args(arguments)
    model = load_model("cardiac-sax", "cpu")
    own = model.spec.recovery.steps
    print(f"{'level':>6}{f'{_FEW} against {own}, %':>20}{f'{own} against {_MANY}, %':>20}")
    for level in options.levels:
        differences = np.array(
            [_differences(model, seed, level) for seed in range(1, options.seeds + 1)]
        )
        few, many = differences.mean(axis=0)
        print(f"{level:>6}{few:>20.1f}{many:>20.1f}", flush=True)


def _differences(model: Model, seed: int, level: int) -> tuple[float, float]:
    """Of one anatomy and one deformation, in %: few steps, the model's own."""
    phantom = cardiac_phantom(slices=1, phases=1, seed=seed)
    case = Case.from_arrays(phantom.image[..., 0], affine=phantom.affine)
    few, own, many = (
        generate(case, model, level=level, seed=seed, steps=steps).displacement
        for steps in (_FEW, None, _MANY)
    )
    return _relative(few, own), _relative(own, many)


def _relative(one: np.ndarray, other: np.ndarray) -> float:
    return 100 * float(np.linalg.norm(one - other) / np.linalg.norm(other))


if __name__ == "__main__":
    main()
