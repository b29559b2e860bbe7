"""One numeric matrix out of a MATLAB level 5 file, and nothing else.

SciPy's reader crashes the interpreter on some damaged files (bus error, SciPy 1.17), which a server cannot afford.
Layout: "MAT-File Format", The MathWorks, chapter 1. Versions 5 to 7 are read, compressed or not.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

_HEADER = 128
_ENDIAN_AT, _VERSION_AT = 126, 124
_ENDIANS = {b"IM": "<", b"MI": ">"}
_LEVEL_5 = 0x0100
_MATRIX, _COMPRESSED = 14, 15
_COMPLEX = 0x0800
#: Data type of an element to NumPy's.
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
#: A variable that unpacks to more than this is no list of landmarks.
_MOST_BYTES = 1 << 20


class UnsupportedError(ValueError):
    """The file is of MATLAB's version 7.3, which is HDF5."""


def read_matrix(content: bytes, name: str) -> np.ndarray:
    """The real numeric matrix called ``name``.

    Raises
    ------
    KeyError
        There is no such variable.
    UnsupportedError
        The file is of version 7.3.
    ValueError
        The file is damaged, or the variable is no real numeric matrix.
    """
    order = _ENDIANS.get(content[_ENDIAN_AT:_HEADER])
    if order is None:
        raise ValueError("its header is damaged")
    (version,) = struct.unpack_from(f"{order}H", content, _VERSION_AT)
    if version != _LEVEL_5:
        raise UnsupportedError("it is not of level 5")
    try:
        for kind, data in _elements(content[_HEADER:], order):
            if kind == _COMPRESSED:
                kind, data = next(_elements(zlib.decompressobj().decompress(data, _MOST_BYTES), order))
            if kind == _MATRIX:
                (_, flags), (_, shape), (_, label), *values = _elements(data, order)
                if bytes(label) == name.encode():
                    return _matrix(flags, shape, values, order)
    except (struct.error, zlib.error, StopIteration) as error:
        raise ValueError("it is cut off or damaged") from error
    raise KeyError(name)


def _elements(content: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Data type and content of each element in turn."""
    at = 0
    while at < len(content):
        kind, size = struct.unpack_from(f"{order}II", content, at)
        start = at + 8
        if kind >> 16:  # a small element: type and size share a word, the data follow in the next
            kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
        if start + size > len(content) or (start == at + 4 and size > 4):
            raise ValueError("it is cut off or damaged")
        yield kind, content[start : start + size]
        end = start + size
        at = end if kind == _COMPRESSED else end + -end % 8


def _matrix(flags: bytes, shape: bytes, values: list[tuple[int, bytes]], order: str) -> np.ndarray:
    dimensions = np.frombuffer(shape, f"{order}i4")
    (word,) = struct.unpack_from(f"{order}I", flags)
    if word & _COMPLEX or len(values) != 1 or values[0][0] not in _TYPES or (dimensions < 0).any():
        raise ValueError("the variable is no matrix of real numbers")
    kind, data = values[0]
    numbers = np.frombuffer(data, order + _TYPES[kind])
    return numbers.astype(np.float64).reshape(tuple(dimensions), order="F")
