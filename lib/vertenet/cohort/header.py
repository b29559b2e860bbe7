"""What the header of an image says of its origin, for the table: never a name, a birth date or a patient's number."""

from __future__ import annotations

import re
import warnings as python_warnings
from dataclasses import asdict, dataclass
from pathlib import Path

from ..imaging.identity import pseudonym
from ..imaging.sniff import Kind, sniff
from ..imaging.tags import text

_TAGS = (
    *("PatientID", "IssuerOfPatientID", "SOPInstanceUID", "StudyInstanceUID", "StudyDate", "Modality", "Manufacturer"),
    *("ManufacturerModelName", "ProtocolName", "PatientOrientation", "Rows", "Columns"),
)
_DATE = re.compile(r"(\d{4})[.]?(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Header:
    """Cells of the table of results under their columns' names; None where the file does not say."""

    patient: str | None = None
    sop_instance_uid: str | None = None
    manufacturer: str | None = None
    scanner: str | None = None
    study_month: str | None = None
    modality: str | None = None
    protocol: str | None = None
    orientation: str | None = None

    def cells(self) -> dict[str, str | None]:
        """What `vertenet.report.tables` has a column for."""
        return {name: value for name, value in asdict(self).items() if name not in ("protocol", "orientation")}


def header_of(path: Path, key: bytes) -> Header:
    """The header of a DICOM file; an empty one of any other, and of one whose header is damaged.

    Parameters
    ----------
    key : bytes
        The secret of the patients' pseudonyms; where it is empty there are none.
    """
    try:
        if sniff(path) is not Kind.DICOM:
            return Header()
        from ..imaging.dicom_file import open_dicom

        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore")
            ds = open_dicom(path, stop_before_pixels=True, specific_tags=list(_TAGS))
            said = {name: text(ds, name) or None for name in _TAGS}
    # pydicom raises some twenty types on damaged bytes. What is wrong is said by whoever reads the pixels.
    except Exception:
        return Header()
    date = _DATE.match(said["StudyDate"] or "")
    number, issuer = said["PatientID"], said["IssuerOfPatientID"] or ""
    return Header(
        pseudonym(number, issuer, key) if number and key else None,
        said["SOPInstanceUID"],
        said["Manufacturer"],
        said["ManufacturerModelName"],
        None if date is None else f"{date[1]}-{date[2]}",
        said["Modality"],
        said["ProtocolName"],
        said["PatientOrientation"],
    )
