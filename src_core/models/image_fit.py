"""Does an image fit a model? A score from features of its network, by statistics in its file.

``score = 1 / (1 + exp(s))``, where s is the mean of ``w . clip((f - mean) / scale) + b`` over the
third of a case's slices that fit best: a stack of hearts has slices without one at both its ends.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DOUBTFUL_BELOW",
    "MISFIT_BELOW",
    "FitStatistics",
    "ImageFit",
    "Verdict",
    "best_third",
    "verdict_of",
]

Verdict = Literal["fits", "doubtful", "does not fit", "unknown"]

#: Scores below which an image is doubtful, and below which it does not fit.
DOUBTFUL_BELOW, MISFIT_BELOW = 0.5, 0.2
#: Deviations beyond which a feature counts no further.
_MOST = 6.0
_SENTENCES: Mapping[str, str] = {
    "fits": "looks like the images that {model} was trained on",
    "doubtful": "differs from most images that {model} was trained on: look at the results "
    "with care",
    "does not fit": "is unlike the images that {model} was trained on: do not expect plausible "
    "anatomy",
    "unknown": "may or may not fit {model}, whose file has no statistics of its training images",
}


@dataclass(frozen=True)
class ImageFit:
    """Whether an image fits a model.

    Attributes:
        verdict: in words.
        score: 0 to 1; None where it is unknown.
        drift_percent: mean displacement of an undeformed image by one prediction, % of the side.
        model: the model's name.
    """

    verdict: Verdict
    score: float | None
    drift_percent: float | None
    model: str

    @property
    def sentence(self) -> str:
        """The verdict in one sentence, without a capital or a full stop."""
        return "the image " + _SENTENCES[self.verdict].format(model=self.model)

    def facts(self) -> dict[str, Any]:
        """As ``metrics.json`` has it."""
        return {
            "verdict": self.verdict,
            "score": self.score,
            "doubtful_below": DOUBTFUL_BELOW,
            "misfit_below": MISFIT_BELOW,
            "drift_percent": self.drift_percent,
            "sentence": self.sentence,
        }


def verdict_of(score: float | None) -> Verdict:
    """The verdict of a score."""
    if score is None:
        return "unknown"
    if score >= DOUBTFUL_BELOW:
        return "fits"
    return "doubtful" if score >= MISFIT_BELOW else "does not fit"


@dataclass(frozen=True, eq=False)
class FitStatistics:
    """What a model's file knows of its training images.

    Attributes:
        level: at which its network looks at undeformed images.
        mean, scale: (F,), of the features of training images.
        weights: (F,), of the features in their deviations; larger sums fit less.
        offset: added to the sum.
        subjects, images: how many they were made of.
    """

    level: int
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    offset: float
    subjects: int
    images: int

    def sums(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weighted sums of features (N, F) of images: (N,)."""
        found: NDArray[np.float64] = self.deviations(features) @ self.weights + self.offset
        return found

    def deviations(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Features (N, F) in deviations from those of training images, clipped."""
        found: NDArray[np.float64] = np.clip((features - self.mean) / self.scale, -_MOST, _MOST)
        return found

    def score(self, features: NDArray[np.float64]) -> float:
        """The score of the images (N, F) of one case, 0 to 1."""
        return float(1 / (1 + np.exp(np.clip(best_third(self.sums(features)), -50, 50))))

    def to_text(self) -> str:
        """Letters, digits, ``+``, ``/`` and ``=`` alone."""
        values = {k: _plain(v) for k, v in vars(self).items()}
        return base64.b64encode(json.dumps(values).encode()).decode()

    @classmethod
    def from_text(cls, text: str) -> FitStatistics:
        """The statistics that ``to_text`` wrote."""
        values = json.loads(base64.b64decode(text))
        arrays = {k: np.array(values[k]) for k in ("mean", "scale", "weights")}
        return cls(**{**values, **arrays})


def best_third(sums: NDArray[np.float64]) -> float:
    """The mean of the smallest third of the sums of a case's slices, of one at least."""
    return float(np.sort(sums)[: -(-len(sums) // 3)].mean())


def _plain(value: Any) -> Any:
    """Numbers of six digits, which the score does not depend on further."""
    if isinstance(value, np.ndarray):
        return [float(f"{one:.6g}") for one in value]
    return value
