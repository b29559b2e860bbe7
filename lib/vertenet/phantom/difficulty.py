"""How hard a phantom is: the probability of every switch, and the range of every strength."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..errors import OptionError


@dataclass(frozen=True)
class Difficulty:
    """Named probabilities and ranges.

    Attributes
    ----------
    name : str
    chance : mapping of switch name to probability
    span : mapping of switch name to (low, high)
    field_freedom : float
        How far the patient strays from the usual place in the field, 0 to 1.
    random_geometry : bool
        Also draw matrix size, pixel spacing and aspect around those of the scanner (domain randomisation).
    """

    name: str
    chance: Mapping[str, float]
    span: Mapping[str, tuple[float, float]]
    field_freedom: float
    random_geometry: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "chance", MappingProxyType(dict(self.chance)))
        object.__setattr__(self, "span", MappingProxyType(dict(self.span)))


_DEFAULT_CHANCE = {
    "anterior_left": 0.0, "crop": 0.35, "blanking": 0.30, "fracture": 0.25, "scoliosis": 0.20, "rotation": 0.20,
    "lstv": 0.04, "collapsed_disc": 0.12, "osteophytes": 0.30, "gas": 0.45, "stones": 0.08, "metal": 0.05,
    "motion": 0.25, "jpeg": 0.40, "deep": 0.0, "inverted": 0.0, "monochrome1": 0.10, "text": 0.15,
    "clipped_top": 0.02, "clipped_bottom": 0.05, "spacing_unknown": 0.0,
    "field_bottom": 0.9, "arm": 0.35, "lines": 0.02,
}  # fmt: skip
_DEFAULT_SPAN = {
    "overlap": (0.7, 1.3), "thickness": (0.85, 1.2), "bone": (0.75, 1.2), "noise": (0.8, 1.4), "tone": (0.0, 0.3),
    "blur": (0.9, 1.2),
    "pelvis": (0.8, 3.2), "sacrum": (0.1, 1.0), "crests": (0.2, 1.1),
    "posterior": (0.7, 2.0), "cancellous": (0.6, 1.1), "residue": (1.5, 7.0), "saturation": (0.85, 1.15),
}  # fmt: skip

_EASY_CHANCE = {
    **dict.fromkeys(_DEFAULT_CHANCE, 0.0),
    "crop": 0.35, "blanking": 0.15, "fracture": 0.1, "osteophytes": 0.1, "gas": 0.15,
}  # fmt: skip
_EASY_SPAN = {
    "overlap": (0.5, 0.8), "thickness": (0.8, 0.95), "bone": (1.0, 1.25), "noise": (0.4, 0.7), "tone": (0.0, 0.05),
    "blur": (0.9, 1.0),
    "pelvis": (0.3, 1.0), "sacrum": (0.6, 1.0), "crests": (-0.2, 0.3),
    "posterior": (0.8, 1.2), "cancellous": (0.9, 1.1), "residue": (0.5, 1.5), "saturation": (0.9, 1.1),
}  # fmt: skip

_HARD_CHANCE = {
    "anterior_left": 0.25, "crop": 0.40, "blanking": 0.45, "fracture": 0.55, "scoliosis": 0.50, "rotation": 0.50,
    "lstv": 0.12, "collapsed_disc": 0.35, "osteophytes": 0.65, "gas": 0.80, "stones": 0.20, "metal": 0.18,
    "motion": 0.50, "jpeg": 0.60, "deep": 0.15, "inverted": 0.03, "monochrome1": 0.25, "text": 0.35,
    "clipped_top": 0.08, "clipped_bottom": 0.18, "spacing_unknown": 0.1,
    "field_bottom": 0.8, "arm": 0.5, "lines": 0.1,
}  # fmt: skip
_HARD_SPAN = {
    "overlap": (1.0, 1.9), "thickness": (1.0, 1.4), "bone": (0.55, 1.1), "noise": (1.2, 2.4), "tone": (0.1, 0.7),
    "blur": (0.9, 1.5),
    "pelvis": (0.3, 4.0), "sacrum": (0.0, 1.0), "crests": (-0.2, 1.3),
    "posterior": (0.5, 3.0), "cancellous": (0.35, 1.1), "residue": (0.5, 8.0), "saturation": (0.6, 1.2),
}  # fmt: skip

_TRAINING_CHANCE = {
    "anterior_left": 0.0, "crop": 0.35, "blanking": 0.40, "fracture": 0.40, "scoliosis": 0.35, "rotation": 0.35,
    "lstv": 0.20, "collapsed_disc": 0.25, "osteophytes": 0.45, "gas": 0.60, "stones": 0.12, "metal": 0.10,
    "motion": 0.30, "jpeg": 0.35, "deep": 0.0, "inverted": 0.0, "monochrome1": 0.0, "text": 0.20,
    "clipped_top": 0.08, "clipped_bottom": 0.12, "spacing_unknown": 0.0,
    "field_bottom": 0.85, "arm": 0.45, "lines": 0.10,
}  # fmt: skip
_TRAINING_SPAN = {
    "overlap": (0.3, 2.0), "thickness": (0.7, 1.4), "bone": (0.55, 1.4), "noise": (0.3, 2.6), "tone": (0.0, 1.0),
    "blur": (0.7, 1.7),
    "pelvis": (0.2, 4.5), "sacrum": (0.0, 1.0), "crests": (-0.2, 1.4),
    "posterior": (0.4, 3.2), "cancellous": (0.2, 1.2), "residue": (0.3, 9.0), "saturation": (0.45, 1.3),
}  # fmt: skip

_DIFFICULTIES = (
    Difficulty("easy", _EASY_CHANCE, _EASY_SPAN, 0.2),
    Difficulty("default", _DEFAULT_CHANCE, _DEFAULT_SPAN, 0.6),
    Difficulty("hard", _HARD_CHANCE, _HARD_SPAN, 0.9),
    Difficulty("training", _TRAINING_CHANCE, _TRAINING_SPAN, 1.0, random_geometry=True),
)


def difficulties() -> dict[str, Difficulty]:
    """Every difficulty by name: easy, default, hard, and training (domain randomisation).

    >>> list(difficulties())
    ['easy', 'default', 'hard', 'training']
    """
    return {difficulty.name: difficulty for difficulty in _DIFFICULTIES}


def difficulty_of(name: str) -> Difficulty:
    """The difficulty called ``name``; raises `OptionError` with the known names."""
    known = difficulties()
    if name not in known:
        raise OptionError(f"there is no phantom difficulty {name!r}", remedy=f"Choose one of {', '.join(known)}")
    return known[name]
