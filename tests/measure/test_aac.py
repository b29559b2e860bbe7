"""AAC-24: what follows from eight grades, and what is left open where some are missing."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import aac_scores
from vertenet.errors import OptionError, SchemaError
from vertenet.measure import SEGMENTS, UNREADABLE, Aac24, Risk, Wall
from vertenet.measure.aac import CELLS, GRADES

full = aac_scores(st.sampled_from(GRADES))


def completions(score: Aac24):
    """Every score that the cells without a grade could still become, where at most three are open."""
    open_cells = [i for i, grade in enumerate(score.grades) if grade in (None, UNREADABLE)]
    for values in itertools.product(GRADES, repeat=len(open_cells)):
        grades = list(score.grades)
        for i, value in zip(open_cells, values):
            grades[i] = value
        yield Aac24(tuple(grades))


@st.composite
def nearly_full(draw):
    """Up to three cells without a grade."""
    score = draw(full)
    for level, wall in draw(st.lists(st.sampled_from(CELLS), max_size=3)):
        score = score.with_grade(level, wall, draw(st.sampled_from([None, UNREADABLE])))
    return score


def test_an_empty_score_says_nothing():
    score = Aac24()
    assert score.is_empty
    assert not score.is_complete
    assert (score.total, score.affected_segments, score.affected_walls, score.risk) == (None, None, None, None)
    assert score.bounds == (0, 24)
    assert score.unscored == CELLS


@given(full)
def test_sums_of_a_full_score(score):
    assert score.total == sum(score.grades)
    assert score.bounds == (score.total, score.total)
    assert sum(score.segment_total(segment) for segment in SEGMENTS) == score.total
    assert score.affected_walls == sum(grade > 0 for grade in score.grades)
    assert score.affected_segments == sum(score.segment_total(segment) > 0 for segment in SEGMENTS)
    assert score.is_complete


@pytest.mark.parametrize(
    ("total", "risk"),
    [(0, "low"), (1, "low"), (2, "moderate"), (5, "moderate"), (6, "high"), (24, "high")],
)
def test_risk_changes_from_2_and_from_6(total, risk):
    grades = tuple(min(3, max(0, total - 3 * i)) for i in range(8))
    assert Aac24(grades).total == total
    assert Aac24(grades).risk is Risk(risk)


@given(nearly_full())
def test_an_open_score_says_what_all_its_completions_share_and_no_more(score):
    possible = list(completions(score))
    totals = {other.total for other in possible}
    assert score.bounds == (min(totals), max(totals))
    assert score.total == (totals.pop() if len(totals) == 1 else None)
    for name in ("risk", "affected_segments"):
        values = {getattr(other, name) for other in possible}
        assert getattr(score, name) == (values.pop() if len(values) == 1 else None), name
    for segment in SEGMENTS:
        values = {other.segment_total(segment) for other in possible}
        assert score.segment_total(segment) == (values.pop() if len(values) == 1 else None)


def test_risk_is_given_where_the_bounds_decide_it():
    calcified = Aac24((3, 3, UNREADABLE, None, 0, 0, 0, 0))
    assert calcified.total is None
    assert calcified.risk is Risk.HIGH
    assert Aac24((0, 0, 0, 0, 0, 0, 0, UNREADABLE)).risk is None


def test_unreadable_is_an_answer_and_no_zero():
    score = Aac24((0,) * 7 + (UNREADABLE,))
    assert score.is_complete
    assert score.total is None
    assert score.unreadable == (("L4", "posterior"),)
    assert score.affected_segments is None


@given(aac_scores(), st.sampled_from(CELLS), st.sampled_from([*GRADES, None, UNREADABLE]))
def test_one_cell_changes_and_the_others_stay(score, cell, grade):
    other = score.with_grade(*cell, grade)
    assert other.grade(*cell) == grade
    assert all(other.grade(*c) == score.grade(*c) for c in CELLS if c != cell)
    assert other.with_grade(*cell, score.grade(*cell)) == score


@given(aac_scores())
def test_it_round_trips(score):
    assert Aac24.from_dict(score.to_dict()) == score


@pytest.mark.parametrize("grade", [-1, 4, 1.0, True, "2", "", [], float("nan")])
def test_what_is_no_grade_is_refused(grade):
    with pytest.raises(OptionError, match="L2 posterior"):
        Aac24().with_grade("L2", Wall.POSTERIOR, grade)
    data = Aac24().to_dict()
    data["grades"]["L2"]["posterior"] = grade
    with pytest.raises(SchemaError, match="L2 posterior"):
        Aac24.from_dict(data)


@pytest.mark.parametrize("cell", [("T12", "anterior"), ("L5", "anterior"), ("L1", "left"), ("", "")])
def test_there_is_no_other_cell(cell):
    with pytest.raises(OptionError, match="no cell"):
        Aac24().with_grade(*cell, 1)


def test_too_few_grades_and_wrong_sums_are_refused():
    with pytest.raises(OptionError, match="7 grades"):
        Aac24((0,) * 7)
    data = Aac24((0,) * 8).to_dict()
    with pytest.raises(SchemaError, match="total"):
        Aac24.from_dict({**data, "total": 5})
    with pytest.raises(SchemaError, match="no grade"):
        Aac24.from_dict({"grades": {"L1": {}}})
