"""Confusion counts with the labels right: the paper's Table 1, whose FP and FN columns are swapped as printed."""

from __future__ import annotations

import math

import pytest

from vertenet.evaluation.crop_study import Confusion
from vertenet.measure import CropState

#: Factor: what is printed under FP, FN, TP and TN, and the accuracy.
TABLE_1 = {
    0.8: (8, 0, 27, 35, 88.57),
    0.9: (3, 0, 32, 35, 95.71),
    1.0: (2, 0, 33, 35, 97.14),
    1.1: (1, 0, 34, 35, 98.57),
    1.2: (0, 0, 35, 35, 100.0),
    1.3: (0, 1, 35, 34, 98.57),
    1.4: (0, 3, 35, 32, 95.71),  # printed 95.74
    1.5: (0, 8, 35, 27, 88.57),
}


@pytest.mark.parametrize("factor", TABLE_1)
def test_only_with_the_two_columns_exchanged_does_every_row_hold_35_cropped_and_35_clear_images(factor):
    printed_fp, printed_fn, tp, tn, accuracy = TABLE_1[factor]
    counts = Confusion(tp, printed_fp, printed_fn, tn)
    assert (counts.cropped, counts.clear) == (35, 35)
    assert 100 * counts.accuracy.value == pytest.approx(accuracy, abs=0.005)
    as_printed = Confusion(tp, printed_fn, printed_fp, tn)
    assert factor == 1.2 or (as_printed.cropped, as_printed.clear) != (35, 35)


def test_a_small_factor_misses_cropped_aortas_and_a_large_one_calls_whole_ones_cropped():
    low, high = (Confusion(tp, fp, fn, tn) for fp, fn, tp, tn, _ in (TABLE_1[0.8], TABLE_1[1.5]))
    assert (low.sensitivity.value, low.specificity.value) == pytest.approx((27 / 35, 1))
    assert (high.sensitivity.value, high.specificity.value) == pytest.approx((1, 27 / 35))


def test_a_hundred_per_cent_of_70_is_no_less_than_95():
    low, high = Confusion(35, 0, 0, 35).accuracy.interval
    assert (low, high) == pytest.approx((0.948, 1.0), abs=5e-4)


def test_an_abstention_is_wrong_in_the_strict_figures_and_left_out_of_the_others():
    cropped, clear, unsure = CropState.CROPPED, CropState.CLEAR, CropState.NOT_ASSESSED
    answers = (
        [(True, cropped)] * 6 + [(True, clear)] + [(True, unsure)] * 3 + [(False, clear)] * 8 + [(False, unsure)] * 2
    )
    counts = Confusion.count(answers)
    assert counts == Confusion(6, 1, 0, 8, 3, 2)
    assert (counts.sensitivity.value, counts.specificity.value, counts.accuracy.value) == (0.6, 0.8, 0.7)
    assert (counts.answered_sensitivity.value, counts.answered_specificity.value) == (6 / 7, 1.0)
    assert counts.answered_accuracy.value == 14 / 15
    assert (counts.abstained.hits, counts.abstained.trials) == (5, 20)


def test_without_cropped_images_there_is_no_sensitivity():
    counts = Confusion.count([(False, CropState.CLEAR)])
    assert math.isnan(counts.sensitivity.value)
    assert math.isnan(counts.sensitivity.interval[0])
