"""Corner order is recovered from geometry, and refused where it is not clear."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import corner_array, plain_spines, shapes
from vertenet.annotation.order import recover
from vertenet.errors import AnnotationError
from vertenet.measure.consistency import check, infer_anterior
from vertenet.spine import CORNERS, Corner, Level, Spine, Status, Vertebra

SA, SP, IA, IP = range(4)


def shuffled(corners: np.ndarray, seed: int = 0) -> np.ndarray:
    return corners.reshape(-1, 2)[np.random.default_rng(seed).permutation(corners.size // 2)]


def crushed(corners: np.ndarray) -> np.ndarray:
    """L3 with 60 % of its anterior height lost."""
    corners[3, SA] = corners[3, IA] + 0.4 * (corners[3, SA] - corners[3, IA])
    return corners


def collapsed(corners: np.ndarray) -> np.ndarray:
    """The L2/L3 disc with 85 % of its least height lost."""
    nearest = np.linalg.norm(corners[3, :2] - corners[2, 2:], axis=1).argmin()
    corners[3:] -= 0.85 * (corners[3, nearest] - corners[2, 2 + nearest])
    return corners


def assert_right_or_refused(clicked: np.ndarray, corners: np.ndarray) -> None:
    # An extreme shape may look like a slip of the hand; what may not happen is another name without a word.
    try:
        found = recover(clicked, "right", "f")
    except AnnotationError:
        return
    np.testing.assert_array_equal(found, corners)


@given(spine=plain_spines(), order=st.permutations(range(24)))
@settings(max_examples=150, deadline=None)
def test_any_permutation_of_the_points_gives_the_same_corners(spine, order):
    corners = spine.to_array()
    np.testing.assert_array_equal(recover(corners.reshape(24, 2)[list(order)], spine.anterior, "f"), corners)


@given(shape=shapes(), order=st.permutations(range(6)), inner=st.permutations(range(4)))
@settings(max_examples=60, deadline=None)
def test_a_crushed_vertebra_clicked_in_one_go_is_believed_or_refused_but_never_renamed(shape, order, inner):
    corners = crushed(corner_array(shape))
    clicked = corners[list(order)][:, list(inner)].reshape(24, 2)
    assert_right_or_refused(clicked, corners)


def test_a_crushed_vertebra_of_an_ordinary_spine_is_believed(corners):
    corners = crushed(corners.copy())
    np.testing.assert_array_equal(recover(corners.reshape(24, 2), "right", "f"), corners)


@given(shape=shapes(), order=st.permutations(range(6)))
@settings(max_examples=60, deadline=None)
def test_a_collapsed_disc_clicked_vertebra_by_vertebra_is_believed_or_refused_but_never_renamed(shape, order):
    corners = collapsed(corner_array(shape))
    assert_right_or_refused(corners[list(order)].reshape(24, 2), corners)


def test_a_collapsed_disc_of_an_ordinary_spine_is_believed(corners):
    corners = collapsed(corners.copy())
    np.testing.assert_array_equal(recover(corners.reshape(24, 2), "right", "f"), corners)


@pytest.mark.parametrize("count", [0, 1, 23, 25, 48])
def test_any_other_number_of_points_is_refused(corners, count):
    points = np.resize(corners.reshape(24, 2), (count, 2))
    with pytest.raises(AnnotationError, match=rf"scan: there are {count} points, but 24 are needed"):
        recover(points, "right", "scan")


def test_one_corner_clicked_twice_is_refused_naming_both_clicks(corners):
    points = corners.reshape(24, 2).copy()
    points[9] = points[4] + 0.4
    with pytest.raises(AnnotationError, match=r"point 5 \(.*\) and point 10 \(.*\) are in the same place"):
        recover(points, "right", "f")


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e300])
def test_a_position_that_no_image_has_is_refused_naming_the_point(corners, value):
    points = corners.reshape(24, 2).copy()
    points[6, 1] = value
    with pytest.raises(AnnotationError, match=r"point 7 \(.*\) is nowhere in an image"):
        recover(points, "right", "f")


@given(shape=shapes(), level=st.integers(0, 4), side=st.booleans(), seed=st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_a_corner_left_out_for_one_of_the_sacrum_is_refused(shape, level, side, seed):
    corners = corner_array(shape)
    corner = IA if side else IP
    corners[level, corner] = corners[5, corner] + 0.35 * (corners[5, corner] - corners[4, corner])
    with pytest.raises(AnnotationError, match=r"point \d+ \("):
        recover(shuffled(corners, seed), "right", "f")


@given(shape=shapes(), level=st.integers(1, 4), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_level_left_out_is_refused(shape, level, seed):
    corners = corner_array(shape)
    below = corners[5] + (corners[5] - corners[4])
    skipped = np.concatenate([np.delete(corners, level, axis=0), below[None]])
    with pytest.raises(AnnotationError, match=r"left out|exchanged"):
        recover(shuffled(skipped, seed), "right", "f")


@given(shape=shapes(), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_discs_taken_for_vertebrae_are_refused(shape, seed):
    corners = corner_array(shape)
    sacrum = corners[5, [IA, IP]] + 0.33 * (corners[5, [IA, IP]] - corners[4, [IA, IP]])
    points = np.concatenate([corners.reshape(24, 2)[2:], sacrum])
    with pytest.raises(AnnotationError):
        recover(shuffled(points, seed), "right", "f")


@given(shape=shapes(), index=st.integers(0, 23), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_corner_on_the_wrong_side_is_refused_naming_a_point(shape, index, seed):
    corners = corner_array(shape)
    level, corner = divmod(index, 4)
    corners[level, corner] = corners[level].mean(axis=0)
    with pytest.raises(AnnotationError, match=r"point \d+ \("):
        recover(shuffled(corners, seed), "right", "f")


def test_a_spine_lying_across_the_image_is_refused(corners):
    with pytest.raises(AnnotationError, match="across the image"):
        recover(shuffled(corners)[:, ::-1], "right", "f")


def test_fours_that_overlap_are_refused_rather_than_exchanged(corners):
    corners = corners.copy()
    corners[3:] -= 1.8 * (corners[3, [SA, SP]] - corners[2, [IA, IP]]).mean(axis=0)
    with pytest.raises(AnnotationError, match="L3-SA, lies above the lower edge"):
        recover(corners.reshape(24, 2), "right", "f")


@pytest.mark.parametrize(("first", "second"), [("SA", "SP"), ("IA", "IP"), ("SA", "IA"), ("SP", "IP"), ("SA", "IP")])
def test_swapped_names_are_refused_naming_the_point(plain, first, second):
    vertebra = plain[Level.L3]
    points = {**vertebra.points, first: vertebra[second], second: vertebra[first]}
    spine = Spine(tuple(v if v is not vertebra else Vertebra(Level.L3, points) for v in plain))
    with pytest.raises(AnnotationError, match=r"scan.*L3-(SA|SP|IA|IP)"):
        check(spine, "scan")


def test_levels_out_of_order_are_refused(corners):
    corners = corners.copy()
    corners[[2, 3]] = corners[[3, 2]]
    with pytest.raises(AnnotationError, match="L3 lies above L2"):
        check(Spine.from_array(corners), "scan")


def test_two_corners_in_one_place_are_refused(corners):
    corners = corners.copy()
    corners[1, IA] = corners[1, IP]
    with pytest.raises(AnnotationError, match="L1-IA and L1-IP are in the same place"):
        check(Spine.from_array(corners), "scan")


def test_the_wrong_anterior_side_is_refused(corners):
    with pytest.raises(AnnotationError, match="said to be left, but the corners named anterior lie on the right"):
        check(Spine.from_array(corners, anterior="left"), "scan")


def test_what_is_not_present_is_not_checked(plain):
    hidden = {name: Corner(5.0, 5.0, Status.UNEVALUABLE) for name in CORNERS}
    spine = Spine((*(v for v in plain if v.level != Level.L2), Vertebra(Level.L2, hidden)))
    check(spine, "scan")


@given(spine=plain_spines())
@settings(max_examples=30, deadline=None)
def test_the_anterior_side_is_told_from_names(spine):
    assert infer_anterior(spine) == spine.anterior
    assert infer_anterior(spine.select([])) is None
    check(spine, "scan")
