"""What ITK's NIfTI reader hides: it fills a cut file with zeros, and turns NaN and infinity into zeros.

Layout: NIfTI-1 header, https://nifti.nimh.nih.gov/nifti-1, 348 bytes.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from ..errors import ImageReadError
from .limits import MAX_PIXELS, check_bytes
from .sniff import is_gzipped

_HEADER_BYTES = 348
_MOST_OFFSET = 1 << 20
#: NIfTI data type code to NumPy's, for types of one real number.
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}


def check_nifti(path: Path) -> None:
    """Refuse a NIfTI file that is cut off, holds values that are not finite, or has an impossible header.

    One whose size is beyond the limit is left to whoever checks sizes.
    """
    header = _content(path, _HEADER_BYTES)
    order = "<" if header[:4] == _HEADER_BYTES.to_bytes(4, "little") else ">"
    count, *sizes = struct.unpack(f"{order}8h", header[40:56])
    (data_type,) = struct.unpack(f"{order}h", header[70:72])
    (offset,) = struct.unpack(f"{order}f", header[108:112])
    sizes = sizes[: max(count, 0)]
    if not 1 <= count <= 7 or min(sizes) < 1 or not 0 <= offset <= _MOST_OFFSET:
        raise ImageReadError(f"the NIfTI header is damaged (sizes {sizes}, data at {offset:g})", subject=path)
    if data_type not in _TYPES:
        raise ImageReadError(f"its data type {data_type} is not one real number a pixel", subject=path)
    values = np.dtype(order + _TYPES[data_type])
    expected = math.prod(sizes) * values.itemsize
    if math.prod(sizes) > MAX_PIXELS:
        return
    check_bytes(path, expected)
    data, start = path, int(offset)
    if header[344:348] == b"ni1\0":  # a pair of files
        data = partner_of(path)
        if data is None:
            raise ImageReadError("the .img file beside the header is missing", subject=path)
    pixels = _content(data, start + expected)[start:]
    if len(pixels) < expected:
        raise ImageReadError("the file ends before its pixel data do", subject=path, remedy="Copy it again")
    if not np.isfinite(np.frombuffer(pixels, values)).all():
        raise ImageReadError("the volume holds values that are not finite numbers (NaN or infinity)", subject=path)


def partner_of(path: Path) -> Path | None:
    """The file of pixels (``.img``) beside a header (``.hdr``), or None."""
    base = path.with_suffix("") if path.suffix == ".gz" else path
    beside = (base.with_suffix(suffix) for suffix in (".img", ".img.gz"))
    return next((other for other in beside if other != path and other.is_file()), None)


def _content(path: Path, size: int) -> bytes:
    """The first ``size`` bytes, or as many as there are, decompressed."""
    opener = gzip.open if is_gzipped(path) else open
    parts: list[bytes] = []
    with opener(path, "rb") as file:
        try:
            while size > 0 and (part := file.read(min(size, 1 << 20))):
                parts.append(part)
                size -= len(part)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            pass  # a cut stream: what came before it is what there is
    return b"".join(parts)
