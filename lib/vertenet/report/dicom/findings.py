"""The measurement group of the aorta, and the statements about the image and the reading as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from highdicom.sr import ContainerContentItem, ContentSequence
from pydicom.dataset import Dataset

from ...annotation import dicom_codes as codes
from ...measure.aac import CELLS, UNREADABLE, Grade
from ...reading import RESEARCH_USE, Reading
from ..measured import lordosis_words
from ..words import (
    UNCONFIRMED,
    aac_total_words,
    basis_words,
    crop_words,
    genant_words,
    levels_sentence,
    refused,
    unassessed_words,
)
from .identification import algorithm_texts, concept
from .items import CONTAINS, coded, group, measured, site, text
from .lines import inside, runs
from .vertebrae import shown_level


def crop_groups(reading: Reading, image: Dataset) -> Iterator:
    """Reach of the aortic corridor and how much of it is lost, with its front edge as far as the image holds it.

    None where no edge could be drawn: OHIF 3.13 shows no report at all that has a group without coordinates. What
    has none is said in `statements`.
    """
    crop = reading.crop
    edge, lost = (_drawn(runs(crop.edge, wanted), image) for wanted in (None, crop.lost))
    if not edge:
        return
    numbers = [measured(codes.CROP_FACTOR, crop.factor, codes.NO_UNIT, edge, image)]
    if crop.fraction:  # OHIF 3.13 shows a zero as nothing, and "clear" is said in words
        numbers.append(measured(codes.CROP_FRACTION, 100 * crop.fraction, codes.PERCENT))
    for value, unit in ((crop.extent_px, codes.PIXELS), (crop.extent_mm, codes.MILLIMETRES)):
        if value:
            numbers.append(measured(codes.CROP_EXTENT, value, unit, lost, image))
    texts = [text(codes.BASIS, crop_words(reading))]
    yield group(reading, image, "aortic corridor", codes.CORRIDOR, [site(codes.AORTA)], numbers, (), texts)


def _drawn(lines: Iterable[np.ndarray], image: Dataset) -> list[np.ndarray]:
    """Every tenth sample of a smooth edge is enough to draw it."""
    thinned = (np.vstack([line[:-1:10], line[-1:]]) for line in lines)
    return [part for line in thinned for part in inside(line, image.Columns, image.Rows)]


def grade_code(grade: Grade):
    if grade is None:
        return codes.AAC_UNSCORED
    return codes.AAC_UNREADABLE if grade == UNREADABLE else codes.AAC_GRADES[grade]


def statements(reading: Reading) -> ContainerContentItem:
    """The Qualitative Evaluations of TID 1500: use, how sure levels are, what was not looked at, spacing, warnings."""
    container = ContainerContentItem(concept(codes.QUALITATIVE_EVALUATIONS), relationship_type=CONTAINS)
    container.ContentSequence = ContentSequence(
        [*_naming(reading), *_points(reading), *_aorta(reading), *_image(reading), *_words(reading)]
    )
    return container


def _points(reading: Reading) -> Iterator:
    """What is known of the points that were not located, and of vertebrae that cannot be graded."""
    for vertebra in reading.spine:
        shown = shown_level(reading, vertebra.level)
        for name, corner in vertebra.points.items():
            if corner.is_present:
                continue
            question = codes.point_state(f"{shown}-{name}")
            yield coded(question, codes.STATUSES[corner.status])
            if corner.x is not None:  # a coordinate would be drawn, and beyond the image it is none
                yield text(question, f"{corner.x!r}, {corner.y!r}")
    if reading.morphometry is not None and not reading.levels.certain:
        yield text(codes.LORDOSIS, f"{lordosis_words(reading.morphometry.lordosis)}; {UNCONFIRMED}")
    basis = basis_words(reading)
    if basis is not None:
        yield text(codes.BASIS, basis)
    if reading.morphometry is not None:
        for level, found in reading.morphometry.vertebrae.items():
            if found.genant is None:
                yield text(codes.GENANT, f"{shown_level(reading, level)} {genant_words(found)}")


def _aorta(reading: Reading) -> Iterator:
    crop = reading.crop
    yield coded(codes.CROP, codes.CROP_STATES[crop.state.value])
    yield text(codes.CROP, crop_words(reading))
    yield text(codes.CROP_FACTOR, repr(float(crop.factor)))
    for name, value, unit in (
        (codes.CROP_FRACTION, crop.fraction, ""),
        (codes.CROP_EXTENT, crop.extent_px, " pixels"),
        (codes.CROP_EXTENT, crop.extent_mm, " mm"),
    ):
        if value is not None:
            yield text(name, f"{float(value)!r}{unit}")
    yield from (coded(codes.CROPPED_SEGMENT, _segment(reading, name)) for name in crop.segments)
    yield from (coded(codes.CROP_CAUSE, codes.CROP_CAUSES[cause]) for cause in crop.causes)
    if crop.reason:
        yield text(codes.CROP_REASON, crop.reason)
    score = reading.aac
    if score is None or score.is_empty:
        return
    for (segment, wall), grade in zip(CELLS, score.grades):
        yield coded(codes.aac_cell(segment.value, wall.value), grade_code(grade))
    yield text(codes.AAC, aac_total_words(score))


def _segment(reading: Reading, name: str):
    return codes.LEVELS[name] if reading.levels.certain else codes.unconfirmed(name)


def _naming(reading: Reading) -> Iterator:
    yield text(codes.USE, RESEARCH_USE)
    levels = reading.levels
    yield coded(codes.LEVEL_NAMING, codes.LEVELS_CONFIRMED if levels.certain else codes.LEVELS_UNCONFIRMED)
    yield text(codes.LEVEL_NAMING, levels_sentence(reading))
    yield text(codes.LIMITS, unassessed_words(reading))
    if all(vertebra.is_missing for vertebra in reading.spine):  # no group that would name the model
        yield from (text(code, value) for code, value in algorithm_texts(reading))
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
