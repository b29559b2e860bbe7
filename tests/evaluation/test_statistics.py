"""Intervals and tests against references: NumPy on expanded samples, SciPy, statsmodels, hand calculation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vertenet.evaluation.statistics import (
    bootstrap,
    holm,
    paired_bootstrap,
    resample_weights,
    weighted_statistic,
    wilson,
)


@settings(deadline=None)
@given(st.integers(1, 200), st.integers(1, 12), st.sampled_from([None, 0.0, 0.25, 0.5, 0.95, 1.0]), st.integers(0, 99))
def test_a_weighted_figure_is_that_of_the_sample_with_every_value_repeated(values, persons, quantile, seed):
    rng = np.random.default_rng(seed)
    numbers, owners = rng.normal(size=values).round(1), rng.integers(0, persons, values)
    weights = resample_weights(persons, 5, seed)
    found = weighted_statistic(numbers, owners, weights, quantile)
    for weight, figure in zip(weights, found):
        expanded = np.repeat(numbers, weight[owners])
        if len(expanded) == 0:
            assert np.isnan(figure)
        else:
            expected = expanded.mean() if quantile is None else np.quantile(expanded, quantile)
            assert figure == pytest.approx(expected, abs=1e-12)


def test_one_value_a_person_gives_the_interval_of_scipys_bootstrap():
    values = np.random.default_rng(0).gamma(2, size=80)
    ours = bootstrap(values, np.arange(80), resamples=9999)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(1)).confidence_interval
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=0.02)
    assert ours.value == pytest.approx(values.mean())


def test_the_interval_covers_the_truth_and_one_that_forgets_persons_does_not():
    rng = np.random.default_rng(3)
    covered, covered_without = 0, 0
    for trial in range(100):
        persons = np.repeat(np.arange(40), 6)
        values = np.repeat(rng.normal(size=40), 6) + 0.1 * rng.normal(size=240)
        found = bootstrap(values, persons, resamples=200, seed=trial)
        naive = bootstrap(values, np.arange(240), resamples=200, seed=trial)
        covered += found.low <= 0 <= found.high
        covered_without += naive.low <= 0 <= naive.high
    assert 0.87 <= covered / 100 <= 0.99
    assert covered_without / 100 < 0.75


def test_a_paired_difference_that_unpaired_noise_would_hide_is_found():
    rng = np.random.default_rng(4)
    hard = rng.gamma(2, 3, size=60)
    persons = np.arange(60)
    first, second = hard + 0.5 + 0.1 * rng.normal(size=60), hard
    found = paired_bootstrap((first, persons), (second, persons))
    assert found.value == pytest.approx((first - second).mean())
    assert 0.4 < found.low < 0.5 < found.high < 0.6
    assert found.p == pytest.approx(2 / 2001)
    shuffled = rng.permutation(60)
    unpaired = paired_bootstrap((first, persons), (second[shuffled], persons))
    assert unpaired.p > 0.2


def test_methods_that_do_not_differ_are_called_different_in_one_of_twenty():
    rng = np.random.default_rng(5)
    persons = np.arange(50)
    small = 0
    for trial in range(100):
        common = rng.normal(size=50)
        first, second = (common + rng.normal(size=50) for _ in range(2))
        small += paired_bootstrap((first, persons), (second, persons), resamples=200, seed=trial).p < 0.05
    assert small <= 12


def test_the_same_method_twice_differs_by_nothing():
    values, persons = np.arange(30.0), np.arange(30) // 2
    found = paired_bootstrap((values, persons), (values, persons), 0.5)
    assert (found.value, found.low, found.high, found.p, found.persons) == (0.0, 0.0, 0.0, 1.0, 15)


def test_persons_without_a_value_on_one_side_are_left_out():
    first = (np.array([1.0, np.nan, 3.0]), np.array(["a", "b", "c"]))
    second = (np.array([0.0, 1.0, 1.0]), np.array(["a", "b", "c"]))
    found = paired_bootstrap(first, second)
    assert found.value == pytest.approx(1.5)
    assert found.persons == 2


def test_too_few_persons_have_a_figure_and_no_interval():
    lonely = bootstrap(np.array([1.0, 3.0]), ["a", "a"])
    assert lonely.value == 2.0
    assert np.isnan([lonely.low, lonely.high]).all()
    nobody = bootstrap(np.array([np.nan]), ["a"])
    assert np.isnan(nobody.value)
    assert nobody.persons == 0
    assert np.isnan(paired_bootstrap((np.array([1.0]), ["a"]), (np.array([1.0]), ["b"])).value)


def test_holm_by_hand_with_an_unknown_p_left_out():
    # Sorted .01, .03, .04: times 3, 2, 1, never falling.
    assert holm([0.04, 0.01, np.nan, 0.03]) == pytest.approx([0.06, 0.03, np.nan, 0.06], nan_ok=True)
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert np.isnan(holm([np.nan])).all()


def test_wilson_by_hand():
    z, share = 1.959964, 0.9
    middle = (share + z**2 / 20) / (1 + z**2 / 10)
    half = z * np.sqrt(share * 0.1 / 10 + z**2 / 400) / (1 + z**2 / 10)
    assert wilson(9, 10) == pytest.approx((middle - half, middle + half), abs=1e-6)
    assert np.isnan(wilson(0, 0)).all()
