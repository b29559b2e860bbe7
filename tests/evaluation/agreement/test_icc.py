"""Intraclass correlation: the example of Shrout and Fleiss, and what the forms are there to tell apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertenet.evaluation.agreement.icc import FORMS, icc, icc_statistic

#: Shrout and Fleiss 1979, table 2: four judges (rows) on six targets.
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]).T
#: Value, and the 95 % interval that the R package psych prints for this table.
PRINTED = {
    "ICC1": (0.1657, -0.133, 0.723),
    "ICC2": (0.2898, 0.019, 0.761),
    "ICC3": (0.7148, 0.342, 0.946),
    "ICC1k": (0.4428, -0.884, 0.912),
    "ICC2k": (0.6201, 0.071, 0.927),
    "ICC3k": (0.9093, 0.676, 0.986),
}
MATRICES = st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=5, max_size=20).map(lambda rows: np.array(rows).T)


@pytest.mark.parametrize("form", FORMS)
def test_the_example_of_shrout_and_fleiss_gives_the_printed_digits(form):
    found = icc_statistic(JUDGES, form)
    value, low, high = PRINTED[form]
    assert f"{found.value:.4f}" == f"{value:.4f}"
    assert found.intervals["F"] == pytest.approx((low, high), abs=6e-4)


@given(MATRICES)
def test_the_order_of_readers_and_of_images_does_not_matter(scores):
    for form in FORMS:
        value = icc(scores, form)
        np.testing.assert_allclose(icc(scores[::-1, ::-1], form), value, atol=1e-9)


@given(MATRICES)
def test_only_consistency_forgives_a_reader_who_always_scores_higher(scores):
    harsher = scores + np.array([[0], [0], [3]])
    np.testing.assert_allclose(icc(harsher, "ICC3"), icc(scores, "ICC3"), atol=1e-9)
    fair = scores - scores.mean(axis=1, keepdims=True)
    assert not icc(fair + np.array([[0], [0], [3]]), "ICC2") > icc(fair, "ICC2") + 1e-9 or icc(fair, "ICC2") < 0


def test_readers_who_agree_always_have_1_and_no_interval():
    found = icc_statistic(np.array([[0, 1, 2, 5]] * 3), "ICC2")
    assert found.value == pytest.approx(1)
    assert np.isnan(found.intervals["F"]).all()
    assert "residual" in found.note


def test_of_one_score_everywhere_there_is_no_icc():
    assert np.isnan(icc_statistic(np.full((2, 8), 3.0)).value)


def test_the_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        scores = rng.standard_normal(25) + 0.5 * rng.standard_normal((3, 1)) + 0.7 * rng.standard_normal((3, 25))
        low, high = icc_statistic(scores, "ICC3").intervals["F"]
        hits += low < 1 / (1 + 0.49) < high
    assert 0.92 <= hits / 400 <= 0.98


def test_two_readers_of_one_score_each_have_no_icc_and_the_reason_is_true():
    for scores, reason in (
        ([[1] * 6, [4] * 6], "each reader gave every image one score, and not all the same one"),
        ([[4] * 6, [4] * 6], "every reader gave every image the same score"),
    ):
        for form in FORMS:
            found = icc_statistic(np.array(scores), form)
            assert np.isnan(found.value)
            assert found.note == reason
