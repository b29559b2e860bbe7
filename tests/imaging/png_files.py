"""PNG files that Pillow cannot write: with several 16-bit channels, or with a header that lies."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

_COLOUR_TYPES = {2: 4, 3: 2, 4: 6}


def png_bytes(columns: int, rows: int, depth: int, colour_type: int, raw: bytes) -> bytes:
    """A PNG whose header says what it is told to; ``raw`` are the filtered scan lines."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", columns, rows, depth, colour_type, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def write_deep_png(path: Path, pixels: np.ndarray) -> None:
    """(rows, columns, 2 to 4) as a PNG of 16 bits a channel."""
    rows, columns, channels = pixels.shape
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    path.write_bytes(png_bytes(columns, rows, 16, _COLOUR_TYPES[channels], raw))
