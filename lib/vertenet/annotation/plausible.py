"""Limits beyond which unnamed points were joined wrongly: no spine has such bodies or discs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measure.consistency import IA, IP, SA, SP, cross
from ..spine import Side

#: A walk around the vertebra.
_RING = (SA, IA, IP, SP)


@dataclass(frozen=True)
class Limits:
    """What corners of six neighbouring vertebrae may measure.

    Attributes
    ----------
    depths, heights : (least, most)
        Of a vertebra, in median depths.
    tilt : float
        Most that an endplate may lean from the normal of the spine's curve, radians.
    gap : float
        Most that a disc may be high at either end, in median vertebral heights.
    facing : float
        Least distance of the corners on either side of a disc, in median depths.
    """

    depths: tuple[float, float]
    heights: tuple[float, float]
    tilt: float
    gap: float
    facing: float


@dataclass(frozen=True)
class Fault:
    """Why corners cannot be a spine: the corner concerned (vertebra 0 to 5, index into CORNERS) and a clause."""

    vertebra: int
    corner: int
    clause: str


def body_fault(corners: np.ndarray, anterior: Side, limits: Limits) -> Fault | None:
    """The first thing about (6, 4, 2) corners that no vertebral body has, or None."""
    sign = 1.0 if anterior == "right" else -1.0
    ring = corners[:, _RING]
    turn = sign * cross(ring - np.roll(ring, 1, axis=1), np.roll(ring, -1, axis=1) - ring)
    plates = corners[:, [SA, IA]] - corners[:, [SP, IP]]
    depths = np.linalg.norm(plates, axis=-1)
    heights = np.linalg.norm(corners[:, [IA, IP]] - corners[:, [SA, SP]], axis=-1)
    depth = np.median(depths)
    course = np.gradient(corners.mean(axis=1), axis=0)[:, None]
    # The angle between an endplate and the spine's course is a right one; what it lacks is the tilt.
    tilts = np.abs(np.arctan2((plates * course).sum(axis=-1), np.abs(cross(plates, course))))
    for i in range(6):
        for k, corner in enumerate(_RING):
            if turn[i, k] <= 0:
                return Fault(i, corner, "makes the outline of its vertebra cross itself or cave in")
        for k, corner in enumerate((SA, IA)):
            if not limits.depths[0] * depth < depths[i, k] < limits.depths[1] * depth:
                return Fault(i, corner, "is too near to or too far from the corner behind it")
            if tilts[i, k] > limits.tilt:
                return Fault(i, corner, "tilts its endplate too steeply: was a point left out or exchanged?")
        for k, corner in enumerate((SA, SP)):
            if not limits.heights[0] * depth < heights[i, k] < limits.heights[1] * depth:
                return Fault(i, corner, "is too near to or too far from the corner below it")
    return None


def disc_fault(corners: np.ndarray, limits: Limits) -> Fault | None:
    """The first thing between the vertebrae of (6, 4, 2) corners that no spine has, or None."""
    tops, bottoms = corners[1:, [SA, SP]], corners[:-1, [IA, IP]]
    gaps = np.linalg.norm(tops - bottoms, axis=-1)
    height = np.median(np.linalg.norm(corners[:, [IA, IP]] - corners[:, [SA, SP]], axis=-1))
    depth = np.median(np.linalg.norm(corners[:, [SA, IA]] - corners[:, [SP, IP]], axis=-1))
    below = ((tops - bottoms) * np.diff(corners.mean(axis=1), axis=0)[:, None]).sum(axis=-1)
    for i in range(5):
        for k, corner in enumerate((SA, SP)):
            if below[i, k] < 0:
                return Fault(i + 1, corner, "lies above the lower edge of the vertebra above")
            if gaps[i, k] > limits.gap * height:
                clause = "is a whole vertebra below the one above: was a point or a level left out?"
                return Fault(i + 1, corner, clause)
            if gaps[i, k] < limits.facing * depth:
                return Fault(i + 1, corner, "is so near the vertebra above that it could belong to that one")
    return None
