"""Measurement groups of the aorta, and the statements about the image and the reading as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from highdicom.sr import ContainerContentItem, ContentSequence
from pydicom.dataset import Dataset

from ...annotation import dicom_codes as codes
from ...measure.aac import CELLS, UNREADABLE, Grade
from ...reading import RESEARCH_USE, Reading
from ..words import aac_total_words, crop_sentence, levels_sentence, refused, unassessed_words
from .identification import concept
from .items import CONTAINS, answer, coded, group, measured, number, site, text


def crop_group(reading: Reading, image: Dataset):
    """Whether the aortic corridor is inside the image, where and to what it is lost, and how much."""
    crop = reading.crop
    numbers = [measured(codes.CROP_FACTOR, crop.factor, codes.NO_UNIT)]
    if crop.fraction is not None:
        numbers.append(measured(codes.CROP_FRACTION, 100 * crop.fraction, codes.PERCENT))
    for value, unit in ((crop.extent_px, codes.PIXELS), (crop.extent_mm, codes.MILLIMETRES)):
        if value is not None:
            numbers.append(measured(codes.CROP_EXTENT, value, unit))
    answers = [
        answer(codes.CROP, codes.CROP_STATES[crop.state.value]),
        *(answer(codes.CROPPED_SEGMENT, _segment(reading, name)) for name in crop.segments),
        *(answer(codes.CROP_CAUSE, codes.CROP_CAUSES[cause]) for cause in crop.causes),
    ]
    texts = [text(codes.BASIS, crop_sentence(crop))]
    if crop.reason:
        texts.append(text(codes.CROP_REASON, crop.reason))
    return group(
        reading, image, "aortic corridor", codes.CORRIDOR, [site(codes.AORTA)], numbers, answers, texts
    )


def aac_groups(reading: Reading, image: Dataset) -> Iterator:
    """AAC-24 cell by cell where a reader scored any; unreadable and unscored cells are answers, not zeros."""
    score = reading.aac
    if score is None or score.is_empty:
        return
    least, most = score.bounds
    numbers = [measured(codes.AAC_LEAST, least, codes.NO_UNIT), measured(codes.AAC_MOST, most, codes.NO_UNIT)]
    if score.total is not None:
        numbers.append(measured(codes.AAC_TOTAL, score.total, codes.NO_UNIT))
    answers = [
        answer(codes.aac_cell(segment.value, wall.value), grade_code(grade))
        for (segment, wall), grade in zip(CELLS, score.grades)
    ]
    texts = [text(codes.BASIS, aac_total_words(score))]
    yield group(reading, image, "AAC-24", codes.AAC, [site(codes.AORTA)], numbers, answers, texts)


def grade_code(grade: Grade):
    if grade is None:
        return codes.AAC_UNSCORED
    return codes.AAC_UNREADABLE if grade == UNREADABLE else codes.AAC_GRADES[grade]


def statements(reading: Reading) -> ContainerContentItem:
    """The Qualitative Evaluations of TID 1500: use, how sure levels are, what was not looked at, spacing, warnings."""
    container = ContainerContentItem(concept(codes.QUALITATIVE_EVALUATIONS), relationship_type=CONTAINS)
    container.ContentSequence = ContentSequence([*_naming(reading), *_image(reading), *_words(reading)])
    return container


def _segment(reading: Reading, name: str):
    return codes.LEVELS[name] if reading.levels.certain else codes.own(f"{name}_UNSURE", f"{name}, not confirmed")


def _naming(reading: Reading) -> Iterator:
    yield text(codes.USE, RESEARCH_USE)
    levels = reading.levels
    yield coded(codes.LEVEL_NAMING, codes.LEVELS_CONFIRMED if levels.certain else codes.LEVELS_UNCONFIRMED)
    yield text(codes.LEVEL_NAMING, levels_sentence(reading))
    yield text(codes.LIMITS, unassessed_words(reading))
    if levels.margin is not None:
        yield text(codes.MARGIN, repr(float(levels.margin)))
    yield coded(codes.TRANSITION, codes.TRANSITIONS[reading.spine.transition])
    yield coded(codes.ANTERIOR_SIDE, codes.SIDES[reading.spine.anterior])
    yield coded(codes.ANTERIOR_SOURCE, codes.ANTERIOR_SOURCES[reading.image.anterior_source])


def _image(reading: Reading) -> Iterator:
    spacing = reading.image.spacing
    if spacing is None:
        yield text(codes.SPACING_SOURCE, "unknown: nothing is given in millimetres")
    else:
        yield text(codes.SPACING_SOURCE, str(spacing.source))
        yield text(codes.SPACING_ROW, f"{spacing.row!r} mm")
        yield text(codes.SPACING_COLUMN, f"{spacing.column!r} mm")
        yield text(codes.MAGNIFICATION, repr(spacing.magnification))
        if spacing.note:
            yield text(codes.SPACING_NOTE, spacing.note)
    quality = reading.quality
    if quality is not None:
        yield coded(codes.IMAGE_TYPICAL, codes.TYPICALITY[not refused(reading)])
        if quality.score is not None:
            yield text(codes.TYPICAL_SCORE, repr(float(quality.score)))
        for reason in quality.reasons:
            yield text(codes.TYPICAL_REASON, reason)
    if reading.image.sha256:
        yield text(codes.PIXELS_SHA256, reading.image.sha256)


def _words(reading: Reading) -> Iterator:
    for warning in reading.warnings:
        yield text(codes.WARNING, warning)
    for cover, scale in reading.radius_scale.items():
        if cover in codes.RADIUS_SCALE:
            yield text(codes.RADIUS_SCALE[cover], repr(float(scale)))
    if reading.created:
        yield text(codes.CREATED, reading.created)
    if reading.notes:
        yield text(codes.NOTES, reading.notes)


__all__ = ["aac_groups", "crop_group", "grade_code", "number", "statements"]
