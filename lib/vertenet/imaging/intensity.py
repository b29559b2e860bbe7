"""Stored values to display values, 0 to 255."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

#: Percentiles that become black and white where a file does not say what to show. They cut 0.1 % at either end, so a
#: hot pixel or burned-in text does not darken the anatomy.
ROBUST_PERCENTILES = (0.1, 99.9)
_STRIP_ROWS = 256


def spread(values: np.ndarray, *, counted: np.ndarray | None = None) -> np.ndarray:
    """Stretch ``values`` over 0 to 255 by their own robust range.

    The range is that of the values, never of their container: 12-bit data in 16 bits do not turn black.

    Parameters
    ----------
    values : (rows, columns) array of finite numbers
    counted : (rows, columns) bool, optional
        Which pixels the range is taken from (all but padding); all by default.

    Returns
    -------
    (rows, columns) float32, all zero for a constant image.
    """
    values = np.asarray(values)
    if values.dtype.kind == "f":
        values = values.astype(np.float64, copy=False)
    sample = values if counted is None or not counted.any() else values[counted]
    low, high = np.percentile(sample, ROBUST_PERCENTILES)
    if high <= low:
        low, high = float(sample.min()), float(sample.max())
    display = np.zeros(values.shape, np.float32)
    if high > low:
        for rows in strips(len(values)):
            display[rows] = np.clip((values[rows] - low) / (high - low), 0.0, 1.0) * 255.0
    return display


def strips(rows: int) -> Iterator[slice]:
    """All rows of an image, some at a time: what is computed in float64 then needs little memory beside the image."""
    return (slice(start, start + _STRIP_ROWS) for start in range(0, rows, _STRIP_ROWS))


def as_display(stored: np.ndarray) -> np.ndarray:
    """Float32 display values of stored ones without a window: 8-bit as they are, anything deeper by `spread`."""
    if stored.dtype == np.uint8:
        return stored.astype(np.float32)
    return spread(stored)
