"""Compressed pixels without what else a JPEG stream may carry: comments and application data, such as Exif.

ISO/IEC 10918-1, annex B (JPEG) and ISO/IEC 14495-1 (JPEG-LS) share the segments that come before the scan. Other
codings (JPEG 2000, RLE) are left as they are.
"""

from __future__ import annotations

_START, _SCAN = b"\xff\xd8", 0xDA
_COMMENT = 0xFE
_APPLICATION = range(0xE0, 0xF0)
#: Adobe's: tells how colours are stored. JPEG-LS decoders need its colour transform, APP8.
_NEEDED = {0xEE, 0xE8}


def without_comments(encapsulated: bytes) -> bytes:
    """The encapsulated PixelData of one frame (PS3.5, annex A.4) with the segments of text taken out.

    Raises
    ------
    ValueError
        The items of the encapsulation do not fit.
    """
    from pydicom.encaps import encapsulate

    frame = b"".join(_fragments(encapsulated))
    return encapsulate([_cleaned(frame)]) if frame.startswith(_START) else encapsulated


def _fragments(data: bytes) -> list[bytes]:
    """The fragments after the offset table."""
    found, at = [], 0
    while at + 8 <= len(data):
        tag, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if tag == b"\xfe\xff\xdd\xe0":
            break
        if tag != b"\xfe\xff\x00\xe0" or at + 8 + size > len(data):
            raise ValueError("the compressed pixels are damaged")
        found.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return found[1:]


def _cleaned(stream: bytes) -> bytes:
    kept, at = [_START], 2
    while at + 4 <= len(stream):
        marker = stream[at + 1]
        if stream[at] != 0xFF:
            raise ValueError("the compressed pixels are damaged")
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == _SCAN:
            break
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        if marker != _COMMENT and (marker not in _APPLICATION or marker in _NEEDED):
            kept.append(stream[at:end])
        at = end
    return b"".join(kept) + stream[at:]
