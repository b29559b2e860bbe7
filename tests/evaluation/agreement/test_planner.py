"""The planner: published examples of the closed forms, and simulated plans that keep what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertenet.errors import OptionError
from vertenet.evaluation.agreement import planner
from vertenet.evaluation.agreement.kappa import kappa_of_table
from vertenet.evaluation.agreement.ordinal_model import ASSUMED_SHARES, OrdinalModel, model_with_kappa


def test_bonetts_own_example_of_the_icc():
    # Bonett 2002: three ratings, ICC 0.8, width 0.2.
    assert planner.plan_icc_width(0.8, 0.2, readers=3).images == 36


@pytest.mark.parametrize(("r", "width"), [(0.8, 0.2), (0.9, 0.1), (0.0, 0.5), (-0.5, 0.3)])
def test_a_plan_for_a_correlation_is_just_enough(r, width):
    images = planner.plan_correlation_width(r, width).images
    assert planner._fisher_width(r, images, 0.95) <= width < planner._fisher_width(r, images - 1, 0.95)


@given(st.floats(0.05, 0.95), st.sampled_from(["linear", "quadratic"]))
@settings(max_examples=20, deadline=None)
def test_the_model_has_the_kappa_it_was_asked_for_and_the_shares(kappa, weights):
    model = model_with_kappa(kappa, weights=weights)
    table = model.table()
    assert kappa_of_table(table, weights)[0] == pytest.approx(kappa, abs=1e-4)
    np.testing.assert_allclose(table.sum(axis=0), ASSUMED_SHARES, atol=1e-5)
    np.testing.assert_allclose(table, table.T)


def test_drawn_scores_follow_the_models_table():
    model = OrdinalModel(ASSUMED_SHARES, 0.8)
    rng = np.random.default_rng(0)
    scores = model.draw(rng.standard_normal(40_000), rng.standard_normal((2, 40_000)))
    drawn = np.histogram2d(*scores, bins=np.arange(8) - 0.5)[0] / 40_000
    np.testing.assert_allclose(drawn, model.table(), atol=0.01)


def test_the_number_is_near_the_asymptotic_one_and_the_same_every_time():
    model = model_with_kappa(0.7)
    per_image = kappa_of_table(model.table())[1]
    asymptotic = (2 * 1.96 * per_image / 0.3) ** 2
    plan, again = (planner.plan_kappa_width(0.7, 0.3, assurance=0.5, simulations=400) for _ in range(2))
    assert plan == again
    assert plan.images == pytest.approx(asymptotic, rel=0.15)
    assert plan.mean_width == pytest.approx(0.3, abs=0.02)
    assert 0.88 <= plan.coverage <= 0.99


def test_narrower_surer_and_fewer_readers_take_more_images():
    def images(width=0.3, assurance=0.5, readers=2):
        found = planner.plan_kappa_width(0.7, width, assurance=assurance, readers=readers, simulations=200)
        return found.images

    usual = images()
    assert images(width=0.2) > usual
    assert images(assurance=0.9) > usual
    assert images(readers=3) < usual


def test_a_larger_difference_and_a_memory_of_the_first_reading_take_fewer_images():
    def images(kappa_with, carry_over=0.0):
        return planner.plan_kappa_difference(0.5, kappa_with, carry_over=carry_over, simulations=300).images

    usual = images(0.75)
    assert images(0.9) < usual
    assert images(0.75, carry_over=0.7) < usual


def test_without_a_difference_the_test_finds_one_as_seldom_as_it_says():
    models = [model_with_kappa(0.7)] * 2
    found, error = planner._simulated(models, 100, 2, "quadratic", 1000, 0, 0.0)
    assert 0.02 <= (np.abs(found) > 1.96 * error).mean() <= 0.09


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: planner.plan_kappa_width(1.0, 0.2), "between 0 and 1"),
        (lambda: planner.plan_kappa_width(0.7, 0.0), "width is 0.0"),
        (lambda: planner.plan_kappa_width(0.7, 0.002, simulations=100), "more than 5000"),
        (lambda: planner.plan_kappa_width(0.7, 0.2, shares=(1.0, 0.0)), "shares"),
        (lambda: planner.plan_kappa_difference(0.7, 0.7), "no difference"),
        (lambda: planner.plan_kappa_difference(0.6, 0.7, carry_over=2), "carry-over"),
        (lambda: planner.plan_icc_width(1.0, 0.2), "below 1"),
        (lambda: planner.plan_icc_width(0.8, 0.2, readers=1), "needs two"),
        (lambda: planner.plan_correlation_width(1.0, 0.2), "between -1 and 1"),
    ],
)
def test_what_cannot_be_planned_is_said(ask, said):
    with pytest.raises(OptionError, match=said):
        ask()
