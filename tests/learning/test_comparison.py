"""Two models on the same persons: what is counted, and how sure it is."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from tests.learning.observing import observed, spine
from vertenet.learning.comparison import LOST_PX, compare

PERSONS = [f"p{n}" for n in range(8)]


def test_the_exact_test_says_how_often_chance_does_as_well():
    wrong, right = [observed(renamed=True)] * 5, [observed()] * 5
    found = compare(wrong, right, PERSONS[:5])
    assert (found.named.served, found.named.candidate) == (0, 1)
    assert (found.named.better, found.named.worse) == (5, 0)
    assert found.named.p_better == pytest.approx(1 / 32)
    assert found.named.p_worse == 1
    back = compare(right, wrong, PERSONS[:5])
    assert (back.named.worse, back.named.p_worse) == (5, pytest.approx(1 / 32))


def test_models_alike_are_no_evidence_and_one_person_is_hardly_any():
    same = compare([observed()] * 4, [observed()] * 4, PERSONS[:4])
    assert (same.named.better, same.named.worse, same.named.p_better, same.named.p_worse) == (0, 0, 1, 1)
    one = compare([observed(renamed=True)], [observed()], PERSONS[:1])
    assert one.named.p_better == 0.5


def test_ten_images_of_one_person_are_one_witness():
    found = compare([observed(renamed=True)] * 10, [observed()] * 10, ["p"] * 10)
    assert (found.images, found.persons, found.named.better) == (10, 1, 1)
    assert found.named.p_better == 0.5


def test_corners_are_judged_whatever_the_names_say():
    # Every name one level too high, every corner where it is: nothing is lost but the uppermost or lowest body.
    served = compare([observed(renamed=True)] * 2, [observed(off_px=3)] * 2, PERSONS[:2]).corner_px
    assert 0 < served.served < LOST_PX / 5
    assert served.candidate == pytest.approx(3, abs=0.01)
    nothing = compare([observed()], [observed(empty=True)], PERSONS[:1])
    assert (nothing.corner_px.served, nothing.corner_px.candidate) == (0, LOST_PX)
    assert nothing.named.candidate == 0


def test_a_vertebra_that_is_only_partly_marked_is_judged_by_the_corners_that_are_there():
    corners = spine().to_array().copy()
    corners[-1, 2:] = np.nan
    item = replace(observed(off_px=2), truth=type(spine()).from_array(corners))
    found = compare([item], [item], PERSONS[:1])
    assert found.corner_px.served == pytest.approx(2, abs=0.01)
    assert found.named.served == 1
    assert all(np.isfinite(value) for value in asdict(found.named).values())


def test_it_is_told_in_one_sentence():
    found = compare([observed(renamed=True)] * 5, [observed()] * 5, PERSONS[:5])
    assert (
        "100.0% of the vertebrae rightly named (before 0.0%), better in 5 and worse in 0 of 5 persons" in found.told()
    )
    assert found.told().endswith("in 3.1% of the cases")
