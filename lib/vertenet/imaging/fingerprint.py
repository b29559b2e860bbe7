"""Which pixels a file holds: a hash that a label keeps of the image it was made on."""

from __future__ import annotations

import hashlib
import warnings as python_warnings
from pathlib import Path

from .nifti import partner_of
from .sniff import Kind, kind_of

#: Elements of a DICOM header without which the same bytes are another image.
_SHAPE = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "PixelRepresentation", "PhotometricInterpretation")
_CHUNK = 1 << 20


def pixels_sha256(path: Path) -> str:
    """SHA-256 of an image file's pixels as they are stored, 64 hexadecimal digits.

    Of a DICOM file the pixel data with their shape count, so that a header may be pseudonymised or completed. Of other
    files all bytes count, those of detached data included: what decoders make of them differs between versions.

    Raises
    ------
    ImageReadError
        The file is missing, no image, or would unpack to more than an image may have.
    OSError
        It cannot be read.
    """
    kind = kind_of(path)
    digest = hashlib.sha256()
    if kind is Kind.DICOM:
        for part in _dicom_parts(path):
            digest.update(part)
        return digest.hexdigest()
    for file in dict.fromkeys((path, _data_of(path, kind))):
        with file.open("rb") as content:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def _dicom_parts(path: Path) -> list[bytes]:
    from .dicom_file import open_dicom

    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        ds = open_dicom(path, specific_tags=[*_SHAPE, "PixelData", "FloatPixelData"])
        shape = repr([str(ds.get(name, "")) for name in _SHAPE])
        return [shape.encode(), ds.get("PixelData") or ds.get("FloatPixelData") or b""]


def _data_of(path: Path, kind: Kind) -> Path:
    """The file that holds the pixels: another one beside a header alone."""
    if kind is Kind.NIFTI:
        return partner_of(path) or path
    if kind in (Kind.NRRD, Kind.META):
        from .volume import data_file

        return data_file(path, kind)[0]
    return path
