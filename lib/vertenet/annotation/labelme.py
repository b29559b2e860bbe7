"""labelme: one JSON file an image, shapes of points with labels, the image's name and size.

Shapes of one point carry the name of a corner (``T12-SA``) or of its vertebra, or, all 24 of them, any label. A polygon
or line of four points whose label is a vertebra is its corners.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import AnnotationError
from ..filenames import base_of, image_of
from ..spine import CORNERS
from .labelled import LabelledPoint, parse_level, spine_of
from .record import Annotation, Known, parse_json, read_text, structured, where


def looks_like(data: Mapping) -> bool:
    return isinstance(data.get("shapes"), list) and "imagePath" in data


def read(path: Path, known: Known) -> dict[str, Annotation]:
    """The annotation of the file's image. Raises `AnnotationError`."""
    data = parse_json(read_text(path), str(path))
    with structured("labelme file", str(path)):
        image = base_of(str(data["imagePath"] or "")) or image_of(path.name)
        subject = where(path, image)
        points: list[LabelledPoint] = []
        for shape in data["shapes"]:
            label, xy = str(shape["label"]), [(float(x), float(y)) for x, y in shape["points"]]
            if len(xy) not in (1, len(CORNERS)) or (len(xy) > 1 and parse_level(label) is None):
                raise AnnotationError(
                    f"the shape {label!r} has {len(xy)} points, but one, or the four corners of a vertebra, are needed",
                    subject=subject,
                )
            points += [(label, x, y) for x, y in xy]
        if not points:
            raise AnnotationError("the file holds no shapes", subject=subject)
        size = [int(data[side]) for side in ("imageHeight", "imageWidth") if data.get(side)]
        spine = spine_of(points, known.anterior, lambda: known.side(image), subject)
    return {image: Annotation(spine, image, *(size if len(size) == 2 else ()))}
