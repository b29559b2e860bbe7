"""Correlation and Fisher's interval, against SciPy and against Table 2 of the VerteNet paper."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from vertenet.evaluation.agreement.correlation import correlation, correlation_statistic, fisher_interval

IMAGES = 32
#: (region, guides): r and its interval as printed in Table 2.
TABLE_2 = {
    ("L1", "without"): (0.82, 0.64, 0.91),
    ("L1", "with"): (0.94, 0.89, 0.97),
    ("L2", "without"): (0.88, 0.75, 0.94),
    ("L2", "with"): (0.90, 0.79, 0.95),
    ("L3", "without"): (0.83, 0.66, 0.92),
    ("L3", "with"): (0.84, 0.68, 0.92),
    ("L4", "without"): (0.91, 0.81, 0.96),
    ("L4", "with"): (0.94, 0.89, 0.97),
}
#: Rows whose printed interval is Fisher's of 32 images for some r that rounds to the printed one. In the others the
#: printed lower bound is 0.01 to 0.02 too low: as of about 28 images.
REPRODUCED = {("L1", "with"), ("L2", "with"), ("L4", "without"), ("L4", "with")}


def printable(r: float, images: int) -> list[set[str]]:
    """The two-digit lower and upper bounds that any r rounding to this one can have."""
    intervals = [fisher_interval(value, images) for value in np.linspace(r - 0.005, r + 0.0049999, 400)]
    return [{f"{interval[side]:.2f}" for interval in intervals} for side in (0, 1)]


@pytest.mark.parametrize("row", TABLE_2)
def test_which_fisher_intervals_of_the_papers_table_2_can_be_reproduced(row):
    r, low, high = TABLE_2[row]
    lows, highs = printable(r, IMAGES)
    assert f"{high:.2f}" in highs
    assert (f"{low:.2f}" in lows) == (row in REPRODUCED)


@pytest.mark.parametrize("row", sorted(set(TABLE_2) - REPRODUCED))
def test_the_other_rows_are_those_of_fewer_images(row):
    r, low, _ = TABLE_2[row]
    assert f"{low:.2f}" in printable(r, 28)[0]


def test_values_and_fishers_interval_are_those_of_scipy():
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 7, (2, 40))
    scores[1, :25] = scores[0, :25]
    found = correlation_statistic(scores, resamples=200)
    expected = stats.pearsonr(*scores)
    assert found.value == pytest.approx(expected.statistic)
    assert found.intervals["Fisher"] == pytest.approx(tuple(expected.confidence_interval()))
    assert float(correlation(scores, "spearman")) == pytest.approx(stats.spearmanr(*scores).statistic)


def test_the_bootstrap_interval_is_scipys_with_the_same_seed():
    rng = np.random.default_rng(2)
    scores = rng.standard_normal((2, 30))
    scores[1] += 2 * scores[0]
    ours = correlation_statistic(scores, resamples=500, seed=3).intervals["BCa"]
    theirs = stats.bootstrap(
        tuple(scores),
        lambda a, b, axis=-1: stats.pearsonr(a, b, axis=axis).statistic,
        paired=True,
        vectorized=True,
        n_resamples=500,
        method="BCa",
        random_state=np.random.default_rng(3),
    ).confidence_interval
    assert ours == pytest.approx(tuple(theirs))


def test_a_reader_with_one_score_has_no_correlation_and_perfect_ones_no_interval():
    assert np.isnan(correlation_statistic(np.array([[0, 1, 2, 3], [1, 1, 1, 1]])).value)
    perfect = correlation_statistic(np.array([[0, 1, 2, 3, 5], [0, 1, 2, 3, 5]]), resamples=100)
    assert perfect.value == pytest.approx(1)
    assert np.isnan(perfect.intervals["Fisher"]).all()
    assert np.isnan(perfect.intervals["BCa"]).all()
