"""Whose scan a DICOM file is, and which scanner made it: for fair splits of a cohort, never for a result."""

from __future__ import annotations

import hashlib
import hmac
import warnings as python_warnings
from pathlib import Path
from typing import NamedTuple

from .dicom_file import open_dicom
from .sniff import Kind, sniff
from .tags import text


class Identity(NamedTuple):
    """What a header says of an image's origin; None where it says nothing.

    Attributes
    ----------
    person : str or None
        A pseudonym: equal for equal PatientID (0010,0020) and IssuerOfPatientID (0010,0021), and not the number itself.
        Whoever knows the numbers can try them all, so it is no anonymisation.
    scanner : str or None
        ManufacturerModelName (0008,1090).
    """

    person: str | None
    scanner: str | None


def identity_of(path: Path) -> Identity:
    """The identity in a DICOM file's header; nothing of any other kind of file. Pixels are not read.

    Raises
    ------
    ImageReadError
        The file would unpack to more than an image may have.
    """
    if sniff(path) is not Kind.DICOM:
        return Identity(None, None)
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        tags = ["PatientID", "IssuerOfPatientID", "ManufacturerModelName"]
        header = open_dicom(path, stop_before_pixels=True, specific_tags=tags)
        number, issuer, model = (text(header, tag) for tag in tags)
    return Identity(pseudonym(number, issuer) if number else None, model or None)


def pseudonym(number: str, issuer: str, key: bytes | None = None) -> str:
    """Stands for the patient of this PatientID and IssuerOfPatientID: always the same one.

    Parameters
    ----------
    key : bytes, optional
        A secret (HMAC-SHA256): without it nobody can find the patient by trying all numbers. Left out, anybody can.
    """
    origin = f"{issuer}\0{number}".encode()
    digest = hashlib.sha256(origin) if key is None else hmac.new(key, origin, hashlib.sha256)
    return "patient-" + digest.hexdigest()[:16]
