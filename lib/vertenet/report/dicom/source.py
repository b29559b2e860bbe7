"""The image that a DICOM result is of: what of its header every result repeats, cleaned and completed.

The file itself is only read.
"""

from __future__ import annotations

import re
import warnings as python_warnings
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pydicom.valuerep import DA, TM

from ...errors import ImageReadError, OptionError
from ...imaging.dicom_file import open_dicom
from ...imaging.sniff import Kind, kind_of

#: Type 2 of patient and study: present in every result, empty where the image lacks them.
_ALWAYS = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
)
_WHERE_GIVEN = (
    *("IssuerOfPatientID", "PatientIdentityRemoved", "DeidentificationMethod", "PatientAge", "StudyDescription"),
    *("Modality", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation"),
    *("BitsAllocated", "BitsStored", "PixelRepresentation", "FrameOfReferenceUID", "PatientOrientation"),
    *("RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence"),
    *("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"),
)
_UIDS = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
_SEXES = ("M", "F", "O")
_PARSERS = {"PatientBirthDate": DA, "StudyDate": DA, "StudyTime": TM}
_AGE = re.compile(r"\d{3}[DWMY]")


def image_header(path: Path) -> Dataset:
    """What results repeat of a DICOM image, text decoded; missing, impossible and doubtful values are left empty.

    Raises
    ------
    OptionError
        The file is no DICOM image.
    ImageReadError
        It cannot be read, or lacks the identifiers by which a result refers to it.
    """
    if kind_of(path) is not Kind.DICOM:
        raise OptionError(
            "the image is no DICOM file, so no DICOM result can refer to it",
            subject=path,
            remedy="Give the DICOM file of the image, or leave out --dicom",
        )
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        stored = open_dicom(path, stop_before_pixels=True, specific_tags=[*_ALWAYS, *_WHERE_GIVEN, *_UIDS])
        header = Dataset()
        for keyword in (*_ALWAYS, *_WHERE_GIVEN, *_UIDS):
            value = _value(stored, keyword)
            if value is not None or keyword in _ALWAYS:
                setattr(header, keyword, value)
    for keyword in _UIDS:
        if not UID(header.get(keyword) or "").is_valid:
            raise ImageReadError(
                f"the file has no valid {keyword}, so no DICOM result can refer to it",
                subject=path,
                remedy="Export it from the scanner or the PACS again",
            )
    if "Image Storage" not in UID(header.SOPClassUID).name:
        raise ImageReadError(
            f"the SOP class {header.SOPClassUID} is not one of images, so no DICOM result can refer to it", subject=path
        )
    return header


def _value(stored: Dataset, keyword: str) -> object:
    """The element's value as plain text, number or sequence; None where it is absent or breaks its own rules."""
    try:
        value = stored.get(keyword)
    except (ValueError, TypeError):  # pydicom converts on access
        return None
    if value is None or value == "":
        return None
    if keyword == "PatientSex":
        return value if value in _SEXES else None
    if keyword == "PatientAge":
        return value if _AGE.fullmatch(str(value)) else None
    if keyword in _PARSERS:
        try:
            return str(_PARSERS[keyword](value))
        except (ValueError, TypeError):
            return None
    return str(value) if stored[keyword].VR == "PN" else value
