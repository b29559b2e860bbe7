"""A spine from points with labels, as annotation programs write them: ``T12-SA``, or the vertebra alone, or nothing.

A label that names a corner is believed. Four points that share the label of a vertebra (``T12``, ``vertebra T12``) are
its corners, told apart by their places. Where no label names either, the 24 points are named from their geometry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from ..errors import AnnotationError
from ..measure.consistency import infer_anterior
from ..spine import CORNERS, STANDARD_LEVELS, Corner, Level, Side, Spine, Vertebra
from .names import PointKey, parse_point, point_name
from .order import name_corners, recover

#: A label, x and y, source pixels.
LabelledPoint = tuple[str, float, float]

_LEVEL = re.compile(rf"(?:.*[^A-Za-z0-9])?({'|'.join(level.value for level in Level)})", re.IGNORECASE)


def parse_level(label: object) -> Level | None:
    """The vertebra that a label ends with, or None."""
    match = _LEVEL.fullmatch(label.strip()) if isinstance(label, str) else None
    return None if match is None else Level(match[1].upper())


def spine_of(
    points: Sequence[LabelledPoint],
    anterior: Side | None,
    side: Callable[[], Side],
    subject: str,
    *,
    complete: bool = False,
) -> Spine:
    """The spine of one image's points.

    Parameters
    ----------
    points : sequence of (label, x, y)
    anterior : {"left", "right"} or None
        Said by the user; of points with names it is seen otherwise.
    side : callable
        Gives the anterior side, "left" or "right"; asked where points have no names.
    subject : str
        File and image, for messages.
    complete : bool
        All 24 corners are needed; else all four of each vertebra that is there at all.

    Raises
    ------
    AnnotationError
        A point is twice there, one is missing, or a label says nothing where others do.
    """
    keys = [parse_point(label) for label, _, _ in points]
    xy = np.array([point[1:] for point in points], dtype=np.float64).reshape(-1, 2)
    if any(keys):
        return _named(points, keys, anterior, subject, complete)
    levels = [parse_level(label) for label, _, _ in points]
    if points and all(levels):
        return _of_vertebrae(xy, levels, side(), subject, complete)
    anterior = side()
    return Spine.from_array(recover(xy, anterior, subject), anterior=anterior)


def _named(
    points: Sequence[LabelledPoint], keys: list[PointKey | None], anterior: Side | None, subject: str, complete: bool
) -> Spine:
    found: dict[PointKey, Corner] = {}
    for key, (label, x, y) in zip(keys, points):
        if key is None:
            raise AnnotationError(f"the label {label!r} at ({x:g}, {y:g}) names no corner", subject=subject)
        if key in found:
            raise AnnotationError(f"{point_name(*key)} is there twice", subject=subject)
        found[key] = Corner(x, y)
    levels = {level for level, _ in found}
    for level in sorted({*STANDARD_LEVELS, *levels} if complete else levels, key=lambda level: level.rank):
        for corner in CORNERS:
            if (level, corner) not in found:
                needed = "24 points are needed" if complete else "a vertebra needs its four corners"
                raise AnnotationError(
                    f"{point_name(level, corner)} is not there; {needed}, {len(found)} points were found",
                    subject=subject,
                )
    vertebrae = tuple(
        Vertebra(level, {name: corner for (of, name), corner in found.items() if of == level})
        for level in {*STANDARD_LEVELS, *levels}
    )
    spine = Spine(vertebrae, "right")
    return Spine(vertebrae, anterior or infer_anterior(spine) or "right")


def _of_vertebrae(xy: np.ndarray, of: list[Level], side: Side, subject: str, complete: bool) -> Spine:
    levels = sorted(set(of), key=lambda level: level.rank)
    for level in STANDARD_LEVELS if complete else levels:
        if of.count(level) != len(CORNERS):
            raise AnnotationError(
                f"{level} has {of.count(level)} points, but a vertebra has four corners", subject=subject
            )
    fours = np.array([xy[[found is level for found in of]] for level in levels])
    corners = dict(zip(levels, name_corners(fours, side)))
    return Spine(
        tuple(
            Vertebra(level, {name: Corner(*point) for name, point in zip(CORNERS, corners[level].tolist())})
            if level in corners
            else Vertebra(level, {})
            for level in sorted({*STANDARD_LEVELS, *levels}, key=lambda level: level.rank)
        ),
        side,
    )
