"""A Reading out of a structured report that `structured_report` made, or that another program corrected since.

Points, levels, statements, crop and AAC-24 are read; guides, heights and suggested grades are made of the points again,
so that they are those of corrected ones. What a report does not hold: the corridor's edge, the second naming of
uncertain levels, the time the model took.
"""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset

from ...annotation import dicom_codes as codes
from ...annotation.dicom_codes import Code
from ...annotation.dicom_sr import (
    evaluations,
    find_code,
    find_text,
    image_size,
    is_report,
    items,
    key_of,
    name_of,
    open_document,
    spine_of,
)
from ...errors import AnnotationError, VerteNetError
from ...filenames import image_of
from ...measure import CropResult, SpineMorphometry, intervertebral_guides
from ...measure.aac import CELLS, UNREADABLE, Aac24, Grade
from ...radiograph import Spacing, SpacingSource
from ...reading import ImageIdentity, Levels, ModelIdentity, Quality, Reading
from ...spine import Level

_ALGORITHM, _VERSION, _PARAMETER = ("111001", "DCM"), ("111003", "DCM"), ("111002", "DCM")
_PERSON = ("121008", "DCM")


def read_report(path: str | Path) -> Reading:
    """The reading of a structured report.

    Raises
    ------
    AnnotationError
        The file is no structured report of VerteNet, or damaged.
    """
    path = Path(path)
    document = open_document(path)
    if not is_report(document) or find_code(document, codes.LEVEL_NAMING.key, deep=True) is None:
        raise AnnotationError("the DICOM file is no structured report of VerteNet", subject=path)
    try:
        return _reading(document, path)
    except VerteNetError as error:
        raise AnnotationError(error.problem, subject=path) from error
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise AnnotationError(f"the structured report is damaged ({error})", subject=path) from error


def _reading(document: Dataset, path: Path) -> Reading:
    size = image_size(document)
    if size is None:
        raise AnnotationError("the report does not say how large its image is", subject=path)
    spine = spine_of(document, str(path))
    spacing = _spacing(document)
    certain = find_code(document, codes.LEVEL_NAMING.key, deep=True) == codes.LEVELS_CONFIRMED.key
    side_source = find_code(document, codes.ANTERIOR_SOURCE.key, deep=True)
    image = next(items(document, ("260753009", "SCT"), deep=True)).ReferencedSOPSequence[0]
    scales = {cover: _said(document, code) for cover, code in codes.RADIUS_SCALE.items()}
    return Reading(
        image=ImageIdentity(
            image_of(path.name),
            *size,
            spacing,
            _said(document, codes.PIXELS_SHA256),
            _name(codes.ANTERIOR_SOURCES, side_source) or "given",
            {
                "SOPClassUID": str(image.ReferencedSOPClassUID),
                "SOPInstanceUID": str(image.ReferencedSOPInstanceUID),
                "StudyInstanceUID": str(document.StudyInstanceUID),
            },
        ),
        spine=spine,
        guides=intervertebral_guides(spine),
        crop=_crop(document),
        levels=Levels(certain, _number(_said(document, codes.MARGIN))),
        model=_model(document),
        warnings=tuple(_all_said(document, codes.WARNING)),
        created=_said(document, codes.CREATED) or "",
        software=str(document.get("SoftwareVersions", "")),
        quality=_quality(document),
        radius_scale={cover: float(scale) for cover, scale in scales.items() if scale is not None},
        morphometry=SpineMorphometry.of(spine, spacing),
        aac=_aac(document),
        reader=_reader(document),
        notes=_said(document, codes.NOTES) or "",
    )


def _said(document: Dataset, name: Code) -> str | None:
    return next(_all_said(document, name), None)


def _all_said(document: Dataset, name: Code):
    for item in evaluations(document):
        if name_of(item) == name.key and item.ValueType == "TEXT":
            yield str(item.TextValue)


def _number(said: str | None) -> float | None:
    return None if said is None else float(said)


def _name(answers: dict, key: tuple[str, str] | None):
    return next((name for name, code in answers.items() if code.key == key), None)


def _answers(document: Dataset, name: Code) -> list[tuple[str, str]]:
    return [
        key_of(item.ConceptCodeSequence)
        for item in evaluations(document)
        if name_of(item) == name.key and item.ValueType == "CODE"
    ]


def _spacing(document: Dataset) -> Spacing | None:
    row, column = (_said(document, code) for code in (codes.SPACING_ROW, codes.SPACING_COLUMN))
    if row is None or column is None:
        return None
    return Spacing(
        float(row.removesuffix(" mm")),
        float(column.removesuffix(" mm")),
        SpacingSource(_said(document, codes.SPACING_SOURCE)),
        float(_said(document, codes.MAGNIFICATION) or 1.0),
        _said(document, codes.SPACING_NOTE) or "",
    )


def _crop(document: Dataset) -> CropResult:
    state = _name(codes.CROP_STATES, find_code(document, codes.CROP.key, deep=True))
    sides = {codes.LEVELS[Level(name)].key: name for name in ("L1", "L2", "L3", "L4")}
    sides.update({codes.unconfirmed(name).key: name for name in ("L1", "L2", "L3", "L4")})
    extents = dict(said.split(" ")[::-1] for said in _all_said(document, codes.CROP_EXTENT))
    return CropResult(
        state,
        float(_said(document, codes.CROP_FACTOR)),
        tuple(sides[key] for key in _answers(document, codes.CROPPED_SEGMENT)),
        _number(_said(document, codes.CROP_FRACTION)),
        _number(extents.get("pixels")),
        _number(extents.get("mm")),
        tuple(_name(codes.CROP_CAUSES, key) for key in _answers(document, codes.CROP_CAUSE)),
        reason=_said(document, codes.CROP_REASON) or "",
    )


def _aac(document: Dataset) -> Aac24 | None:
    grades: dict[tuple[str, str], Grade] = {code.key: grade for grade, code in codes.AAC_GRADES.items()}
    grades.update({codes.AAC_UNREADABLE.key: UNREADABLE, codes.AAC_UNSCORED.key: None})
    given = [find_code(document, codes.aac_cell(segment.value, wall.value).key, deep=True) for segment, wall in CELLS]
    return None if None in given else Aac24(tuple(grades[key] for key in given))


def _model(document: Dataset) -> ModelIdentity | None:
    name = find_text(document, _ALGORITHM, deep=True)
    if name is None:
        return None
    said = [str(item.TextValue) for item in items(document, _PARAMETER, deep=True)]

    def parameter(start: str) -> str:
        return next((text.removeprefix(start) for text in said if text.startswith(start)), "")

    return ModelIdentity(
        name,
        parameter(codes.PARAMETER_WEIGHTS),
        parameter(codes.PARAMETER_TRAINING),
        parameter(codes.PARAMETER_SYNTHETIC) == "yes",
        parameter(codes.PARAMETER_DECODER),
    )


def _quality(document: Dataset) -> Quality | None:
    typical = _name(codes.TYPICALITY, find_code(document, codes.IMAGE_TYPICAL.key, deep=True))
    if typical is None:
        return None
    score = _number(_said(document, codes.TYPICAL_SCORE))
    return Quality(typical, score, tuple(_all_said(document, codes.TYPICAL_REASON)))


def _reader(document: Dataset) -> str:
    """The person observer, given name first."""
    for item in items(document, _PERSON):
        family, _, given = str(item.PersonName).partition("^")
        return f"{given.replace('^', ' ')} {family}".strip()
    return ""
