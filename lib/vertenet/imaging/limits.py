"""How large and how small an image may be, checked on its header before anything is allocated."""

from __future__ import annotations

from pathlib import Path

from ..errors import ImageReadError

#: 64 Mpx: a dozen times the largest detector, 256 MiB as float32. Larger headers are decompression bombs or damage.
MAX_PIXELS = 1 << 26
#: What the values of one image may take as they are stored, all channels together.
MAX_BYTES = 4 * MAX_PIXELS
#: A side shorter than this cannot show a spine.
MIN_SIDE = 32


def check_size(path: Path, rows: int, columns: int, bytes_a_pixel: float = 1) -> None:
    """Raise `ImageReadError` unless an image of ``rows`` by ``columns`` pixels may be read.

    ``bytes_a_pixel``: of all its channels, as stored.
    """
    if rows < MIN_SIDE or columns < MIN_SIDE:
        raise ImageReadError(
            f"the image has {columns} x {rows} pixels, but a side needs at least {MIN_SIDE}", subject=path
        )
    if rows * columns > MAX_PIXELS:
        raise ImageReadError(
            f"the header says {columns} x {rows} pixels, more than the limit of {MAX_PIXELS >> 20} megapixels",
            subject=path,
            remedy="Check the file; a radiograph is never that large",
        )
    check_bytes(path, rows * columns * bytes_a_pixel)


def check_bytes(path: Path, size: float) -> None:
    """Raise `ImageReadError` where the pixels of an image take more than `MAX_BYTES` as they are stored."""
    if size > MAX_BYTES:
        raise ImageReadError(
            f"the header says {size / (1 << 20):.0f} MiB of pixels, more than the limit of {MAX_BYTES >> 20}",
            subject=path,
            remedy="Save it as a grey image of 8 or 16 bits",
        )
