"""What models say that are a known distance from the truth."""

from __future__ import annotations

from functools import cache

import numpy as np

from vertenet import phantom
from vertenet.learning.calibrate import Observed
from vertenet.spine import STANDARD_LEVELS, Spine

SHAPE = (1024, 512)


@cache
def spine() -> Spine:
    """The six standard levels, in pixels of the normalised frame."""
    corners = phantom.generate(3, difficulty="easy", anterior="right", crop=None).truth.spine.to_array(STANDARD_LEVELS)
    return Spine.from_array(corners * np.array(SHAPE[::-1]) / 1.1 / np.nanmax(corners, axis=(0, 1)))


def observed(*, off_px=0.0, renamed=False, empty=False, misplaced=False) -> Observed:
    """Every point ``off_px`` too far right, every vertebra named one level too low, none at all, or all of them with
    their names half a body too low: a column where no column is."""
    corners = spine().to_array(STANDARD_LEVELS) + np.array([off_px, 0])
    if renamed:
        corners = np.concatenate([np.full((1, 4, 2), np.nan), corners[:-1]])
    if misplaced:
        corners = corners + np.array([0, 0.4]) * (corners[:, 2:3] - corners[:, :1])
    return Observed(
        "image",
        "scanner",
        SHAPE,
        spine(),
        None,
        Spine.from_array(np.full_like(corners, np.nan) if empty else corners),
        None,
        {},
        None,
    )
