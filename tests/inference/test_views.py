"""The second look at images of an unusual field: where its windows lie, and how several looks become one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertenet.imaging.frame import Frame
from vertenet.inference import Predictor, views
from vertenet.inference.decode import Candidate
from vertenet.inference.spines import spine_of
from vertenet.inference.views import ABOVE, BELOW, BODIES, PROPORTION, Window, agreement, pooled, windows
from vertenet.phantom import generate
from vertenet.spine import STANDARD_LEVELS, Level, Transition

DEPTH = 30.0


def body(x: float, y: float, score: float = 0.9, **levels: float) -> Candidate:
    corners = np.array([[x - 15, y - 10], [x + 15, y - 10], [x - 15, y + 10], [x + 15, y + 10]])
    evidence = {level: levels.get(level.value, 0.0) for level in (*STANDARD_LEVELS, Level.S1)}
    return Candidate(score, np.array([x, y], float), corners, evidence)


def column(x: float, first: float, count: int = 7) -> list[Candidate]:
    return [body(x, first + 35 * k) for k in range(count)]


@given(
    x=st.floats(0, 900), first=st.floats(0, 1200), count=st.integers(1, 20), rows=st.integers(60, 1600),
    columns=st.integers(60, 1300),
)  # fmt: skip
def test_every_window_lies_in_the_image_and_shows_the_lowest_candidates_that_do(x, first, count, rows, columns):
    found = column(x, first, count)
    inside = [c.centre for c in found if 0 <= c.centre[0] < columns and 0 <= c.centre[1] < rows]
    for window in windows(found, (rows, columns)):
        assert 0 <= window.top < window.bottom <= rows
        assert 0 <= window.left < window.right <= columns
        assert all(window.shows(centre) for centre in inside[-min(BODIES) :] if len(inside) == len(found))


def test_in_a_long_field_windows_end_below_the_column_and_begin_above_its_fifth_to_seventh_body():
    found = column(500, 400, 16)
    made = windows(found, (2000, 1600))
    assert {round((w.bottom - found[-1].centre[1]) / DEPTH, 1) for w in made} == set(BELOW)
    assert {w.top for w in made} == {int(found[-count].centre[1] - ABOVE * DEPTH) for count in BODIES}
    assert {round((w.right - w.left) / (w.bottom - w.top), 2) for w in made} == {PROPORTION}


def test_a_faint_candidate_far_away_makes_no_window_and_two_bodies_make_none():
    found = column(500, 400)
    assert windows([*found, body(500, 1500, 0.2)], (2000, 1600)) == windows(found, (2000, 1600))
    assert windows(found[:2], (2000, 1600)) == ()


@given(x=st.floats(0, 500), y=st.floats(0, 500))
def test_a_point_of_a_window_is_that_pixel_of_the_image(x, y):
    pixels = np.arange(2000.0 * 1600).reshape(2000, 1600)
    window = windows(column(500, 400), pixels.shape)[0]
    column_, row = int(x) % (window.right - window.left), int(y) % (window.bottom - window.top)
    there = window.back(np.array([column_, row]))
    assert window.cut(pixels)[row, column_] == pixels[there[1], there[0]]


def test_looks_at_one_place_are_one_vertebra_with_the_mean_score_and_the_clearest_corners():
    clear, dim = body(100, 200, 0.9, L4=0.8, L5=0.1), body(104, 203, 0.3, L4=0.2, L5=0.7)
    (found,) = pooled([[dim], [clear], []])
    assert found.score == pytest.approx(0.4)
    np.testing.assert_array_equal(found.corners, clear.corners)
    assert found.level_scores[Level.L4] == pytest.approx((0.9 * 0.8 + 0.3 * 0.2) / 1.2)


def test_only_looks_that_name_say_which_level_a_body_is_and_a_body_they_do_not_show_may_be_any():
    thorax, lumbar = body(100, 200, 0.9, L1=0.9), body(100, 400, 0.9, L4=0.8)
    wrong = body(101, 400, 0.9, L5=0.9)
    above, below = pooled([[thorax, wrong], [lumbar]], naming=[False, True])
    assert len(set(above.level_scores.values())) == 1
    assert below.level_scores == pytest.approx(lumbar.level_scores)
    np.testing.assert_array_equal(below.centre, wrong.centre)


def test_neighbours_stay_apart_in_order_and_one_look_never_counts_twice_in_one_place():
    found = pooled([column(100, 200, 3), column(101, 202, 3)])
    assert [round(float(c.centre[1])) // 10 for c in found] == [20, 23, 27]
    twice = pooled([[body(100, 200, 0.8), body(103, 204, 0.6)]])
    assert [c.score for c in twice] == pytest.approx([0.8, 0.6])


def test_what_hardly_any_look_sees_is_no_candidate():
    assert pooled([[body(100, 200, 0.3)], [], [], []]) == []
    assert pooled([]) == []


def test_a_network_without_level_evidence_is_pooled_by_score_alone():
    found = pooled(
        [[replace(body(100, 200, 0.8), level_scores=None)], [replace(body(101, 200, 0.6), level_scores=None)]]
    )
    assert found[0].level_scores is None
    assert found[0].score == pytest.approx(0.7)


def test_a_window_that_does_not_show_a_place_says_nothing_about_it():
    whole, lower = Window(0, 1000, 0, 400), Window(500, 1000, 0, 400)
    above, below = pooled([[body(100, 200, 0.8), body(100, 700, 0.8)], []], [whole, lower])
    assert above.score == pytest.approx(0.8)
    assert below.score == pytest.approx(0.4)


def test_a_look_that_names_the_bodies_otherwise_than_the_pool_does_not_agree():
    names = ("T12", "L1", "L2", "L3", "L4", "L5", "S1")
    plain = [body(100, 200 + 35 * k, **{name: 0.8}) for k, name in enumerate(names)]
    shifted = [body(100, 200 + 35 * k, **{name: 0.8}) for k, name in enumerate(names[1:])]
    assert agreement(plain, [plain, plain, plain[:4]], 600, None) == 1.0
    assert agreement(plain, [plain, shifted], 600, None) == 0.5
    assert agreement([], [[], []], 600, None) == 1.0


@pytest.fixture(scope="module")
def starter():
    return Predictor("vertenet-lite")


def in_a_wide_field(seed: int):
    """A densitometer phantom in the middle of a field 2.2 times as wide, as films have them, and where it went."""
    image, truth = generate(seed, "hologic-horizon", "easy", crop=None, anterior="right", lstv=Transition.NONE)
    side = int(0.6 * image.columns)
    pixels = np.pad(image.pixels, ((0, 0), (side, side)), mode="edge")
    return replace(image, pixels=pixels), truth.spine.map_points(lambda xy: np.add(xy, (side, 0)))


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_windows_bring_a_squeezed_spine_back_into_place(starter, seed):
    image, truth = in_a_wide_field(seed)
    found = spine_of(starter.looks(image, starter.maps(image)).candidates, image.pixels.shape)
    frame = Frame(image.pixels.shape)
    spine, expected = (frame.from_source(s.to_array(STANDARD_LEVELS)[:, :4]) for s in (found[0], truth))
    assert np.nanmax(np.abs(spine - expected)) < 12
    assert np.nanmedian(np.abs(spine - expected)) < 3


def test_an_image_whose_looks_disagree_is_never_certain(starter, monkeypatch):
    plain, _ = generate(25, "hologic-horizon", "easy")
    assert starter(plain).levels.certain
    monkeypatch.setattr(views, "agreement", lambda *arguments: 0.6)
    assert not starter(plain).levels.certain
