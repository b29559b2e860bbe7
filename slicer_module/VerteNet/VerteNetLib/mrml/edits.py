"""What a reader's edits make of a spine; no MRML here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from vertenet.annotation.names import parse_point
from vertenet.errors import AnnotationError
from vertenet.spine import LADDER, STANDARD_LEVELS, Corner, CornerName, Spine, Status, Vertebra

#: The corners of the endplate that a mid-endplate point lies on.
ENDPLATES = {CornerName.SM: (CornerName.SA, CornerName.SP), CornerName.IM: (CornerName.IA, CornerName.IP)}
#: A mid-endplate point lies so far along its endplate (share of it from the anterior corner) ...
MIDDLE = (0.25, 0.75)
#: ... and at most this share of its length away: a crushed endplate sinks in by a third, a wrong level is a whole off.
DEEPEST = 0.4


def with_corner(spine: Spine, name: str, corner: Corner) -> Spine:
    """The spine with one point replaced, or added.

    Raises
    ------
    AnnotationError
        ``name`` is no point's.
    """
    key = parse_point(name)
    if key is None:
        raise AnnotationError(f"the point {name!r} names no corner of a vertebra")
    level, corner_name = key
    vertebrae = list(spine.vertebrae) if level in spine else [*spine.vertebrae, Vertebra(level)]
    changed = [
        Vertebra(v.level, {**v.points, corner_name: corner}, v.confidence) if v.level is level else v for v in vertebrae
    ]
    return replace(spine, vertebrae=tuple(changed))


def marked(spine: Spine, names: Iterable[str], status: Status) -> Spine:
    """The spine with points taken away, for the reason ``status``."""
    for name in names:
        spine = with_corner(spine, name, Corner(status=status))
    return spine


def shifted(spine: Spine, steps: int) -> Spine:
    """Every vertebra ``steps`` levels towards the feet. What leaves T12 to L5 stays as T11 or S1, so shifting back
    loses nothing; beyond these there is no name, and such a vertebra is dropped."""
    wide = spine.select([level for level in LADDER if level in spine or level in (LADDER[0], LADDER[-1])])
    moved = wide.select([*STANDARD_LEVELS, LADDER[0], LADDER[-1]]).shifted(steps)
    kept = [v for v in moved if v.level in STANDARD_LEVELS or any(c != Corner.missing() for c in v.points.values())]
    return replace(moved, vertebrae=tuple(kept))


def without_stray_midpoints(spine: Spine) -> Spine:
    """The spine without mid-endplate points that corners were moved away from.

    Such a point was found together with an endplate that turned out to be elsewhere. To move it along would dress a
    guess as a measurement; it becomes missing, and the middle height cannot be told until it is placed again.
    """
    for vertebra in spine:
        for name, ends in ENDPLATES.items():
            point = vertebra.points.get(name)
            if point is not None and point.is_present and _is_stray(vertebra, point, ends):
                spine = with_corner(spine, f"{vertebra.level}-{name}", Corner.missing())
    return spine


def _is_stray(vertebra: Vertebra, point: Corner, ends: tuple[CornerName, CornerName]) -> bool:
    front, back = (vertebra[end] for end in ends)
    if not (front.is_present and back.is_present):
        return False
    along = back.xy - front.xy
    length = float(np.hypot(*along))
    if length == 0:
        return True
    offset = point.xy - front.xy
    share = float(offset @ along) / length**2
    height = abs(float(along[0] * offset[1] - along[1] * offset[0])) / length**2
    return not MIDDLE[0] <= share <= MIDDLE[1] or height > DEEPEST
