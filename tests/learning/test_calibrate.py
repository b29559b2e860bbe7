"""Calibration of answers that are drawn around a known truth, and one real case through the shipped weights."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.strategies import SpineShape, corner_array
from vertenet.errors import OptionError
from vertenet.inference import Predictor
from vertenet.inference.calibration import Calibration
from vertenet.inference.decode import Candidate
from vertenet.inference.level_statistics import LevelStatistics
from vertenet.inference.views import Looks
from vertenet.learning.calibrate import Observed, calibrate, fit_thresholds, located, observe
from vertenet.learning.cases import phantom_cases
from vertenet.learning.coverage import coverage_table, crossfitted_radii, distances, level_risk
from vertenet.report.calibration_plots import draw_coverage, draw_level_risk, draw_sharpness, draw_typicality
from vertenet.spine import STANDARD_LEVELS, Corner, Spine, Status, Vertebra

SIZE = (1104, 402)


def answer(number: int) -> Observed:
    """An image whose corners were found with errors of a few pixels, more where the network is less sure."""
    rng = np.random.default_rng(number)
    corners = corner_array(SpineShape(SIZE, 0.15, 1.0, 0.0, 0.5, number))
    sure = rng.uniform(0.55, 0.9, 6)
    found = corners + rng.normal(size=corners.shape) * (4.0 * (1 - sure))[:, None, None]
    candidates = [
        Candidate(s, c.mean(axis=0), c, {level: 0.9 if level is name else 0.02 for level in STANDARD_LEVELS})
        for s, c, name in zip(sure, found, STANDARD_LEVELS)
    ]
    confidence = np.repeat(sure[:, None], 4, axis=1)
    features = rng.normal(size=24) + np.arange(24)
    return Observed(
        f"image-{number}",
        ("north", "south")[number % 2],
        SIZE,
        Spine.from_array(corners),
        Looks(candidates, 1.0),
        Spine.from_array(found, confidence=confidence),
        None,
        {},
        features,
        None if number % 2 else features + 6,
        20.0 if number % 2 else None,
    )


@cache
def observed() -> list[Observed]:
    return [answer(number) for number in range(160)]


@cache
def predictor() -> Predictor:
    return Predictor("vertenet-lite", calibrated=False, refine=False)


@cache
def calibration() -> Calibration:
    return calibrate(predictor(), [], observed(), data="drawn answers", synthetic_only=True)


def test_a_calibration_belongs_to_the_weights_that_answered():
    found = calibration()
    assert found.weights_sha256 == predictor().card.sha256
    assert found.refiner_sha256 is None
    assert found.refined is None
    assert found.data == "drawn answers"
    assert found.levels.pairs == LevelStatistics.default().pairs
    again = Calibration.from_dict(found.to_dict())
    assert {**again.to_dict(), "created": None} == {**found.to_dict(), "created": None}  # the time of writing


def test_radii_of_images_that_were_left_out_cover_what_they_claim():
    radii = crossfitted_radii(observed(), refined=False)
    (row,) = coverage_table(radii).to_dict("records")
    assert row["images"] == 160
    for coverage in (80, 90, 95):
        assert abs(row[f"{coverage} %"] - coverage) < 3
    by_scanner = coverage_table(crossfitted_radii(observed(), refined=False, by_scanner=True), "scanner")
    assert list(by_scanner["scanner"]) == ["north", "south"]
    assert (by_scanner["90 %"] > 85).all()


def test_a_vertebra_under_its_neighbours_name_takes_no_part():
    item = answer(0)
    shifted = replace(item, spine=item.spine.shifted(1))
    points, errors, images = located([item, shifted], refined=False)
    assert set(images) == {0}
    assert len(points) == len(errors) == 24


def test_a_corner_that_truth_does_not_show_takes_no_part():
    item = answer(1)
    l2 = item.truth["L2"]
    hidden = Vertebra("L2", {**l2.points, "SA": Corner(*l2["SA"].xy, status=Status.UNEVALUABLE)})
    truth = Spine(tuple(hidden if v.level == "L2" else v for v in item.truth))
    assert len(located([replace(item, truth=truth)], refined=False)[0]) == 23


def test_a_threshold_that_cannot_be_had_is_the_default_one_and_said_so():
    # Levels one off, with as much evidence as ever: no margin tells these from right ones.
    wrong = [replace(item, truth=item.truth.shifted(1)) for item in observed()[:40]]
    statistics, note = fit_thresholds(wrong, LevelStatistics.default())
    assert statistics == LevelStatistics.default()
    assert "default" in note


def test_too_few_images_are_said_to_be_too_few():
    with pytest.raises(OptionError, match="too few"):
        calibrate(predictor(), [], observed()[:20], data="", synthetic_only=True)


def test_a_phantom_is_observed_facing_right_in_its_own_pixels():
    (case,) = phantom_cases(1, difficulty="default", first_seed=850_001)
    even, odd = (observe(predictor(), case, odd=wanted) for wanted in (False, True))
    assert even.truth.anterior == "right"
    assert even.facing is None
    assert even.inverted.shape == even.features.shape
    assert odd.inverted is None
    assert odd.facing > 5
    np.testing.assert_array_equal(even.features, odd.features)
    points, errors, _ = located([even], refined=False)
    assert len(points) > 12
    assert np.median(errors) < 8


def test_plots_are_drawn(tmp_path):
    radii = crossfitted_radii(observed(), refined=False)
    draw_coverage(radii, tmp_path / "coverage.png", "coverage")
    draw_sharpness(radii, tmp_path / "sharpness.png", "sharpness")
    draw_level_risk(level_risk(observed(), calibration().levels), tmp_path / "levels.png", "levels")
    typicality = calibration().typicality
    draw_typicality(distances(observed(), typicality), typicality.limit, tmp_path / "typical.png", "typical")
    for path in tmp_path.iterdir():
        assert path.read_bytes()[:4] == b"\x89PNG"
    assert len(list(tmp_path.iterdir())) == 4
