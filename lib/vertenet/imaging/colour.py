"""Grey images that were saved as colour: accepted when the channels are equal, refused when they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import ImageReadError
from .intensity import strips

#: Channels may differ by this share of their range: JPEG rounds its colour differences.
TOLERANCE = 8 / 255
#: So many pixels may differ more (a coloured mark in a corner) before the image is called coloured.
COLOURED_SHARE = 1e-3


def grey_of(channels: np.ndarray, path: Path) -> np.ndarray:
    """(rows, columns) grey values, of the same type, of a (rows, columns, 3) array.

    Raises
    ------
    ImageReadError
        The image is in colour.
    """
    widest = np.iinfo(channels.dtype).max
    grey, coloured = np.empty(channels.shape[:2], channels.dtype), 0
    for rows in strips(len(channels)):
        strip = channels[rows]
        differing = strip.max(axis=-1).astype(np.int64) - strip.min(axis=-1)
        coloured += np.count_nonzero(differing > TOLERANCE * widest)
        grey[rows] = np.rint(strip.mean(axis=-1))
    if coloured > COLOURED_SHARE * grey.size:
        raise ImageReadError(
            "the image is in colour, but a radiograph is grey",
            subject=path,
            remedy="Export it without overlays or colour maps",
        )
    return grey
