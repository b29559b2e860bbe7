"""Opening a DICOM file without unpacking more of it than an image may have.

A file of 1 MB in the deflated transfer syntax can hold a gigabyte, and a compressed image inside of any file can be of
another size than Rows and Columns say. Both are looked at before pydicom and its decoders allocate what they need.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import generate_pixel_data_frame
from pydicom.errors import InvalidDicomError
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from ..errors import ImageReadError
from .limits import MAX_PIXELS

#: What a deflated data set may unpack to: 16 bits for each of `MAX_PIXELS`, and half as much for all the rest.
MAX_INFLATED = 3 * MAX_PIXELS
_CHUNK = 1 << 16
#: Encoders pad; a segment of run lengths with more than twice its pixels is no image.
_RUN_LENGTH_SLACK = 2
#: Start of frame of JPEG and JPEG-LS (ISO/IEC 10918-1 table B.1, 14495-1 C.1.1): all of C0 to CF but these, and F7.
_NO_FRAME = (0xC4, 0xC8, 0xCC)
_JPEG, _JPEG_2000 = b"\xff\xd8", b"\xff\x4f\xff\x51"


def open_dicom(path: Path, **options: Any) -> FileDataset:
    """``pydicom.dcmread`` of a file whose data set, if deflated, unpacks to no more than `MAX_INFLATED` bytes.

    Raises
    ------
    ImageReadError
        It unpacks to more.
    """
    with path.open("rb") as file:
        _check_inflated(path, file)
        file.seek(0)
        return dcmread(file, force=True, **options)


def check_compressed(path: Path, ds: FileDataset) -> None:
    """Raise `ImageReadError` where the compressed image in ``ds`` unpacks to more than Rows and Columns say.

    Encodings that are not known here are left to their decoder.
    """
    frame = next(generate_pixel_data_frame(ds.PixelData, 1))
    stated = int(ds.Rows), int(ds.Columns)
    if ds.file_meta.TransferSyntaxUID == RLELossless:
        _check_run_lengths(path, frame, stated[0] * stated[1])
        return
    found = _size_of(frame)
    if found is not None and found != stated:
        raise ImageReadError(
            f"the compressed image in the file has {found[1]} x {found[0]} pixels, "
            f"but its header says {stated[1]} x {stated[0]}",
            subject=path,
            remedy="Export it again",
        )


def _check_inflated(path: Path, file: BinaryIO) -> None:
    try:
        read_preamble(file, True)
        meta = _read_file_meta_info(file)
    except (InvalidDicomError, EOFError, struct.error, NotImplementedError, ValueError, KeyError, AttributeError):
        return  # whatever it is, pydicom will say so, and inflates nothing without this header
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    unpacker, unpacked = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while chunk := file.read(_CHUNK):
        while chunk:
            # One chunk may unpack to a thousand times its size, so what comes out is limited as well.
            unpacked += len(unpacker.decompress(chunk, _CHUNK))
            chunk = unpacker.unconsumed_tail
            if unpacked > MAX_INFLATED:
                raise ImageReadError(
                    f"its deflated content would unpack to more than {MAX_INFLATED >> 20} MiB",
                    subject=path,
                    remedy="Check the file; a radiograph is never that large",
                )


def _check_run_lengths(path: Path, frame: bytes, pixels: int) -> None:
    """Walk the run lengths (PS3.5 annex G) without writing them out."""
    count, *offsets = struct.unpack("<16L", frame[:64])
    starts = [*offsets[: min(count, 15)], len(frame)]
    for start, end in zip(starts, starts[1:]):
        position, decoded = start, 0
        while position < end:
            control = frame[position]
            if control < 128:
                decoded, position = decoded + control + 1, position + control + 2
            elif control > 128:
                decoded, position = decoded + 257 - control, position + 2
            else:
                position += 1
            if decoded > _RUN_LENGTH_SLACK * pixels + 64:
                raise ImageReadError(
                    "its run lengths unpack to more pixels than its header says", subject=path, remedy="Export it again"
                )


def _size_of(frame: bytes) -> tuple[int, int] | None:
    """(rows, columns) of a JPEG, JPEG-LS or JPEG 2000 code stream; None where its header is none of these."""
    at = frame.find(_JPEG_2000, 0, 4096)  # it may stand in a JP2 file
    if at >= 0 and len(frame) >= at + 24:
        right, down, left, up = struct.unpack(">4I", frame[at + 8 : at + 24])  # ISO/IEC 15444-1, A.5.1
        return down - up, right - left
    if not frame.startswith(_JPEG):
        return None
    position = 2
    while position + 9 <= len(frame) and frame[position] == 0xFF:
        marker = frame[position + 1]
        if marker == 0xFF:  # fill
            position += 1
        elif (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME) or marker == 0xF7:
            return struct.unpack(">2H", frame[position + 5 : position + 9])
        else:
            position += 2 + int.from_bytes(frame[position + 2 : position + 4], "big")
    return None
