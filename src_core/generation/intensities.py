"""Options of random intensities: noise, blur, brightness, contrast, low resolution and gamma.

Defaults are the probabilities and ranges of nnU-Net v2 (Isensee et al. 2021,
doi:10.1038/s41592-020-01008-z). Its units are kept: standard deviations of the image.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from src_core.errors import InputError
from src_core.errors.options import option_class
from src_core.generation.preset_text import parse_preset, preset_text

__all__ = [
    "INTENSITIES",
    "INTENSITIES_FORM",
    "Intensities",
    "intensities_text",
    "parse_intensities",
]

#: How intensities are written in a shell.
INTENSITIES_FORM = "nnunet, none, or changes such as noise=0:0.2,gamma_probability=0.5"
_Probability = Annotated[float, Field(ge=0, le=1)]
_Finite = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Range = tuple[_Finite, _Finite]


@option_class
class Intensities:
    """Ranges of random changes of intensities, and how often each is made.

    They are made in the order of the fields, in units of the image's own mean and standard
    deviation. A range about 1 is drawn below 1 as often as above. Each image of a case has numbers
    of its own; as in nnU-Net, blur and low resolution each leave out an image with probability 0.5.
    """

    noise: _Range = Field(
        default=(0, 0.1),
        description="Standard deviation of noise (which nnU-Net's code calls its variance).",
    )
    noise_probability: _Probability = 0.1
    blur: _Range = Field(default=(0.5, 1), description="Deviation of a Gaussian, voxels.")
    blur_probability: _Probability = 0.2
    brightness: _Range = Field(default=(0.75, 1.25), description="Factor about the mean.")
    brightness_probability: _Probability = 0.15
    contrast: _Range = Field(
        default=(0.75, 1.25), description="Factor about the mean, within the image's range."
    )
    contrast_probability: _Probability = 0.15
    resolution: _Range = Field(default=(0.5, 1), description="Share of the voxels along an axis.")
    resolution_probability: _Probability = 0.25
    inverted_gamma: _Range = Field(default=(0.7, 1.5), description="Exponent, image inverted.")
    inverted_gamma_probability: _Probability = 0.1
    gamma: _Range = Field(default=(0.7, 1.5), description="Exponent.")
    gamma_probability: _Probability = 0.3
    gamma_keeps_mean: bool = Field(
        default=True, description="Restore mean and standard deviation after gamma."
    )

    def __post_init__(self) -> None:
        self._check("noise", "blur")
        factors = ("brightness", "contrast", "resolution", "inverted_gamma", "gamma")
        self._check(*factors, above_zero=True)
        if self.resolution[1] > 1:
            raise InputError(
                f"a resolution of {self.resolution[1]:g} is not possible",
                option="resolution",
                expected="at most 1",
            )

    def _check(self, *names: str, above_zero: bool = False) -> None:
        for name in names:
            low, high = getattr(self, name)
            if low > high or (above_zero and not low):
                raise InputError(
                    f"{low:g} to {high:g} is not possible",
                    option=name,
                    expected="a lower and a higher number" + (", above 0" if above_zero else ""),
                )


#: Intensities by name.
INTENSITIES = {"nnunet": Intensities()}


def parse_intensities(text: str) -> Intensities | None:
    """``nnunet``, ``none``, or changes: ``noise=0:0.2,gamma_probability=0.5``.

    Raises:
        InputError: it is not written so.
    """
    return parse_preset(text, "intensity", INTENSITIES, INTENSITIES_FORM)


def intensities_text(intensities: Any) -> str:
    """Intensities, or their fields as a mapping, as ``parse_intensities`` reads them."""
    return preset_text(intensities, INTENSITIES, Intensities)
