"""Local contrast: what is left of an image when slow changes of tone and of contrast are taken out."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter1d

#: Grey value that the local mean becomes, and grey values of one local standard deviation.
MIDDLE, STEP = 128.0, 57.0
#: Standard deviations below this, grey values, are noise of a flat region and are not raised further.
LEAST = 4.0


def evened(pixels: np.ndarray, reach: float = 0.08) -> np.ndarray:
    """Every place with the mean and the contrast of every other.

    A radiograph, a single-energy and a dual-energy image of one patient differ most in slow tone: the dark chest, the
    bright belly, the white pelvis. Their edges are alike.

    Parameters
    ----------
    pixels : (rows, columns) float, 0 to 255
    reach : float
        Standard deviation of the Gaussian neighbourhood, as a share of the rows.

    Returns
    -------
    (rows, columns) float32, 0 to 255
    """
    pixels = np.asarray(pixels, dtype=np.float32)
    sigma = reach * pixels.shape[0]
    down, across = (_gaussian(n, sigma) for n in pixels.shape)
    away = pixels - down @ pixels @ across.T
    spread = np.sqrt(down @ away**2 @ across.T) + np.float32(LEAST)
    return np.clip(np.float32(MIDDLE) + np.float32(STEP) * away / spread, 0, 255)


@lru_cache(maxsize=8)
def _gaussian(length: int, sigma: float) -> np.ndarray:
    """(length, length) float32: a line of pixels smoothed is this matrix times it.

    The filter reaches over most of the line, where one product of matrices is several times faster than a loop over
    taps.
    """
    return gaussian_filter1d(np.eye(length), sigma, axis=0).astype(np.float32)
