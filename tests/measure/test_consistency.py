"""Landmarks that contradict themselves: nothing is measured from them, whoever asks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.evaluation.spines import boxes
from vertenet.assess import assess, landmark_warnings
from vertenet.measure import CropState, detect_crop
from vertenet.radiograph import Radiograph
from vertenet.spine import Level, Spine

IMAGE = Radiograph(np.full((512, 256), 128, np.float32), anterior="right")
SENTENCE = "L3-SA and L3-SP seem to be swapped"


def crossed() -> Spine:
    l3 = boxes()["L3"]
    swapped = replace(l3, points={**l3.points, "SA": l3["SP"], "SP": l3["SA"]})
    return Spine(tuple(swapped if v is l3 or v.level == "L3" else v for v in boxes()))


def test_a_reading_measures_nothing_from_a_crossed_vertebra_and_says_why():
    whole, reading = assess(IMAGE, boxes()), assess(IMAGE, crossed())
    assert whole.crop.state is CropState.CLEAR
    assert len(whole.guides) == 13
    assert reading.crop.state is CropState.NOT_ASSESSED
    assert reading.crop.reason == f"the landmarks contradict each other ({SENTENCE})"
    assert SENTENCE in reading.warnings
    assert set(reading.guides) == {"T12/L1", "L1 1/3", "L1 2/3", "L1/L2", "L4/L5"}
    assert reading.morphometry.vertebrae[Level.L3].reason == "its corners contradict each other"
    assert reading.spine == crossed(), "the landmarks stay as they were given"
    for level in (Level.L1, Level.L5):
        assert reading.morphometry.vertebrae[level] == whole.morphometry.vertebrae[level]


def test_a_sound_spine_is_measured_as_it_is():
    reading = assess(IMAGE, boxes())
    assert reading.crop == detect_crop(IMAGE, boxes())
    assert not any("swapped" in warning for warning in reading.warnings)


def test_what_cannot_be_is_among_the_warnings_that_go_when_the_landmarks_are_mended():
    assert SENTENCE in landmark_warnings(IMAGE, crossed())
    assert SENTENCE not in landmark_warnings(IMAGE, boxes())
