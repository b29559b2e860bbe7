"""``truth.csv``: what is true of the images of a test folder, where that may be little.

A header row ``image,label,x,y`` and a row a point, source pixels. A label is a vertebra (``L4``: the centre of its
body) or one of its corners (``L4-SA``). Any vertebrae, any corners of each: what was not marked is not known. It is to
measure on; nothing is learnt from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import AnnotationError
from ..measure.consistency import infer_anterior
from ..spine import Corner, CornerName, Level, Side, Spine, Vertebra
from .names import parse_point
from .record import parse_csv, read_text, where

#: The table's name in its folder.
TRUTH_TABLE = "truth.csv"
COLUMNS = ("image", "label", "x", "y")
#: Either of these corners of one vertebra give the height of its body.
_EDGES = ({CornerName.SA, CornerName.IA}, {CornerName.SP, CornerName.IP})


@dataclass(frozen=True)
class PartialTruth:
    """What is known of one image.

    Attributes
    ----------
    spine : Spine
        The vertebrae of which corners are known; corners that are not are ``missing``.
    centres : mapping of Level to (x, y)
        Of the vertebrae of which only the centre is known.
    anterior : {"left", "right"} or None
        None where the corners do not tell it; the spine then says "right" for want of another word.
    """

    spine: Spine
    centres: Mapping[Level, tuple[float, float]] = field(default_factory=dict)
    anterior: Side | None = None


def read_truth_table(path: Path) -> dict[str, PartialTruth]:
    """The truth by image name.

    Raises
    ------
    AnnotationError
        A column is not there, a label is no vertebra or corner or is there twice, a position is no number, or
        nothing in an image tells how high a body is.
    """
    header, *rows = parse_csv(read_text(path), str(path)) or [[]]
    names = [cell.strip().lower() for cell in header]
    lacking = [name for name in COLUMNS if name not in names]
    if lacking:
        raise AnnotationError(
            f"the table has no column {lacking[0]!r}", subject=path, remedy=f"Give it the columns {', '.join(COLUMNS)}"
        )
    places = [names.index(name) for name in COLUMNS]
    marked: dict[str, dict[tuple[Level, CornerName | None], tuple[float, float]]] = {}
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        image, label, *xy = (row[place].strip() if place < len(row) else "" for place in places)
        key, points = _key(label), marked.setdefault(image, {})
        if key is None:
            raise AnnotationError(
                f"line {number}: {label!r} is no vertebra and no corner",
                subject=path,
                remedy="Write L4 for a centre, L4-SA for a corner",
            )
        if key in points:
            raise AnnotationError(f"line {number}: {label} is there twice", subject=where(path, image))
        points[key] = _position(xy, f"line {number}: {label}", path)
    if not marked:
        raise AnnotationError("the table holds no points", subject=path)
    return {image: _truth(points, where(path, image)) for image, points in marked.items()}


def _key(label: str) -> tuple[Level, CornerName | None] | None:
    if label in Level.__members__:
        return Level(label), None
    return parse_point(label)


def _position(cells: list[str], what: str, path: Path) -> tuple[float, float]:
    try:
        x, y = map(float, cells)
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise AnnotationError(f"{what} is at {cells[0]!r}, {cells[1]!r}, but numbers are needed", subject=path)
    return x, y


def _truth(points: Mapping[tuple[Level, CornerName | None], tuple[float, float]], subject: str) -> PartialTruth:
    corners: dict[Level, dict[CornerName, Corner]] = {}
    for (level, name), xy in points.items():
        if name is not None:
            corners.setdefault(level, {})[name] = Corner(*xy)
    centres = {level: xy for (level, name), xy in points.items() if name is None and level not in corners}
    spine = Spine(tuple(Vertebra(level, found) for level, found in corners.items()), "right")
    if len(centres) < 2 and not any(edge <= set(found) for found in corners.values() for edge in _EDGES):
        raise AnnotationError(
            "nothing says how high a body is",
            subject=subject,
            remedy="Mark two centres, or an upper and a lower corner of one vertebra",
        )
    anterior = infer_anterior(spine)
    return PartialTruth(Spine(spine.vertebrae, anterior or "right"), centres, anterior)
