"""Source pixels and the volume that holds them: which axes are columns and rows, and where a pixel is in space.

Nothing is assumed of orientation: the volume's own IJK-to-RAS matrix decides. A slice that was stored foot first or
on its side is turned head up, by the rule of `vertenet.imaging.volume`, so that (x, y) mean the same here and on the
server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from vertenet.errors import ImageReadError
from vertenet.imaging.limits import check_size
from vertenet.imaging.orientation import direction_letter
from vertenet.radiograph import ViewerGeometry

_RAS = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class PixelGrid:
    """The pixels of a volume of one slice.

    Attributes
    ----------
    rows, columns : int
        Of the upright image.
    geometry : ViewerGeometry
        Upright pixel (x, y) to LPS mm, without parent transforms: the frame of Markups files.
    transposed, rows_flipped : bool
        How the stored slice becomes the upright image: transposed first, then its rows in reverse.
    """

    rows: int
    columns: int
    geometry: ViewerGeometry
    transposed: bool = False
    rows_flipped: bool = False

    @classmethod
    def of(cls, volume: Any) -> PixelGrid:
        """The grid of a volume node. Raises `ImageReadError` where it is not one slice."""
        data = volume.GetImageData()
        if data is None:
            raise ImageReadError("the volume holds no image", subject=volume.GetName())
        size = data.GetDimensions()
        axes = [axis for axis, n in enumerate(size) if n > 1]
        if len(axes) != 2:
            shape = " x ".join(str(n) for n in size)
            problem = "more than one slice" if len(axes) == 3 else "which is no image"
            raise ImageReadError(
                f"the volume has {shape} voxels, {problem}",
                subject=volume.GetName(),
                remedy="Choose or export the lateral view as a single image",
            )
        check_size(volume.GetName(), size[axes[1]], size[axes[0]])
        matrix = vtk.vtkMatrix4x4()
        volume.GetIJKToRASMatrix(matrix)
        ijk_to_lps = _RAS[:, None] * np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(3)])
        right, down = ijk_to_lps[:, axes[0]], ijk_to_lps[:, axes[1]]
        transposed = direction_letter(right) in ("H", "F")
        columns, rows = size[axes[0]], size[axes[1]]
        if transposed:
            right, down, columns, rows = down, right, rows, columns
        flipped = direction_letter(down) == "H"
        origin = ijk_to_lps[:, 3]
        if flipped:
            origin, down = origin + (rows - 1) * down, -down
        return cls(rows, columns, ViewerGeometry(origin, right, down), transposed, flipped)

    def values(self, volume: Any) -> np.ndarray:
        """(rows, columns) or (rows, columns, components) stored values, upright; a view of the volume's own."""
        data = volume.GetImageData()
        stored = vtk_to_numpy(data.GetPointData().GetScalars())
        depth = data.GetNumberOfScalarComponents()
        # VTK's first axis runs fastest; the axis of length 1 falls away.
        shape = [n for n in reversed(data.GetDimensions()) if n > 1]
        stored = stored.reshape(*shape, depth) if depth > 1 else stored.reshape(shape)
        upright = stored.swapaxes(0, 1) if self.transposed else stored
        return upright[::-1] if self.rows_flipped else upright

    def to_ras(self, xy: np.ndarray) -> np.ndarray:
        """(n, 2) pixels to (n, 3) RAS mm in the volume's own frame (before its parent transforms)."""
        return self.geometry.to_lps(xy) * _RAS

    def to_pixels(self, ras: np.ndarray) -> np.ndarray:
        """(n, 3) RAS mm in the volume's own frame to (n, 2) pixels."""
        return self.geometry.to_pixels(np.asarray(ras, dtype=np.float64).reshape(-1, 3) * _RAS)
