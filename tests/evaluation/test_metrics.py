import numpy as np
import pytest

from vertenet.evaluation import score_landmarks
from vertenet.spine import CORNERS, STANDARD_LEVELS, Spine

SHAPE = (1104, 402)


def spine(top=300.0, pitch=95.0):
    xy = np.array(
        [
            [[250, top + pitch * i], [150, top + pitch * i], [250, top + pitch * i + 75], [150, top + pitch * i + 75]]
            for i in range(6)
        ]
    )
    return Spine.from_array(xy)


def test_truth_against_itself_has_no_error_and_right_levels():
    score = score_landmarks(spine(), spine(), SHAPE)
    assert score.levels_right
    assert not score.shifted
    assert score.errors.shape == (24, 2)
    assert score.errors.max() == 0


def test_errors_are_in_pixels_of_the_normalised_frame():
    moved = spine().map_points(lambda p: p + np.array([402 / 512, 1104 / 1024]))
    np.testing.assert_allclose(score_landmarks(moved, spine(), SHAPE).errors, 1.0)


@pytest.mark.parametrize("steps", [1, -1])
def test_a_shift_by_one_level_is_seen(steps):
    score = score_landmarks(spine().shifted(steps), spine(), SHAPE)
    assert score.shifted
    assert not score.levels_right


def test_a_missed_vertebra_is_not_right_but_no_shift():
    kept = Spine.from_array(spine().to_array(STANDARD_LEVELS[1:]), STANDARD_LEVELS[1:]).select(STANDARD_LEVELS)
    score = score_landmarks(kept, spine(), SHAPE)
    assert not score.levels_right
    assert not score.shifted
    assert score.found == 5
    assert score.errors.shape == (20, 2)


def test_a_vertebra_outside_the_image_need_not_be_found():
    xy = spine().to_array()
    xy[5] = np.nan
    assert score_landmarks(Spine.from_array(xy), Spine.from_array(xy), SHAPE).levels_right


def test_naming_a_vertebra_that_does_not_exist_is_wrong():
    xy = spine().to_array()
    absent = xy.copy()
    absent[5] = np.nan
    assert not score_landmarks(spine(), Spine.from_array(absent), SHAPE).levels_right


def test_corner_order_is_that_of_the_library():
    swapped = Spine.from_array(spine().to_array()[:, ::-1], STANDARD_LEVELS, CORNERS[::-1])
    assert score_landmarks(swapped, spine(), SHAPE).errors.max() == 0
