"""Measurement groups of the vertebrae: a point a corner, and what was measured between them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydicom.dataset import Dataset

from ...annotation import dicom_codes as codes
from ...measure import VertebraMorphometry
from ...measure.endplates import L1_L5, T12_S1
from ...reading import Reading
from ...spine import Corner, CornerName, Level, Vertebra
from ..words import genant_words
from .items import answer, group, measured, site, text

_HEIGHT_ENDS = {"anterior": ("SA", "IA"), "middle": ("SM", "IM"), "posterior": ("SP", "IP")}
_SIDE = {"A": codes.ANTERIOR, "P": codes.POSTERIOR, "M": None}


def corner_groups(reading: Reading, image: Dataset) -> Iterator:
    """A group a located point (TID 1410)."""
    for vertebra in reading.spine:
        for name, corner in vertebra.points.items():
            if corner.is_present:
                yield _corner_group(reading, image, vertebra.level, name, corner)


def vertebra_groups(reading: Reading, image: Dataset) -> Iterator:
    """A group a vertebra that has a height: heights, ratios, suggested grade and its basis, confidence of its level."""
    measured_levels = {} if reading.morphometry is None else reading.morphometry.vertebrae
    for vertebra in reading.spine:
        found = measured_levels.get(vertebra.level)
        numbers = [] if found is None else list(_heights(vertebra, found, image))
        if not numbers:
            continue
        if vertebra.confidence is not None:
            numbers.append(measured(codes.CONFIDENCE, vertebra.confidence, codes.NO_UNIT))
        yield group(
            reading,
            image,
            shown_level(reading, vertebra.level),
            codes.VERTEBRAL_BODY,
            [_site(reading, vertebra.level)],
            numbers,
            [*_suggestion(reading, vertebra.level), *_grade(found)],
            [text(codes.BASIS, genant_words(found))],
        )


def lordosis_groups(reading: Reading, image: Dataset) -> Iterator:
    """The angles with the endplates that they are of; none where neither could be measured, or levels not be
    confirmed: the name of the angle is two of them."""
    if reading.morphometry is None or not reading.levels.certain:
        return
    numbers, texts = [], []
    for (name, angle), ends in zip(reading.morphometry.lordosis.angles.items(), (L1_L5, T12_S1)):
        if angle.degrees is None:
            texts.append(text(codes.BASIS, f"{name} not measurable: {angle.reason}"))
            continue
        lines = [reading.spine[level].to_array(corners) for level, corners in ends]
        numbers.append(measured(codes.LORDOSES[name], angle.degrees, codes.DEGREES, lines, image))
    if numbers:
        yield group(reading, image, "lordosis", codes.LORDOSIS, [site(codes.SPINE)], numbers, (), texts)


def shown_level(reading: Reading, level: Level) -> str:
    """The level's name, with a question mark where it could not be confirmed."""
    return str(level) if reading.levels.certain else f"{level}?"


def _site(reading: Reading, level: Level, modifier=None):
    """The vertebra by its level where that is sure; any vertebra where it is not."""
    return site(codes.LEVELS[level] if reading.levels.certain else codes.VERTEBRA, modifier)


def _suggestion(reading: Reading, level: Level) -> list:
    return [] if reading.levels.certain else [answer(codes.SUGGESTED_LEVEL, codes.LEVELS[level])]


def _corner_group(reading: Reading, image: Dataset, level: Level, name: CornerName, corner: Corner):
    # OHIF 3.13 makes a probe of a point only if each number of its group has the point too.
    at = [corner.xy[None]]
    numbers = [
        measured(code, value, unit, at, image)
        for code, value, unit in (
            (codes.CONFIDENCE, corner.confidence, codes.NO_UNIT),
            (codes.RADIUS, corner.radius, codes.PIXELS),
        )
        if value is not None
    ]
    return group(
        reading,
        image,
        f"{shown_level(reading, level)}-{name}",
        codes.CORNERS[name],
        [_site(reading, level, _SIDE[name.value[1]])],
        numbers,
        _suggestion(reading, level),
        point=corner.xy,
    )


def _heights(vertebra: Vertebra, found: VertebraMorphometry, image: Dataset) -> Iterator:
    heights, unit = (found.px, codes.PIXELS) if found.mm is None else (found.mm, codes.MILLIMETRES)
    for place, value in heights.to_dict().items():
        if value is not None:
            line = np.array([vertebra[end].xy for end in _HEIGHT_ENDS[place]])
            yield measured(codes.HEIGHTS[place], value, unit, [line], image)
    for code, ratio in ((codes.WEDGE, found.wedge), (codes.MID_WEDGE, found.mid_wedge), (codes.CRUSH, found.crush)):
        if ratio is not None:
            yield measured(code, ratio, codes.NO_UNIT)


def _grade(found: VertebraMorphometry) -> Iterator:
    if found.genant is None:
        yield answer(codes.GENANT, codes.GENANT_NONE)
        return
    yield answer(codes.GENANT, codes.GENANT_GRADES[found.genant.grade])
    if found.genant.deformity is not None:
        yield answer(codes.DEFORMITY, codes.DEFORMITIES[found.genant.deformity.value])
