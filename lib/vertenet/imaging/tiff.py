"""Reading a TIFF file's one page without trusting Pillow with its orientation.

Pillow (13.0) swaps the size of a page with orientation 5 to 8 before decoding it, and scrambles uncompressed ones.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from pathlib import Path

import tifffile

from ..errors import ImageReadError
from .limits import MAX_BYTES, check_size

_UPRIGHT = 1
# It logs every oddity of a damaged file as an error, and raises those that matter.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class TiffPage:
    """What the header says: EXIF-like orientation, whether white is zero, and whether it is colour of 16 bits."""

    orientation: int
    white_is_zero: bool
    is_deep_colour: bool
    _orientation_at: int | None
    _byte_order: str

    def upright_bytes(self, path: Path) -> io.BytesIO:
        """The file with its orientation set to upright, so that its pixels come as they are stored."""
        content = bytearray(path.read_bytes())
        if self._orientation_at is not None:
            width = 2  # a SHORT
            content[self._orientation_at : self._orientation_at + width] = _UPRIGHT.to_bytes(width, self._byte_order)
        return io.BytesIO(content)


def read_page(path: Path) -> TiffPage:
    """The header of a TIFF file with a single page of a possible size. Raises `ImageReadError` for another."""
    with tifffile.TiffFile(path) as file:
        if len(file.pages) != 1:
            raise ImageReadError(
                f"the file holds {len(file.pages)} images, but one is needed", subject=path, remedy="Split it"
            )
        page = file.pages[0]
        bytes_a_pixel = page.samplesperpixel * page.bitspersample / 8
        check_size(path, page.imagelength, page.imagewidth, bytes_a_pixel)
        if page.is_tiled and page.tilelength * page.tilewidth * bytes_a_pixel > MAX_BYTES:
            raise ImageReadError(
                f"its tiles have {page.tilewidth} x {page.tilelength} pixels, more than an image may have", subject=path
            )
        tag = page.tags.get("Orientation")
        return TiffPage(
            orientation=_UPRIGHT if tag is None else int(tag.value),
            white_is_zero=page.photometric == tifffile.PHOTOMETRIC.MINISWHITE,
            is_deep_colour=page.samplesperpixel > 1 and page.bitspersample == 16,
            _orientation_at=None if tag is None else tag.valueoffset,
            _byte_order="little" if file.byteorder == "<" else "big",
        )
