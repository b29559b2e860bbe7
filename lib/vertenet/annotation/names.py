"""Names of points: ``T12-SA`` to ``L5-IP``, and the orders in which formats write them."""

from __future__ import annotations

import re

from ..spine import CORNERS, STANDARD_LEVELS, CornerName, Level

PointKey = tuple[Level, CornerName]

#: The 24 points, from head to foot, each vertebra SA, SP, IA, IP.
STANDARD_POINTS: tuple[PointKey, ...] = tuple((level, corner) for level in STANDARD_LEVELS for corner in CORNERS)
#: The order of the corners of a vertebra in the authors' files.
AUTHORS_CORNERS: tuple[CornerName, ...] = (CornerName.SP, CornerName.SA, CornerName.IP, CornerName.IA)

_PATTERN = re.compile(rf"({'|'.join(level.value for level in Level)})[-_ ]({'|'.join(c.value for c in CornerName)})")


def point_name(level: Level, corner: CornerName) -> str:
    return f"{level.value}-{corner.value}"


def parse_point(name: object) -> PointKey | None:
    """The level and corner that a name means (``T12-SA``, also with ``_`` or a space), or None."""
    match = _PATTERN.fullmatch(name.strip()) if isinstance(name, str) else None
    return None if match is None else (Level(match[1]), CornerName(match[2]))
