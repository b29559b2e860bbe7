"""The normalised frame: a radiograph resized to what a network sees, and the way back to source pixels.

The paper's frame has 1024 rows and 512 columns, aspect not kept; errors are quoted in its pixels. Pixel centres are at
integers on both sides, so the map is ``x' = (x + 1/2) * columns' / columns - 1/2``: edges meet edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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

        torch's bilinear interpolation with ``antialias`` and half-pixel centres, so that training and prediction share
        one resampling.
        """
        import torch

        image = torch.from_numpy(np.array(pixels, dtype=np.float32))[None, None]
        resized = torch.nn.functional.interpolate(
            image, size=self.size, mode="bilinear", align_corners=False, antialias=True
        )
        return resized[0, 0].numpy()
