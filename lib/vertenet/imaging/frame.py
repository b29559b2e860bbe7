"""The normalised frame: a radiograph resized to what a network sees, and the way back to source pixels.

The paper's frame has 1024 rows and 512 columns, aspect not kept; errors are quoted in its pixels. Pixel centres are at
integers on both sides, so the map is ``x' = (x + 1/2) * columns' / columns - 1/2``: edges meet edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array

#: (rows, columns) of the paper's normalised frame.
NORMALISED_SIZE = (1024, 512)


@dataclass(frozen=True)
class Frame:
    """The map between source pixels and a frame of another size.

    Attributes
    ----------
    source : (rows, columns) of the source image
    size : (rows, columns) of the frame
    """

    source: tuple[int, int]
    size: tuple[int, int] = NORMALISED_SIZE

    @property
    def scale(self) -> np.ndarray:
        """(2,) frame pixels per source pixel, along x and y."""
        return np.array([self.size[1] / self.source[1], self.size[0] / self.source[0]])

    def from_source(self, xy: np.ndarray) -> np.ndarray:
        """(..., 2) source pixels to frame pixels."""
        return (np.asarray(xy, dtype=np.float64) + 0.5) * self.scale - 0.5

    def to_source(self, xy: np.ndarray) -> np.ndarray:
        """(..., 2) frame pixels to source pixels; the exact inverse of `from_source`."""
        return (np.asarray(xy, dtype=np.float64) + 0.5) / self.scale - 0.5

    def resample(self, pixels: np.ndarray) -> np.ndarray:
        """Resize (rows, columns) pixels to the frame: float32, antialiased where it shrinks.

        What torch's bilinear interpolation with ``antialias`` and half-pixel centres gives, without torch.
        """
        down, across = (_triangle(n, m) for n, m in zip(self.source, self.size))
        image = np.asarray(pixels, dtype=np.float32)
        return np.ascontiguousarray((across @ (down @ image).T).T)


@lru_cache(maxsize=64)
def _triangle(length: int, size: int) -> csr_array:
    """(size, length) float32 weights of a triangle filter: row i gives sample i of a line of ``length`` pixels."""
    scale = length / size
    reach = max(scale, 1.0)
    centres = (np.arange(size) + 0.5) * scale
    first = np.maximum((centres - reach + 0.5).astype(int), 0)
    last = np.minimum((centres + reach + 0.5).astype(int), length)
    columns = first[:, None] + np.arange((last - first).max())
    weights = np.maximum(1 - np.abs((columns + 0.5 - centres[:, None]) / reach), 0) * (columns < last[:, None])
    rows, places = np.nonzero(weights)
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return csr_array((weights[rows, places], (rows, columns[rows, places])), shape=(size, length))
