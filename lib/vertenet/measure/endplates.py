"""Angles between endplates: lumbar lordosis.

An endplate is the line from its posterior to its anterior corner. The angle of two endplates is positive where they
open towards the front of the body (lordosis), negative where they open towards the back (kyphosis), -180 to 180
degrees, whichever way the patient faces.

Conventions, of Cobb's method on a lateral image:

- ``L1-L5``: superior endplate of L1 to inferior endplate of L5.
- ``T12-S1``: inferior endplate of T12 to superior endplate of S1; where a paper takes the superior one of T12, its
  angles are larger or smaller by the wedging of T12.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import GeometryError
from ..radiograph import Spacing
from ..spine import CornerName, Level, Spine
from .matching import pixel_size

SUPERIOR = (CornerName.SP, CornerName.SA)
INFERIOR = (CornerName.IP, CornerName.IA)
_Endplate = tuple[Level, tuple[CornerName, CornerName]]
L1_L5: tuple[_Endplate, _Endplate] = ((Level.L1, SUPERIOR), (Level.L5, INFERIOR))
T12_S1: tuple[_Endplate, _Endplate] = ((Level.T12, INFERIOR), (Level.S1, SUPERIOR))


@dataclass(frozen=True)
class Angle:
    """An angle in degrees, lordosis positive, or the reason why there is none."""

    degrees: float | None
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.degrees is None) != bool(self.reason):
            raise GeometryError("an angle needs either degrees or the reason why it has none")

    def to_dict(self) -> dict:
        return {"degrees": self.degrees, "reason": self.reason}

    @classmethod
    def from_dict(cls, data: Mapping) -> Angle:
        return cls(data["degrees"], data["reason"])


@dataclass(frozen=True)
class Lordosis:
    """Lordosis by two conventions, see the module.

    ``square_pixels_assumed``: the pixel spacing is unknown, and the angles are right only if pixels are square.
    """

    l1_l5: Angle
    t12_s1: Angle
    square_pixels_assumed: bool

    @property
    def angles(self) -> dict[str, Angle]:
        """Convention to angle."""
        return {"L1-L5": self.l1_l5, "T12-S1": self.t12_s1}

    def to_dict(self) -> dict:
        return {
            **{name: angle.to_dict() for name, angle in self.angles.items()},
            "square_pixels_assumed": self.square_pixels_assumed,
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> Lordosis:
        return cls(Angle.from_dict(data["L1-L5"]), Angle.from_dict(data["T12-S1"]), data["square_pixels_assumed"])


def lordosis(spine: Spine, spacing: Spacing | None) -> Lordosis:
    """Lordosis of a spine (source pixels); ``spacing`` None: pixels are taken for square, and the result says so."""
    return Lordosis(_angle(spine, spacing, *L1_L5), _angle(spine, spacing, *T12_S1), spacing is None)


def _angle(spine: Spine, spacing: Spacing | None, upper: _Endplate, lower: _Endplate) -> Angle:
    slopes = []
    for level, corners in (upper, lower):
        if level not in spine:
            return Angle(None, f"{level} is not marked")
        absent = [str(name) for name in corners if not spine[level][name].is_present]
        if absent:
            return Angle(None, f"{' and '.join(f'{level}-{name}' for name in absent)} not placed")
        step = _forwards(spine, spacing, *(spine[level][name].xy for name in corners))
        if not step.any():
            return Angle(None, f"the endplate of {level} has no length")
        slopes.append(math.degrees(math.atan2(step[1], step[0])))
    turn = slopes[1] - slopes[0]
    return Angle(math.remainder(turn, 360.0))


def _forwards(spine: Spine, spacing: Spacing | None, posterior: np.ndarray, anterior: np.ndarray) -> np.ndarray:
    """(2,) an endplate as a step forwards and down, mm or pixels."""
    front = 1.0 if spine.anterior == "right" else -1.0
    return (anterior - posterior) * pixel_size(spacing) * (front, 1.0)
