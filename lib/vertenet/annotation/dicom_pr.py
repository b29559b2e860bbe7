"""Corners out of a DICOM presentation state that VerteNet wrote: graphic points that carry a tracking identifier.

It holds drawings, so of a point that was not located it says nothing, and of levels only their names.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import AnnotationError
from ..filenames import image_of
from ..measure.consistency import infer_anterior
from ..spine import Corner, Spine, Vertebra
from .dicom_sr import FROM_DICOM, open_document, point_named
from .names import PointKey
from .record import Annotation, Known, structured

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SUFFIX = ".gsps.dcm"
_STATE_CLASSES = "1.2.840.10008.5.1.4.1.1.11."


def is_presentation(dataset: Dataset) -> bool:
    return str(dataset.get("SOPClassUID", "")).startswith(_STATE_CLASSES)


def read(path: Path, known: Known) -> dict[str, Annotation]:
    """The annotation of the image that the state is for. Raises `AnnotationError`."""
    state = open_document(path)
    if not is_presentation(state):
        raise AnnotationError("the DICOM file is no presentation state", subject=path)
    image = image_of(path.name)
    with structured("DICOM presentation state", str(path)):
        points = _points(state)
        if not points:
            raise AnnotationError("no graphic point in it is named after a corner, such as L3-SA", subject=path)
        vertebrae = tuple(
            Vertebra(level, {name: corner for (of, name), corner in points.items() if of is level})
            for level in dict.fromkeys(level for level, _ in points)
        )
        spine = Spine(vertebrae, known.anterior or "right")
        if known.anterior is None and infer_anterior(spine) == "left":
            spine = Spine(vertebrae, "left")
        size = _size(state) or known.size(image) or (None, None)
    return {image: Annotation(spine, image, *size, geometry=known.geometry(image))}


def _points(state: Dataset) -> dict[PointKey, Corner]:
    points: dict[PointKey, Corner] = {}
    for annotation in state.get("GraphicAnnotationSequence", ()):
        for graphic in annotation.get("GraphicObjectSequence", ()):
            key = point_named(graphic.get("TrackingID"))
            if key is not None and graphic.GraphicType == "POINT" and graphic.GraphicAnnotationUnits == "PIXEL":
                x, y = (float(value) + FROM_DICOM for value in graphic.GraphicData)
                points[key] = Corner(x, y)
    return points


def _size(state: Dataset) -> tuple[int, int] | None:
    """(rows, columns): our states show the whole image."""
    for area in state.get("DisplayedAreaSelectionSequence", ()):
        columns, rows = area.DisplayedAreaBottomRightHandCorner
        return int(rows), int(columns)
    return None
