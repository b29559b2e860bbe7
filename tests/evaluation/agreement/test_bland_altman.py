"""Bland and Altman's own example (Lancet 1986): peak flow by two meters."""

from __future__ import annotations

import numpy as np
import pytest

from vertenet.evaluation.agreement.bland_altman import bland_altman, shares

LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_the_published_example_gives_the_published_limits():
    found = bland_altman(np.array([LARGE, MINI]))
    assert found["bias"].value == pytest.approx(-2.1, abs=0.05)
    assert found["bias"].intervals["t"] == pytest.approx((-22.0, 17.8), abs=0.15)
    # They rounded 1.96 to 2.
    assert found["limit-low"].value == pytest.approx(-2.1 - 1.96 * 38.8, abs=0.1)
    assert found["limit-high"].value == pytest.approx(-2.1 + 1.96 * 38.8, abs=0.1)


def test_limits_are_known_less_well_than_the_bias():
    found = bland_altman(np.array([LARGE, MINI]))
    width = {name: np.diff(statistic.intervals["t"])[0] for name, statistic in found.items()}
    assert width["limit-low"] == pytest.approx(width["limit-high"])
    assert width["limit-low"] / width["bias"] == pytest.approx(np.sqrt(3), abs=0.06)


def test_exact_and_within_one_are_counted_over_all_readers():
    scores = np.array([[0, 1, 2, 3], [0, 2, 2, 5], [0, 1, 3, 4]])
    found = shares(scores)
    assert (found["exact"].value, found["within-one"].value) == (0.25, 0.75)
    assert found["exact"].intervals["Wilson"] == pytest.approx((0.0456, 0.6994), abs=1e-4)
