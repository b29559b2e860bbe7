"""Weighted kappa: the published figures, and what must hold of any two readers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertenet.evaluation.agreement.kappa import (
    kappa_and_error,
    kappa_of_table,
    kappa_statistic,
    kappa_table,
    weighted_kappa,
)

FOUR = [[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]
THREE = [[106, 10, 4], [22, 28, 10], [2, 12, 6]]
PRINTED = [
    (FOUR, "none", 0.12933, 0.06860),
    (FOUR, "linear", 0.23738, 0.07832),
    (FOUR, "quadratic", 0.33205, 0.09730),
    (THREE, "none", 0.42857, 0.05371),
    (THREE, "linear", 0.49231, 0.05072),
    (THREE, "quadratic", 0.56667, 0.05567),
]
WEIGHTS = st.sampled_from(["none", "linear", "quadratic"])
#: Two or three readers of 4 to 25 images, scores 0 to 6.
SCORES = st.integers(2, 3).flatmap(
    lambda readers: st.lists(
        st.lists(st.integers(0, 6), min_size=readers, max_size=readers), min_size=4, max_size=25
    ).map(lambda rows: np.array(rows).T)
)


def scores_of(table) -> np.ndarray:
    """(2, images) scores whose table this is."""
    table = np.asarray(table)
    pairs = [pair for pair in np.ndindex(table.shape) for _ in range(table[pair])]
    return np.array(pairs).T


@pytest.mark.parametrize(("table", "weights", "kappa", "error"), PRINTED)
def test_the_reference_tables_give_the_printed_digits(table, weights, kappa, error):
    assert [f"{value:.5f}" for value in kappa_of_table(table, weights)] == [f"{kappa:.5f}", f"{error:.5f}"]
    assert float(weighted_kappa(scores_of(table), weights)) == pytest.approx(kappa, abs=5e-6)


@pytest.mark.parametrize(("table", "weights", "kappa", "error"), PRINTED)
def test_the_standard_error_of_many_studies_at_once_is_the_printed_one(table, weights, kappa, error):
    scores = np.stack([scores_of(table)] * 3)
    values, errors = kappa_and_error([scores], len(table) - 1, weights)
    np.testing.assert_allclose(values, kappa, atol=5e-6)
    np.testing.assert_allclose(errors, error, atol=5e-6)


def test_the_table_spans_every_score_and_skipped_ones_keep_their_distance():
    first, second = np.array([0, 0, 2, 6, 6, 2]), np.array([0, 2, 2, 6, 2, 0])
    table = kappa_table(first, second, 6)
    assert table.shape == (7, 7)
    renumbered = table[np.ix_([0, 2, 6], [0, 2, 6])]
    full, narrow = kappa_of_table(table, "quadratic")[0], kappa_of_table(renumbered, "quadratic")[0]
    assert full == pytest.approx(float(weighted_kappa(np.stack([first, second]))))
    assert abs(full - narrow) > 0.05


@given(SCORES, WEIGHTS)
def test_kappa_does_not_know_which_reader_comes_first_nor_the_order_of_images_nor_the_direction_of_the_scale(
    s, weights
):
    value = weighted_kappa(s, weights)
    for same in (s[::-1], s[:, ::-1], 6 - s, np.repeat(s, 2, axis=1)):
        np.testing.assert_allclose(weighted_kappa(same, weights), value, atol=1e-12)


@given(SCORES, WEIGHTS)
def test_kappa_is_1_for_readers_who_agree_always_and_no_more_for_others(scores, weights):
    same = np.stack([scores[0]] * len(scores))
    value = float(weighted_kappa(same, weights))
    assert np.isnan(value) if len(set(scores[0])) == 1 else value == pytest.approx(1)
    assert not weighted_kappa(scores, weights) > 1 + 1e-12


@given(SCORES, WEIGHTS)
@settings(max_examples=40)
def test_the_fast_form_and_the_table_agree(scores, weights):
    pair = scores[:2]
    expected = kappa_of_table(kappa_table(*pair, 6), weights)
    value, error = kappa_and_error([pair[None]], 6, weights)
    np.testing.assert_allclose(weighted_kappa(pair, weights), expected[0], atol=1e-9)
    np.testing.assert_allclose([value[0], error[0]], expected, atol=1e-7)


def test_of_three_readers_kappa_is_the_mean_of_the_pairs_with_a_bootstrap_interval_alone():
    scores = np.random.default_rng(0).integers(0, 7, (3, 30))
    scores[1:, :20] = scores[0, :20]
    found = kappa_statistic(scores, 6, resamples=200)
    pairs = [kappa_of_table(kappa_table(scores[i], scores[j], 6))[0] for i, j in ((0, 1), (0, 2), (1, 2))]
    assert found.value == pytest.approx(np.mean(pairs))
    assert set(found.intervals) == {"BCa"}
    low, high = found.intervals["BCa"]
    assert low < found.value < high <= 1


def test_the_normal_interval_may_pass_1_and_the_clipped_one_ends_there():
    first = np.array([0] * 18 + [1, 2, 3, 4, 5, 6])
    second = np.array([0] * 18 + [1, 2, 3, 4, 5, 2])
    found = kappa_statistic(np.stack([first, second]), 6, resamples=300)
    reach = 1.959964 * found.standard_error
    assert found.intervals["normal"] == pytest.approx((found.value - reach, found.value + reach))
    assert found.intervals["normal"].high > 1
    assert found.intervals["clipped"] == (found.intervals["normal"].low, 1.0)
    assert found.intervals["BCa"].high <= 1


def test_where_chance_alone_would_always_agree_there_is_no_kappa_and_the_reason_is_given():
    found = kappa_statistic(np.zeros((2, 10)), 6, resamples=200)
    assert np.isnan(found.value)
    assert "same score" in found.note


def test_one_image_with_calcium_among_many_gives_no_bootstrap_interval_rather_than_a_wrong_one():
    scores = np.zeros((2, 20))
    scores[:, 3] = 5, 4
    found = kappa_statistic(scores, 6, resamples=500)
    assert np.isfinite(found.value)
    assert np.isnan(found.intervals["BCa"]).all()
    assert "resamples" in found.note


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ([[3], [3]], "one image"),
        ([[3], [0]], "one image"),
        ([[2] * 8, [2] * 8], "every reader gave every image the same score"),
        ([[2] * 8, [5] * 8], "each reader gave every image one score, and not all the same one"),
        ([[2] * 8, [0, 1, 2, 3, 4, 5, 6, 2]], "a reader gave every image the same score"),
        ([[0, 1, 2, 3, 4, 5, 6, 2], [1] * 8, [0, 1, 2, 3, 4, 5, 6, 2]], "a reader gave every image the same score"),
    ],
)
@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_where_a_reader_used_one_score_only_there_is_no_kappa_and_the_reason_is_given(scores, reason, weights):
    scores = np.array(scores)
    found = kappa_statistic(scores, 6, weights, resamples=100)
    assert np.isnan(found.value)
    assert (found.note, dict(found.intervals)) == (reason, {})
    assert np.isnan(weighted_kappa(scores, weights))
    pair = scores[:2]
    assert np.isnan(kappa_of_table(kappa_table(*pair, 6), weights)).all()
    assert np.isnan(kappa_and_error([pair[None]], 6, weights)).all()


def test_readers_who_agree_always_have_a_kappa_of_1_and_no_interval_of_no_width():
    found = kappa_statistic(np.array([[0, 1, 2, 3, 6, 6], [0, 1, 2, 3, 6, 6]]), 6, resamples=200)
    assert found.value == 1
    assert all(np.isnan(interval).all() for interval in found.intervals.values())
    assert "standard error is zero" in found.note
