"""A spine of six plain boxes, for tests of what happens to points."""

from __future__ import annotations

import numpy as np

from vertenet.spine import CORNERS, MIDPOINTS, Spine

ROWS, COLUMNS = 700, 300


def boxes(anterior: str = "right") -> Spine:
    """Six vertebrae with mid-endplate points, 60 pixels deep and a little tilted, on an image of 700 x 300."""
    xy = np.empty((6, 6, 2))
    for i in range(6):
        left, top = 110 + 4 * i, 40 + 100 * i
        corners = [[left + 60, top], [left, top + 3], [left + 60, top + 45], [left, top + 48]]
        xy[i] = [*corners, [left + 30, top + 4], [left + 30, top + 44]]
    spine = Spine.from_array(xy, corners=CORNERS + MIDPOINTS)
    return spine if anterior == "right" else spine.mirrored(COLUMNS)
