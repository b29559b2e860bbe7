"""Statistics of neighbours from truth, and thresholds from decisions whose rightness is known."""

from dataclasses import replace

import numpy as np
import pytest

from vertenet.errors import AnnotationError, OptionError
from vertenet.inference.level_statistics import LevelStatistics
from vertenet.inference.levels import LevelDecision, LevelPath
from vertenet.learning.cases import Case
from vertenet.learning.level_statistics import abstention, calibrate_thresholds, fit_level_statistics, fit_temperature
from vertenet.phantom.anatomy import sample_column
from vertenet.phantom.switches import Switches
from vertenet.spine import LADDER, Level, Spine, Transition

FOUR = tuple(level for level in LADDER if level is not Level.L5)


def case(number, levels, rng, transition=Transition.UNKNOWN):
    """A column of equal bodies with known scatter: spacing 1.0 (SD .1), each 5 degrees further back (SD 2)."""
    centre, tilt, corners = np.array([300.0, 200.0]), 10.0, []
    for _ in levels:
        turn, size = np.radians(tilt), 100 * np.exp(rng.normal(0, 0.03))
        body = np.array([[50, -35], [-50, -35], [50, 35], [-50, 35]]) * size / 100
        corners.append(body @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) + centre)
        centre = centre + np.array([0, rng.normal(100, 10)])
        tilt -= rng.normal(5, 2)
    spine = Spine.from_array(np.array(corners), levels, transition=transition)
    return Case(str(number), str(number), "any", spine, spine, lambda: pytest.fail("no pixels are needed"))


def decision(margin, supported=True):
    path = LevelPath(((0, Level.L1),), 0.0)
    statistics = LevelStatistics.default()
    certain = supported and margin >= statistics.certain_margin
    return LevelDecision(path, None if np.isinf(margin) else path, margin, True, supported, certain)


def test_the_scatter_that_was_drawn_is_found_again():
    rng = np.random.default_rng(0)
    found = fit_level_statistics([case(i, LADDER, rng) for i in range(400)])
    for pair in zip(LADDER, LADDER[1:]):
        spread = np.sqrt(np.diag(found.pairs[pair].covariance))
        assert (np.abs(np.subtract(found.pairs[pair].mean, [1.0, -5.0, 0.0])) < [0.02, 0.4, 0.01]).all()
        np.testing.assert_allclose(spread, [0.1, 2.0, 0.03 * np.sqrt(2)], rtol=0.15)
    # Independent steps add up; of two ratios of size in a row the middle one falls out.
    np.testing.assert_allclose(found.gap_spread, [1.0, 1.0, np.sqrt(0.5)], rtol=0.08)


def test_spines_that_face_left_give_the_same_statistics():
    cases = [case(i, LADDER, np.random.default_rng(i)) for i in range(40)]
    turned = [replace(c, anatomy=c.anatomy.mirrored(512)) for c in cases]
    right, left = fit_level_statistics(cases), fit_level_statistics(turned)
    np.testing.assert_allclose(right.gap_spread, left.gap_spread)
    for pair, found in right.pairs.items():
        np.testing.assert_allclose(found.mean, left.pairs[pair].mean, atol=1e-9)


def test_l4_touches_s1_only_in_patients_said_to_have_four_lumbar_vertebrae():
    rng = np.random.default_rng(1)
    usual = LevelStatistics.default().pairs[Level.L4, Level.S1]
    unsaid = fit_level_statistics([case(i, FOUR, rng) for i in range(40)])
    assert unsaid.pairs[Level.L4, Level.S1] == usual  # an L5 that nobody marked lies between
    said = fit_level_statistics([case(i, FOUR, rng, Transition.SACRALISED_L5) for i in range(40)])
    assert said.pairs[Level.L4, Level.S1].mean[1] == pytest.approx(-5, abs=1)


def test_too_few_spines_teach_nothing_and_say_so():
    with pytest.raises(AnnotationError, match="30 times"):
        fit_level_statistics([case(i, LADDER, np.random.default_rng(i)) for i in range(5)])


