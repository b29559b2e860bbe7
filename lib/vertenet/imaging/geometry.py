"""Where 3D Slicer puts the pixels of a file: asked of ITK itself, because its rules are not those of the standard.

ITK takes ImagerPixelSpacing for DX and CR and never their PixelSpacing, the resolution tags of JPEG and TIFF but not
those of PNG, and 1 mm for everything else. Markups live in that geometry, so it has to be matched, right or wrong.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK

from ..radiograph import ViewerGeometry


@dataclass(frozen=True)
class Turn:
    """How a stored array becomes the image that is shown: transposed first, then flipped."""

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    def array(self, stored: np.ndarray) -> np.ndarray:
        """The (rows, columns) image of a stored array."""
        image = stored.T if self.transpose else stored
        return image[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]

    def geometry(self, stored: ViewerGeometry, rows: int, columns: int) -> ViewerGeometry:
        """The geometry of the turned image, which has ``rows`` and ``columns``."""
        right, down = stored.column_step, stored.row_step
        if self.transpose:
            right, down = down, right
        origin = stored.origin
        if self.flip_rows:
            origin, down = origin + (rows - 1) * down, -down
        if self.flip_columns:
            origin, right = origin + (columns - 1) * right, -right
        return ViewerGeometry(origin, right, down)


def viewer_geometry(path: Path, warnings: list[str]) -> ViewerGeometry:
    """Pixel to LPS as ITK reads the header of the file; identity, with a warning, where ITK cannot."""
    try:
        reader = open_header(path)
    except RuntimeError:
        warnings.append("ITK cannot read this file, so 3D Slicer may not either; markups take 1 mm a pixel")
        return ViewerGeometry.identity()
    return plane_geometry(reader, 0, 1)


def open_header(path: Path) -> SimpleITK.ImageFileReader:
    """A SimpleITK reader that has read the file's header.

    Raises
    ------
    RuntimeError
        ITK cannot read it, or its name.
    """
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:  # SimpleITK would end the whole process
        raise RuntimeError("the file's name is not UTF-8: rename it") from error
    # ITK reports on stderr what it raises anyway.
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return reader


def plane_geometry(reader: SimpleITK.ImageFileReader, column_axis: int, row_axis: int) -> ViewerGeometry:
    """The geometry of the plane spanned by two axes of an ITK image, at index 0 of the others."""
    n = reader.GetDimension()
    direction = np.array(reader.GetDirection()).reshape(n, n)
    steps = np.zeros((3, n))
    steps[: min(n, 3)] = (direction * reader.GetSpacing())[:3]
    origin = np.zeros(3)
    origin[: min(n, 3)] = reader.GetOrigin()[:3]
    return ViewerGeometry(origin, steps[:, column_axis], steps[:, row_axis])


@contextlib.contextmanager
def named_with(path: Path, extension: str) -> Iterator[Path]:
    """The same file under a name that ends in ``extension``, for parsers that go by the name."""
    if path.name.lower().endswith(extension):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / f"image{extension}"
        os.symlink(path.resolve(), link)
        yield link
