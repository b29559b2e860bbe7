"""The crop around one vertebra: a small upright picture cut from the full-resolution radiograph, and the way back.

The crop's x axis runs from posterior to anterior and its y axis towards the feet, whichever way the patient faces, so
a crop from an image that faces left looks like one that faces right. The map is a similarity (rotation, one scale, and
a reflection for images that face left) of source pixels; pixel centres are at integers on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from ..errors import GeometryError

#: Side of a crop, pixels.
CROP_SIZE = 96
#: Length that the depth of the vertebra has in a crop, pixels: leaves 0.27 depths around it.
CROP_DEPTH = 62.0
#: A vertebra that is less deep than this many source pixels has nothing to refine.
SMALLEST_DEPTH = 4.0


@dataclass(frozen=True, eq=False)
class CropFrame:
    """The map between source pixels and the pixels of a crop.

    Attributes
    ----------
    centre : (2,) float64
        Source pixels; the middle of the crop.
    anterior, inferior : (2,) float64
        Perpendicular unit vectors in source pixels: the crop's x and y axes.
    scale : float
        Crop pixels per source pixel.
    size : int
        Rows and columns of the crop.
    """

    centre: np.ndarray
    anterior: np.ndarray
    inferior: np.ndarray
    scale: float
    size: int = CROP_SIZE

    @classmethod
    def around(cls, corners: np.ndarray, size: int = CROP_SIZE) -> CropFrame:
        """The frame of a vertebra: centred on it, turned with it, its depth `CROP_DEPTH` pixels long.

        Parameters
        ----------
        corners : (4, 2) array
            Source pixels, in the order of `vertenet.spine.CORNERS`.

        Raises
        ------
        GeometryError
            A corner has no position, or the vertebra is less than `SMALLEST_DEPTH` deep, or it has no height.
        """
        corners = np.asarray(corners, dtype=np.float64)
        if corners.shape != (4, 2) or not np.isfinite(corners).all():
            raise GeometryError("a crop needs the positions of all four corners")
        sa, sp, ia, ip = corners
        along = (sa + ia - sp - ip) / 2
        depth = float(np.hypot(*along))
        if depth < SMALLEST_DEPTH:
            raise GeometryError(f"a vertebra {depth:.3g} pixels deep is too small for a crop")
        anterior = along / depth
        across = np.array([-anterior[1], anterior[0]])
        height = float(across @ (ia + ip - sa - sp) / 2)
        if height == 0:
            raise GeometryError("a vertebra without height has no inferior side")
        return cls(corners.mean(axis=0), anterior, np.copysign(1.0, height) * across, CROP_DEPTH / depth, size)

    def from_source(self, xy: np.ndarray) -> np.ndarray:
        """(..., 2) source pixels to crop pixels."""
        axes = np.column_stack([self.anterior, self.inferior])
        return (np.asarray(xy, dtype=np.float64) - self.centre) @ axes * self.scale + self._middle

    def to_source(self, xy: np.ndarray) -> np.ndarray:
        """(..., 2) crop pixels to source pixels; the inverse of `from_source`."""
        axes = np.stack([self.anterior, self.inferior])
        return (np.asarray(xy, dtype=np.float64) - self._middle) / self.scale @ axes + self.centre

    def cut(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sample the crop from an image, smoothed first where it shrinks.

        Parameters
        ----------
        pixels : (rows, columns) float array

        Returns
        -------
        values : (size, size) float32
            In the units of ``pixels``; 0 outside of the image.
        valid : (size, size) bool
            Where the image has a pixel.
        """
        rows, columns = pixels.shape
        side = np.arange(self.size, dtype=np.float64)
        x, y = np.moveaxis(self.to_source(np.stack(np.meshgrid(side, side), axis=-1)), -1, 0)
        valid = (x >= -0.5) & (x <= columns - 0.5) & (y >= -0.5) & (y <= rows - 0.5)
        values = np.zeros((self.size, self.size), np.float32)
        if not valid.any():
            return values, valid
        # A crop pixel is the mean over its own area; a Gaussian of that spread less a source pixel's stands for it.
        spread = 0.5 * np.sqrt(max(self.scale**-2 - 1.0, 0.0))
        reach = int(np.ceil(3 * spread)) + 2
        left, top = max(int(x[valid].min()) - reach, 0), max(int(y[valid].min()) - reach, 0)
        patch = pixels[top : int(y[valid].max()) + reach + 1, left : int(x[valid].max()) + reach + 1]
        patch = gaussian_filter(patch.astype(np.float32), spread, mode="nearest", truncate=3.0)
        values[valid] = map_coordinates(patch, [y[valid] - top, x[valid] - left], order=1, mode="nearest")
        return values, valid

    @property
    def _middle(self) -> float:
        return (self.size - 1) / 2
