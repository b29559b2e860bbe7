"""Is this a spine? Checks of named corners, and limits beyond which points were joined wrongly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import AnnotationError
from ..spine import CORNERS, CornerName, Level, Side, Spine, Vertebra
from .names import point_name

REMEDY = "Correct the points, or use a format that names them"
SA, SP, IA, IP = (CORNERS.index(CornerName(name)) for name in ("SA", "SP", "IA", "IP"))
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
    turn = sign * _cross(ring - np.roll(ring, 1, axis=1), np.roll(ring, -1, axis=1) - ring)
    plates = corners[:, [SA, IA]] - corners[:, [SP, IP]]
    depths = np.linalg.norm(plates, axis=-1)
    heights = np.linalg.norm(corners[:, [IA, IP]] - corners[:, [SA, SP]], axis=-1)
    depth = np.median(depths)
    course = np.gradient(corners.mean(axis=1), axis=0)[:, None]
    # The angle between an endplate and the spine's course is a right one; what it lacks is the tilt.
    tilts = np.abs(np.arctan2((plates * course).sum(axis=-1), np.abs(_cross(plates, course))))
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


def infer_anterior(spine: Spine) -> Side | None:
    """The side that the anterior corners of a spine lie on; None where no vertebra has corners on both."""
    lean = 0.0
    for vertebra in spine:
        for front, back in ((CornerName.SA, CornerName.SP), (CornerName.IA, CornerName.IP)):
            if vertebra[front].is_present and vertebra[back].is_present:
                lean += vertebra[front].x - vertebra[back].x
    return None if lean == 0 else "right" if lean > 0 else "left"


def check(spine: Spine, subject: str) -> None:
    """Refuse named landmarks that contradict their names.

    Only ``present`` corners count.

    Raises
    ------
    AnnotationError
        Two corners of a vertebra in one place, a vertebra whose corners are swapped or crossed, or levels out of order.
    """
    inferred = infer_anterior(spine)
    if inferred not in (None, spine.anterior):
        raise AnnotationError(
            f"anterior is said to be {spine.anterior}, but the corners named anterior lie on the {inferred}",
            subject=subject,
            remedy="Give the right side with --anterior, or correct the names",
        )
    for vertebra in spine:
        _check_vertebra(vertebra, spine.anterior, subject)
    centres = [(v.level, np.nanmean(_present(v), axis=0)) for v in spine if not v.is_missing]
    for (upper, above), (lower, below) in zip(centres, centres[1:]):
        if below[1] <= above[1]:
            raise AnnotationError(
                f"{lower} lies above {upper} at ({below[0]:.0f}, {below[1]:.0f})", subject=subject, remedy=REMEDY
            )


def _present(vertebra: Vertebra) -> np.ndarray:
    """(4, 2) positions of the present corners, NaN for the others."""
    xy = vertebra.to_array()
    xy[[not vertebra[name].is_present for name in CORNERS]] = np.nan
    return xy


def _check_vertebra(vertebra: Vertebra, anterior: Side, subject: str) -> None:
    xy, level = _present(vertebra), vertebra.level
    for first in range(4):
        for second in range(first):
            if np.array_equal(xy[first], xy[second]):
                names = f"{point_name(level, CORNERS[second])} and {point_name(level, CORNERS[first])}"
                raise AnnotationError(f"{names} are in the same place", subject=subject, remedy=REMEDY)
    sign = 1.0 if anterior == "right" else -1.0
    for front, back in ((SA, SP), (IA, IP)):
        if sign * (xy[front, 0] - xy[back, 0]) < 0:
            raise _swapped(level, front, back, subject)
    for top, bottom in ((SA, IA), (SP, IP)):
        if xy[bottom, 1] < xy[top, 1]:
            raise _swapped(level, top, bottom, subject)
    if vertebra.is_complete and (
        segments_cross(xy[SA], xy[IA], xy[SP], xy[IP]) or segments_cross(xy[SA], xy[SP], xy[IA], xy[IP])
    ):
        raise AnnotationError(
            f"the outline of {level} crosses itself at {point_name(level, CornerName.SA)}",
            subject=subject,
            remedy=REMEDY,
        )


def _swapped(level: Level, first: int, second: int, subject: str) -> AnnotationError:
    names = f"{point_name(level, CORNERS[first])} and {point_name(level, CORNERS[second])}"
    return AnnotationError(f"{names} seem to be swapped", subject=subject, remedy=REMEDY)


def segments_cross(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    """Whether the segments ab and cd cross."""
    return bool(_cross(b - a, c - a) * _cross(b - a, d - a) < 0 and _cross(d - c, a - c) * _cross(d - c, b - c) < 0)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Third component of the cross product of (..., 2) vectors."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
