from __future__ import annotations

import numpy as np
import pytest

from vertenet.learning.informative import NOT_FOUND, dispersion
from vertenet.spine import CORNERS, STANDARD_LEVELS, Corner, CornerName, Level, Spine, Status, Vertebra

SQUARE = np.array([[40.0, 0], [0, 0], [40, 30], [0, 30]])  # 40 pixels deep


def spine(*, status: Status | None = None) -> Spine:
    """L1 found, 40 pixels deep, and L2 with the status given."""
    found = Spine.from_array(SQUARE[None], [Level.L1])
    if status is None:
        return found
    other = Vertebra(Level.L2, {name: Corner(status=status) for name in CORNERS})
    return Spine((*found.vertebrae, other))


def sigma(*values: float):
    return {(Level.L1, name): value for name, value in zip(CORNERS, values)}


def test_the_dispersion_is_the_mean_expected_error_in_vertebral_depths():
    assert dispersion(spine(), sigma(1, 2, 3, 2)) == pytest.approx(2 / 40)


def test_midpoints_do_not_count():
    both = {**sigma(1, 2, 3, 2), (Level.L1, CornerName.SM): 100.0}
    assert dispersion(spine(), both) == pytest.approx(2 / 40)


def test_a_vertebra_that_was_not_found_counts_and_one_beyond_the_image_does_not():
    found = sigma(4, 4, 4, 4)
    assert dispersion(spine(status=Status.MISSING), found) == pytest.approx((0.1 + NOT_FOUND) / 2)
    assert dispersion(spine(status=Status.OUTSIDE), found) == pytest.approx(0.1)


def test_nothing_found_is_as_bad_as_can_be():
    assert dispersion(Spine((), "right").select(STANDARD_LEVELS), {}) == NOT_FOUND
