"""What an annotator changed: each point against where it was before."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from vertenet.spine import MIDPOINTS

from .check import Points

#: A point nearer than this (px) to where it was has not been moved; viewers round.
MOVED_PX = 1e-2


@dataclass(frozen=True)
class Change:
    """One point that differs.

    Attributes
    ----------
    point : str
        ``"T12-SA"``.
    kind : {"moved", "added", "removed"}
    dx, dy : float or None
        Source pixels, to the right and down; None unless moved.
    """

    point: str
    kind: Literal["moved", "added", "removed"]
    dx: float | None = None
    dy: float | None = None


def changes(before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]]) -> tuple[Change, ...]:
    """Every point that is not where it was, in the order of their names in ``after``, then those removed.

    Mid-endplate points count where both sides have any: many clients know corners only, and leaving out is no change.
    """
    if not (_midpoints(before) and _midpoints(after)):
        before, after = _corners(before), _corners(after)
    found = []
    for point, (x, y) in after.items():
        if point not in before:
            found.append(Change(point, "added"))
            continue
        dx, dy = x - before[point][0], y - before[point][1]
        if math.hypot(dx, dy) > MOVED_PX:
            found.append(Change(point, "moved", round(dx, 3), round(dy, 3)))
    found += [Change(point, "removed") for point in before if point not in after]
    return tuple(found)


def _midpoints(points: Mapping[str, tuple[float, float]]) -> set[str]:
    return {name for name in points if name.split("-")[1] in MIDPOINTS}


def _corners(points: Mapping[str, tuple[float, float]]) -> Points:
    midpoints = _midpoints(points)
    return {name: xy for name, xy in points.items() if name not in midpoints}


def to_json(found: tuple[Change, ...]) -> str:
    return json.dumps([asdict(change) for change in found], allow_nan=False)


def from_json(text: str) -> tuple[Change, ...]:
    return tuple(Change(**data) for data in json.loads(text))
