"""Corners out of a DICOM structured report (TID 1500), whether we wrote it or another program corrected it.

A measurement group is read as a point where it names one: by its finding (`dicom_codes.CORNERS`) and its level, which
is the finding site or, where levels could not be confirmed, a coded suggestion; else by its tracking identifier
(``L3-SA``). Groups of anything else are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import AnnotationError
from ..filenames import image_of
from ..measure.consistency import infer_anterior
from ..radiograph import ViewerGeometry
from ..spine import Corner, Level, Side, Spine, Status, Vertebra
from . import dicom_codes as codes
from .dicom_codes import Code
from .names import PointKey, parse_point
from .record import Annotation, Known, structured

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SUFFIX = ".sr.dcm"
_SR_CLASSES = "1.2.840.10008.5.1.4.1.1.88."
_GROUP, _FINDING, _SITE = ("125007", "DCM"), ("121071", "DCM"), ("363698007", "SCT")
_TRACKING = ("112039", "DCM")
_STATE = codes.point_state("").value
_ROWS, _COLUMNS = ("110910", "DCM"), ("110911", "DCM")
#: DICOM counts from the corner of the first pixel, we from its centre.
FROM_DICOM = -0.5

_LEVEL_OF = {code.key: level for level, code in codes.LEVELS.items()}
_CORNER_OF = {code.key: name for name, code in codes.CORNERS.items()}
_STATUS_OF = {code.key: status for status, code in codes.STATUSES.items()}
_SIDE_OF = {code.key: side for side, code in codes.SIDES.items()}
_TRANSITION_OF = {code.key: transition for transition, code in codes.TRANSITIONS.items()}


def is_report(dataset: Dataset) -> bool:
    return str(dataset.get("SOPClassUID", "")).startswith(_SR_CLASSES)


def read(path: Path, known: Known) -> dict[str, Annotation]:
    """The annotation of the report's image. Raises `AnnotationError`."""
    document = open_document(path)
    if not is_report(document):
        raise AnnotationError("the DICOM file is no structured report", subject=path)
    image = image_of(path.name)
    with structured("DICOM structured report", str(path)):
        spine = spine_of(document, str(path), side=known.anterior)
        size = image_size(document) or known.size(image) or (None, None)
    geometry = known.geometry(image) or viewer_geometry(document)
    return {image: Annotation(spine, image, *size, geometry=geometry)}


def open_document(path: Path) -> Dataset:
    """The data set of a DICOM file. Raises `AnnotationError` where it cannot be read."""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        return dcmread(path)
    except (InvalidDicomError, EOFError, ValueError, KeyError, OSError) as error:
        raise AnnotationError(
            f"the file cannot be read as DICOM ({str(error)[:160]})", subject=path, remedy="Copy or export it again"
        ) from error


def spine_of(document: Dataset, subject: str, *, side: Side | None = None) -> Spine:
    """The spine of a report, source pixels.

    Parameters
    ----------
    document : Dataset
    subject : str
        What to call it in messages.
    side : {"left", "right"}, optional
        The anterior side where the report states none; else it is found from the points.

    Raises
    ------
    AnnotationError
        No group names a corner of a vertebra, or two name the same.
    """
    points: dict[PointKey, Corner] = {}
    confidences: dict[Level, float] = {}
    for group in groups(document):
        key = _point_of(group)
        if key is None:
            level = level_of(group)
            if level is not None and find_code(group, _FINDING) == codes.VERTEBRAL_BODY.key:
                confidences[level] = find_number(group, codes.CONFIDENCE)
            continue
        if key in points:
            raise AnnotationError(f"the point {key[0]}-{key[1]} is there twice", subject=subject)
        corner = _corner(group)
        if corner is not None:
            points[key] = corner
    points = {**_stated_points(document), **points}
    if not points and find_code(document, codes.IMAGE_TYPICAL.key, deep=True) != codes.TYPICALITY[False].key:
        raise AnnotationError(
            "no measurement group in the report names a corner of a vertebra", subject=subject, remedy="Name it L3-SA"
        )
    vertebrae = [
        Vertebra(level, {name: corner for (of, name), corner in points.items() if of is level}, confidences.get(level))
        for level in dict.fromkeys(level for level, _ in points)
    ]
    stated = _SIDE_OF.get(find_code(document, codes.ANTERIOR_SIDE.key, deep=True))
    transition = _TRANSITION_OF.get(find_code(document, codes.TRANSITION.key, deep=True))
    more = {} if transition is None else {"transition": transition}
    spine = Spine(tuple(vertebrae), stated or side or "right", **more)
    if stated is None and side is None and infer_anterior(spine) == "left":
        spine = Spine(spine.vertebrae, "left", **more)
    return spine


