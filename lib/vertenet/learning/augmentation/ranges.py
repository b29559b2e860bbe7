"""How far the random changes go: one flat record that travels in a recipe's JSON."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ...errors import OptionError

_STRENGTHS = ("rotation", "scale", "aspect", "shift", "gamma", "contrast", "brightness", "exposure", "noise")
_PROBABILITIES = (
    *("end_crop", "anterior_crop", "expansion", "mirror"),
    *("invert", "even", "blur", "blank", "gas", "metal", "text"),
)


@dataclass(frozen=True)
class Augmentation:
    """Ranges and probabilities of the random changes to a training image.

    Attributes
    ----------
    rotation : float
        Degrees either way about the image's middle.
    scale, aspect : float
        Logarithms of the common scale and of the ratio between the axes: 0.18 is from 1/1.2 to 1.2.
    shift : float
        Share of the width and of the height, either way.
    end_crop, end_crop_share : float
        Probability that the top, the bottom or both are cut off and the rest stretched to the frame; the largest share
        of the height cut at one end. Without it a network learns the level from the place in the image.
    anterior_crop, anterior_crop_share : float
        The same for the side the body faces, as a share of the width.
    expansion, expansion_factor : float
        Probability that the image shrinks on a larger canvas; the largest canvas, in image widths and heights.
    mirror : float
        Probability of a mirror image, made for the orientation head alone.
    gamma, contrast : float
        Logarithms of the exponent and of the factor about the mean grey.
    brightness, noise : float
        Grey values of 0 to 1: largest offset, largest standard deviation.
    exposure : float
        Logarithm of a factor that changes slowly over the image, either way: the dark chest and the bright pelvis of
        film, a heel effect, scatter.
    blur, blur_sigma : float
        Probability; largest standard deviation in pixels.
    invert, even, blank, gas, metal, text : float
        Probability of an inverted window, of local contrast made even (`vertenet.imaging.contrast`), of blanked steps
        at the borders, of bowel gas, of metal, of burned-in text.

    Raises
    ------
    OptionError
        A value lies outside what it can mean.
    """

    rotation: float = 8.0
    scale: float = 0.18
    aspect: float = 0.12
    shift: float = 0.10
    end_crop: float = 0.3
    end_crop_share: float = 0.25
    anterior_crop: float = 0.1
    anterior_crop_share: float = 0.2
    expansion: float = 0.15
    expansion_factor: float = 1.4
    mirror: float = 0.2
    gamma: float = 0.5
    contrast: float = 0.4
    brightness: float = 0.15
    exposure: float = 0.2
    noise: float = 0.05
    blur: float = 0.3
    blur_sigma: float = 1.2
    invert: float = 0.03
    even: float = 0.3
    blank: float = 0.2
    gas: float = 0.2
    metal: float = 0.05
    text: float = 0.1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = _limits(field.name)
            if not low <= value <= high:
                raise OptionError(f"augmentation {field.name} is {value}, but it must lie between {low} and {high}")

    @classmethod
    def none(cls) -> Augmentation:
        """Nothing changes."""
        return cls(**dict.fromkeys((*_PROBABILITIES, *_STRENGTHS), 0.0))


def _limits(name: str) -> tuple[float, float]:
    if name in _PROBABILITIES:
        return 0.0, 1.0
    # Both ends may be cut: a fifth of the image has to remain.
    return {
        "end_crop_share": (0.0, 0.4),
        "anterior_crop_share": (0.0, 0.8),
        "expansion_factor": (1.0, 4.0),
        "rotation": (0.0, 180.0),
        "blur_sigma": (0.1, float("inf")),
    }.get(name, (0.0, float("inf")))
