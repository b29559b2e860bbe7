"""MakeSense point export: ``label,x,y,image,columns,rows``, one row a point, with or without a header row.

Labels that name points (``T12-SA``) are believed; where none does, as in the authors' files, the 24 points of an image
are named from their geometry. Positions only: 24 present corners an image.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import AnnotationError
from ..files import write_text
from ..spine import CORNERS, STANDARD_LEVELS
from .labelled import LabelledPoint, spine_of
from .names import AUTHORS_CORNERS, point_name
from .record import Annotation, Known, parse_csv, read_text, where

HEADER = ("label", "x", "y", "fname", "x_dim", "y_dim")


def looks_like(text: str) -> bool:
    """Whether a text is a MakeSense point export: its second row, at the latest, is one of points."""
    try:
        return any(_point_row(row) for row in parse_csv(text[:4096], "")[:2])
    except AnnotationError:
        return False


def read(path: Path, known: Known) -> dict[str, Annotation]:
    """Annotations by image name. Raises `AnnotationError`."""
    images: dict[str, list[LabelledPoint]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    damaged: dict[str, AnnotationError] = {}
    for number, row in enumerate(parse_csv(read_text(path), str(path)), start=1):
        if not row or (number == 1 and not _point_row(row)):
            continue
        if not _point_row(row):
            image = row[3].strip() if len(row) == len(HEADER) else ""
            error = AnnotationError(
                f"line {number} is not label, x, y, image, columns, rows", subject=where(path, image or None)
            )
            if not image:  # whose points they are is not known, so nobody's are
                raise error
            damaged.setdefault(image, error)
            continue
        label, x, y, image, columns, rows = (cell.strip() for cell in row)
        size = (int(float(rows)), int(float(columns)))
        if sizes.setdefault(image, size) != size:
            damaged.setdefault(
                image, AnnotationError(f"line {number} gives another image size", subject=where(path, image))
            )
        images.setdefault(image, []).append((label, float(x), float(y)))
    if not images and not damaged:
        raise AnnotationError("the file holds no points", subject=path)
    found = {}
    for image in {**damaged, **images}:
        with known.one_image():
            if image in damaged:
                raise damaged[image]
            subject = where(path, image)
            refuse_outside(np.array([point[1:] for point in images[image]]), sizes[image], subject)
            spine = spine_of(
                images[image], known.anterior, lambda image=image: known.side(image), subject, complete=True
            )
            found[image] = Annotation(spine, image, *sizes[image])
    return found


def write(annotations: Sequence[Annotation], path: Path) -> None:
    """One file for all images, corners in the authors' order. Raises `AnnotationError` for an incomplete spine."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for annotation in annotations:
        corners = complete_corners(annotation, path)
        if annotation.size is None:
            raise AnnotationError(
                "the format needs the size of the image", subject=where(path, annotation.image), remedy="Give --images"
            )
        for level, vertebra in zip(STANDARD_LEVELS, corners):
            for corner, (x, y) in zip(AUTHORS_CORNERS, vertebra[[CORNERS.index(name) for name in AUTHORS_CORNERS]]):
                label = point_name(level, corner)
                writer.writerow([label, float(x), float(y), annotation.image, annotation.columns, annotation.rows])
    write_text(path, out.getvalue())


def complete_corners(annotation: Annotation, path: Path) -> np.ndarray:
    """(6, 4, 2) corners for a format that holds all 24 or none; `AnnotationError` names the first that lacks."""
    for level in STANDARD_LEVELS:
        for corner in CORNERS:
            status = annotation.spine[level][corner].status if level in annotation.spine else "missing"
            if status != "present":
                raise AnnotationError(
                    f"{point_name(level, corner)} is {status}, and this format can only hold all 24 corners",
                    subject=where(path, annotation.image),
                    remedy="Convert to coco or markups",
                )
    return annotation.spine.to_array(STANDARD_LEVELS)


def refuse_outside(points: np.ndarray, size: tuple[int, int] | None, subject: str) -> None:
    """Refuse a point more than a pixel outside its image: x and y were swapped, or the image is another one."""
    if size is None:
        return
    limit = np.array([size[1], size[0]])
    beyond = np.flatnonzero(((points < -1) | (points > limit)).any(axis=1))
    if beyond.size:
        x, y = points[beyond[0]]
        raise AnnotationError(
            f"point {beyond[0] + 1} ({x:g}, {y:g}) lies outside the image of {size[1]} x {size[0]} pixels",
            subject=subject,
        )


def _point_row(row: list[str]) -> bool:
    if len(row) != 6:
        return False
    try:
        x, y, columns, rows = (float(row[i]) for i in (1, 2, 4, 5))
    except ValueError:
        return False
    return bool(np.isfinite([x, y, columns, rows]).all()) and columns >= 1 and rows >= 1 and bool(row[3].strip())
