"""The authors' result CSV: one image a file, rows T12 to L5, corners in the 512 x 1024 normalised frame.

Columns: centre, then top left, top right, bottom left, bottom right as x and y, then ``scale_factor``, which is the
score and becomes the level's confidence. Left and right are those of the image. A corner that is not present is left
empty; on reading, an empty one or NaN is missing. Midpoints, further levels and statuses have no place in it.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np

from ..errors import AnnotationError
from ..files import write_text
from ..spine import STANDARD_LEVELS, Corner, CornerName, Level, Side, Spine, Vertebra
from .record import Annotation, Known, parse_csv, read_text, where

#: (columns, rows) of the frame, in the order of (x, y).
FRAME = np.array([512.0, 1024.0])
PLACES = ("top_left", "top_right", "bottom_left", "bottom_right")
COLUMNS = tuple(f"{place}_{axis}" for place in ("center", *PLACES) for axis in "xy")
SCORE = "scale_factor"


def looks_like(text: str) -> bool:
    first = text.partition("\n")[0]
    return all(column in first for column in (*COLUMNS, SCORE))


def read(path: Path, known: Known) -> dict[str, Annotation]:
    """The annotation of the file's image, whose size must be known. Raises `AnnotationError`."""
    image = path.name[: -len(path.suffix)]
    subject = where(path, image)
    size = known.size(image)
    if size is None:
        raise AnnotationError(
            "positions are in the 512 x 1024 frame, so the size of the image is needed",
            subject=subject,
            remedy="Give the folder of the images with --images",
        )
    anterior = known.side(image)
    header, *rows = parse_csv(read_text(path), subject) or [[]]
    vertebrae = [
        _vertebra(row[0], dict(zip_longest(header, row)), _corner_names(anterior), size, subject) for row in rows if row
    ]
    levels = [vertebra.level for vertebra in vertebrae]
    for level in STANDARD_LEVELS:
        if levels.count(level) != 1:
            raise AnnotationError(f"{level} is there {levels.count(level)} times, but once is needed", subject=subject)
    return {image: Annotation(Spine(tuple(vertebrae), anterior), image, *size)}


def write(annotations: Sequence[Annotation], path: Path) -> None:
    """One file for one image, whose size must be known. Raises `AnnotationError`."""
    (annotation,) = annotations
    if annotation.size is None:
        raise AnnotationError(
            "the format needs the size of the image", subject=where(path, annotation.image), remedy="Give --images"
        )
    spine = annotation.spine.select(STANDARD_LEVELS)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["", *COLUMNS, SCORE])
    for vertebra in spine:
        xy = vertebra.to_array(_corner_names(spine.anterior), present=True)
        framed = to_frame(np.vstack([xy.mean(axis=0), xy]), annotation.size)
        score = math.nan if vertebra.confidence is None else vertebra.confidence
        cells = ["" if math.isnan(value) else float(value) for value in (*framed.ravel(), score)]
        writer.writerow([vertebra.level.value, *cells])
    write_text(path, out.getvalue())


def to_frame(xy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(n, 2) source pixels of an image of ``size`` (rows, columns) to the frame: edges meet edges."""
    return (xy + 0.5) * (FRAME / [size[1], size[0]]) - 0.5


def from_frame(xy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The inverse of `to_frame`."""
    return (xy + 0.5) / (FRAME / [size[1], size[0]]) - 0.5


def _corner_names(anterior: Side) -> tuple[CornerName, ...]:
    """The corners at `PLACES`."""
    left, right = ("P", "A") if anterior == "right" else ("A", "P")
    return tuple(CornerName(end + side) for end in "SI" for side in (left, right))


def _vertebra(label: str, row: dict, names: tuple[CornerName, ...], size: tuple[int, int], subject: str) -> Vertebra:
    if label not in STANDARD_LEVELS:
        raise AnnotationError(f"a row is called {label!r}, but T12 to L5 are needed", subject=subject)
    points = {}
    for name, place in zip(names, PLACES):
        x, y = (_number(row, f"{place}_{axis}", label, subject) for axis in "xy")
        if math.isnan(x) != math.isnan(y):
            raise AnnotationError(f"{label}-{name} has one coordinate without the other", subject=subject)
        points[name] = Corner.missing() if math.isnan(x) else Corner(*from_frame(np.array([x, y]), size))
    score = _number(row, SCORE, label, subject)
    if not math.isnan(score) and not 0 <= score <= 1:
        raise AnnotationError(f"{label} has the score {score:g}, outside 0 to 1", subject=subject)
    return Vertebra(Level(label), points, None if math.isnan(score) else score)


def _number(row: dict, column: str, label: str, subject: str) -> float:
    """The cell's number, NaN where it is empty."""
    cell = (row.get(column) or "").strip()
    try:
        value = float(cell) if cell else math.nan
    except ValueError:
        value = math.inf
    if math.isinf(value):
        raise AnnotationError(f"{column} of {label} is {cell!r}, which is no number", subject=subject)
    return value