def image_size(document: Dataset) -> tuple[int, int] | None:
    """(rows, columns) of the image, from the image library."""
    rows, columns = (find_number(document, Code(*key, ""), deep=True) for key in (_ROWS, _COLUMNS))
    return None if rows is None or columns is None else (int(rows), int(columns))


def viewer_geometry(document: Dataset) -> ViewerGeometry | None:
    """Where 3D Slicer puts the image's pixels, from the spacing in the image library; None where there is none."""
    row = find_number(document, Code("111066", "DCM", ""), deep=True)
    column = find_number(document, Code("111026", "DCM", ""), deep=True)
    return None if row is None or column is None else ViewerGeometry.identity(column, row)


def groups(document: Dataset) -> Iterator[Dataset]:
    """Every measurement group of the content tree."""
    for item in document.get("ContentSequence", ()):
        if item.get("ValueType") == "CONTAINER":
            if name_of(item) == _GROUP:
                yield item
            else:
                yield from groups(item)


def items(parent: Dataset, name: tuple[str, str], *, deep: bool = False) -> Iterator[Dataset]:
    """Content items of a concept name: children, or all descendants."""
    for item in parent.get("ContentSequence", ()):
        if name_of(item) == name:
            yield item
        if deep:
            yield from items(item, name, deep=True)


def name_of(item: Dataset) -> tuple[str, str] | None:
    return key_of(item.get("ConceptNameCodeSequence"))


def key_of(sequence) -> tuple[str, str] | None:
    """Value and scheme of a code sequence's only item."""
    if not sequence:
        return None
    return str(sequence[0].get("CodeValue", "")), str(sequence[0].get("CodingSchemeDesignator", ""))


def find_code(parent: Dataset, name: tuple[str, str], *, deep: bool = False) -> tuple[str, str] | None:
    """The value of the first CODE item of that name."""
    for item in items(parent, name, deep=deep):
        if item.get("ValueType") == "CODE":
            return key_of(item.get("ConceptCodeSequence"))
    return None


def find_text(parent: Dataset, name: tuple[str, str], *, deep: bool = False) -> str | None:
    """The value of the first TEXT item of that name."""
    for item in items(parent, name, deep=deep):
        if item.get("ValueType") == "TEXT":
            return str(item.get("TextValue", ""))
    return None


def find_number(parent: Dataset, name: Code, *, deep: bool = False) -> float | None:
    """The value of the first NUM item of that name, as precise as it was written."""
    for item in items(parent, name.key, deep=deep):
        if item.get("ValueType") == "NUM" and item.get("MeasuredValueSequence"):
            value = item.MeasuredValueSequence[0]
            exact = value.get("FloatingPointValue")
            return float(value.NumericValue if exact is None else exact)
    return None


def level_of(group: Dataset) -> Level | None:
    """The level that a group's site states, or that is suggested where none could be confirmed."""
    return _LEVEL_OF.get(find_code(group, _SITE)) or _LEVEL_OF.get(find_code(group, codes.SUGGESTED_LEVEL.key))


def _point_of(group: Dataset) -> PointKey | None:
    name, level = _CORNER_OF.get(find_code(group, _FINDING)), level_of(group)
    if name is not None and level is not None:
        return level, name
    return point_named(find_text(group, _TRACKING))


def point_named(identifier: object) -> PointKey | None:
    """The point that a tracking identifier names; a level that was not confirmed has a question mark (``L3?-SA``)."""
    return parse_point(str(identifier).replace("?", "")) if identifier else None


def _corner(group: Dataset) -> Corner | None:
    """None where the group has no point."""
    for item in group.ContentSequence:
        if item.get("ValueType") == "SCOORD" and item.get("GraphicType") == "POINT":
            x, y = np.asarray(item.GraphicData, dtype=np.float64) + FROM_DICOM
            confidence, radius = (find_number(group, code) for code in (codes.CONFIDENCE, codes.RADIUS))
            return Corner(x, y, Status.PRESENT, confidence, radius)
    return None


def _stated_points(document: Dataset) -> dict[PointKey, Corner]:
    """Points that were not located: their state and, where one was extrapolated, their position."""
    found: dict[PointKey, Corner] = {}
    for item in evaluations(document):
        value, scheme = name_of(item) or ("", "")
        key = point_named(value.removeprefix(_STATE)) if scheme == codes.SCHEME and value.startswith(_STATE) else None
        if key is None:
            continue
        if item.ValueType == "CODE":
            found[key] = Corner(status=_STATUS_OF.get(key_of(item.ConceptCodeSequence), Status.MISSING))
        elif key in found:
            x, y = (float(part) for part in item.TextValue.split(","))
            found[key] = Corner(x, y, found[key].status)
    return found


def evaluations(document: Dataset) -> Iterator[Dataset]:
    """The qualitative evaluations of the report as a whole, in their order."""
    for container in items(document, codes.QUALITATIVE_EVALUATIONS.key):
        yield from container.get("ContentSequence", ())
