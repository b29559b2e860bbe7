"""What a reader's edits make of a spine; no MRML here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vertenet.annotation.names import parse_point
from vertenet.errors import AnnotationError
from vertenet.spine import LADDER, STANDARD_LEVELS, Corner, Spine, Status, Vertebra


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
