"""The fill of blanked regions, against SciPy's morphology."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from vertenet.measure.blanked import NEIGHBOURHOOD, _filled


def by_the_book(distance, tolerance):
    core = ndimage.maximum_filter(distance, NEIGHBOURHOOD, mode="nearest") <= tolerance
    return ndimage.binary_fill_holes(ndimage.maximum_filter(core, NEIGHBOURHOOD))


@given(rows=st.integers(1, 60), columns=st.integers(1, 60), seed=st.integers(0, 10_000))
def test_the_fill_is_an_opening_with_its_holes_filled_where_it_touches_the_border(rows, columns, seed):
    rng = np.random.default_rng(seed)
    distance = rng.choice([0.0, 0.5, 3.0, 90.0], (rows, columns), p=[0.5, 0.3, 0.1, 0.1]).astype(np.float32)
    distance[: rng.integers(0, rows + 1), : rng.integers(0, columns + 1)] = 0
    distance[rng.integers(0, rows + 1) :, rng.integers(0, columns + 1) :] = 1
    for tolerance in (1.0, 5.0):
        found, wanted = _filled(distance, tolerance), by_the_book(distance, tolerance)
        if found is None:
            assert not any(side.any() for side in (wanted[0], wanted[-1], wanted[:, 0], wanted[:, -1]))
        else:
            np.testing.assert_array_equal(found, wanted)
