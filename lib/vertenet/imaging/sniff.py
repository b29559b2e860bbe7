"""What a file is, told from its first bytes: extensions lie, and DICOM files often have none."""

from __future__ import annotations

import gzip
import re
import zlib
from enum import Enum
from pathlib import Path

from ..errors import ImageReadError


class Kind(str, Enum):
    """The kinds of image file that are read, worded for a message."""

    DICOM = "DICOM"
    PNG = "PNG"
    JPEG = "JPEG"
    TIFF = "TIFF"
    NIFTI = "NIfTI"
    NRRD = "NRRD"
    META = "MetaImage"

    __str__ = str.__str__


_HEAD = 512
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"II*\x00", Kind.TIFF),
    (b"MM\x00*", Kind.TIFF),
    (b"II+\x00", Kind.TIFF),
    (b"MM\x00+", Kind.TIFF),
    (b"NRRD000", Kind.NRRD),
)
_NIFTI_MAGIC = (b"n+1\0", b"ni1\0")
_NIFTI_MAGIC_AT = 344
_VALUE_REPRESENTATION = re.compile(rb"A[EST]|CS|D[AST]|F[DL]|IS|L[OT]|O[BW]|PN|S[HLQST]|TM|U[ILNST]")


def kind_of(path: Path) -> Kind:
    """What an image file is, by its content.

    Raises
    ------
    ImageReadError
        It is missing, empty, no file, or none of the kinds.
    """
    try:
        if path.is_dir():
            raise ImageReadError("this is a folder, but an image file is needed", subject=path)
        if not path.is_file():
            problem = "this is no ordinary file" if path.exists() else "there is no such file"
            raise ImageReadError(problem, subject=path)
        if path.stat().st_size == 0:
            raise ImageReadError("the file is empty", subject=path, remedy="Copy or export it again")
        kind = sniff(path)
    except OSError as error:
        raise ImageReadError(f"the file cannot be opened ({error.strerror})", subject=path) from error
    if kind is None:
        raise ImageReadError(
            "the content is none of DICOM, PNG, JPEG, TIFF, NIfTI, NRRD and MetaImage",
            subject=path,
            remedy="Check that it is an image and complete",
        )
    return kind


def sniff(path: Path) -> Kind | None:
    """The kind of the file at ``path``, or None where its content is none of them."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    # First of all: the preamble of a DICOM file is free, and may be the header of another kind (PS3.10, section 7.1).
    if head[128:132] == b"DICM":
        return Kind.DICOM
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if _is_bare_dicom(head):
        return Kind.DICOM
    if head.startswith(b"\x1f\x8b"):
        head = _inflate(path)
    if head[_NIFTI_MAGIC_AT : _NIFTI_MAGIC_AT + 4] in _NIFTI_MAGIC:
        return Kind.NIFTI
    if head.lstrip().startswith((b"ObjectType", b"NDims")):
        return Kind.META
    return None


def is_gzipped(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _is_bare_dicom(head: bytes) -> bool:
    """A DICOM data set without the 128-byte preamble: it opens with a short element of group 0002 or 0008."""
    if len(head) < 8 or head[0] not in (0x02, 0x08) or head[1] != 0 or head[3] != 0:
        return False
    return _VALUE_REPRESENTATION.fullmatch(head[4:6]) is not None or int.from_bytes(head[4:8], "little") <= 64


def _inflate(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(_HEAD)
    except (OSError, EOFError, zlib.error):
        return b""