def test_phantom_columns_agree_with_the_shipped_statistics():
    cases = []
    for seed in range(700_000, 700_120):
        bodies = [body for body in sample_column(seed, Switches()).bodies if body.name in Level.__members__]
        corners = np.array([[body.sa, body.sp, body.ia, body.ip] for body in bodies])
        spine = Spine.from_array(corners, [body.name for body in bodies], transition=Transition.NONE)
        cases.append(Case(str(seed), str(seed), "any", spine, spine, lambda: pytest.fail("no pixels are needed")))
    found, shipped = fit_level_statistics(cases), LevelStatistics.default()
    for pair in zip(LADDER, LADDER[1:]):
        spread = np.sqrt(np.diag(shipped.pairs[pair].covariance))
        assert np.abs(np.subtract(found.pairs[pair].mean, shipped.pairs[pair].mean) / spread).max() < 0.5


def test_the_threshold_is_the_lowest_whose_bound_holds():
    # 300 right ones with large margins, and below a margin of 2 every other one is wrong.
    margins = [*np.linspace(2, 9, 300), *np.linspace(0, 1.9, 40)]
    right = [True] * 300 + [i % 2 == 0 for i in range(40)]
    found = calibrate_thresholds([decision(m) for m in margins], right, accuracy=0.97, confidence=0.95)
    scale = found.temperature
    # Of 300 + k certain ones w are wrong; the bound allows 3 of some 305 and no more.
    certain = [m / scale >= found.certain_margin - 1e-9 for m in margins]
    wrong = sum(c and not ok for c, ok in zip(certain, right))
    assert 300 <= sum(certain) <= 312
    assert 0 < wrong <= 4


def test_the_bound_is_that_of_clopper_and_pearson():
    # The rule of three: none wrong among 300 leaves 1 % at 95 % confidence; 3 of 100 leave 7.57 %.
    assert abstention([decision(9.0)] * 300, [True] * 300, 0.95).bound == pytest.approx(0.00994, abs=5e-5)
    told = abstention([decision(9.0)] * 100 + [decision(1.0)] * 25, [False] * 3 + [True] * 122, 0.95)
    assert (told.images, told.certain, told.wrong) == (125, 100, 3)
    assert told.abstained == pytest.approx(0.2)
    assert told.bound == pytest.approx(0.0757, abs=5e-4)


def test_what_is_not_supported_stays_uncertain_whatever_its_margin():
    decisions = [decision(9.0)] * 200 + [decision(50.0, supported=False)] * 50
    found = calibrate_thresholds(decisions, [True] * 200 + [False] * 50, accuracy=0.97)
    assert found.certain_margin * found.temperature < 9.0 + 1e-6


def test_a_naming_with_a_rival_at_its_heels_is_not_certain_even_if_none_went_wrong():
    found = calibrate_thresholds([decision(m) for m in np.linspace(0, 9, 300)], [True] * 300)
    assert found.certain_margin * found.temperature == pytest.approx(1.0)


@pytest.mark.parametrize("number", [0, 20])
def test_too_few_images_reach_no_accuracy(number):
    with pytest.raises(OptionError, match="Give more images"):
        calibrate_thresholds([decision(9.0)] * number, [True] * number)


@pytest.mark.parametrize("truth", [0.5, 1.0, 3.0])
def test_the_temperature_makes_margins_log_odds(truth):
    rng = np.random.default_rng(2)
    log_odds = rng.uniform(0, 4, 4000)
    right = rng.uniform(size=4000) < 1 / (1 + np.exp(-log_odds))
    assert fit_temperature([decision(m) for m in log_odds * truth], right) == pytest.approx(truth, rel=0.12)


def test_the_temperature_of_many_calibrations_does_not_run_away():
    margins, right = [0.5, 1.0, 2.0, 4.0, 6.0] * 60, [False, True, True, True, True] * 60
    once = calibrate_thresholds([decision(m) for m in margins], right, accuracy=0.9)
    again = calibrate_thresholds([decision(m / once.temperature) for m in margins], right, once, accuracy=0.9)
    assert again.temperature == pytest.approx(once.temperature, rel=1e-3)
    assert again.certain_margin == pytest.approx(once.certain_margin, rel=1e-3)
