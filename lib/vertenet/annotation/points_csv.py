"""A plain table of points: a header row with columns for the image, the label, x and y, in any order; a row a point.

Read only. Labels are those of `vertenet.annotation.labelled`.
"""

from __future__ import annotations

import math
from pathlib import Path

from ..errors import AnnotationError
from .labelled import LabelledPoint, spine_of
from .record import Annotation, Known, parse_csv, read_text, where

#: What each column may be called; the first is how messages name it.
COLUMNS = {
    "image": ("image", "image_name", "file", "filename", "file_name", "fname", "image_id"),
    "label": ("label", "landmark", "point", "point_name", "name", "keypoint"),
    "x": ("x", "x_px", "column"),
    "y": ("y", "y_px", "row"),
}


def looks_like(text: str) -> bool:
    """Whether the first row names x and y, and an image or a label."""
    try:
        columns = _columns((parse_csv(text.partition("\n")[0], "") or [[]])[0])
    except AnnotationError:
        return False
    return {"x", "y"} <= set(columns) and len(columns) > 2


def read(path: Path, known: Known) -> dict[str, Annotation]:
    """Annotations by image name. Raises `AnnotationError`."""
    header, *rows = parse_csv(read_text(path), str(path)) or [[]]
    columns = _columns(header)
    lacking = [name for name in COLUMNS if name not in columns]
    if lacking:
        raise AnnotationError(
            f"the table has no column {lacking[0]}", subject=path, remedy=f"Give it the columns {', '.join(COLUMNS)}"
        )
    points: dict[str, list[LabelledPoint]] = {}
    damaged: dict[str, AnnotationError] = {}
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        image, label, *xy = (row[columns[name]].strip() if columns[name] < len(row) else "" for name in COLUMNS)
        if not image:
            raise AnnotationError(f"line {number} names no image", subject=path)
        try:
            x, y = map(float, xy)
        except ValueError:
            x = y = math.nan
        if not (math.isfinite(x) and math.isfinite(y)):
            sentence = f"line {number}: x and y of {label!r} are {xy[0]!r} and {xy[1]!r}, but numbers are needed"
            damaged.setdefault(image, AnnotationError(sentence, subject=where(path, image)))
        points.setdefault(image, []).append((label, x, y))
    if not points:
        raise AnnotationError("the table holds no points", subject=path)
    found = {}
    for image, labelled in points.items():
        with known.one_image():
            if image in damaged:
                raise damaged[image]
            spine = spine_of(labelled, known.anterior, lambda image=image: known.side(image), where(path, image))
            found[image] = Annotation(spine, image)
    return found


def _columns(header: list[str]) -> dict[str, int]:
    """Index of each of `COLUMNS` that the header names."""
    plain = [cell.strip().lower() for cell in header]
    return {
        name: next(plain.index(alias) for alias in aliases if alias in plain)
        for name, aliases in COLUMNS.items()
        if any(alias in plain for alias in aliases)
    }
