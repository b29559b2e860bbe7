"""A DICOM file without the patient, for upload: a new file of the few elements that a reading needs.

What is kept is a list of what may stay; everything else goes, also what nobody thought of (private elements, overlays,
curves, free text, the preamble). Identifiers are replaced by keyed hashes (HMAC-SHA-256, RFC 2104): the same person and
the same image get the same pseudonym from one installation, so that a server never trains on a person whose images it
judges by, and nobody without the key can try out numbers. Follows the Basic Profile of PS3.15, annex E, with pixel
geometry, display and the model of the scanner kept.

Text that is burned into the picture is not found: `BurnedInError` is raised where the file says so, and a person looks.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import warnings as python_warnings
from pathlib import Path
from typing import TYPE_CHECKING

from vertenet.errors import ImageReadError, VerteNetError
from vertenet.files import beside

from .i18n import _
from .interfaces import Settings
from .jpeg import without_comments

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_KEY = "deidentify/secret"
#: What the picture is made of, how large it is, how it is shown, and what made it.
KEPT = frozenset(
    {"SOPClassUID", "Modality", "ImageType", "BurnedInAnnotation", "Manufacturer", "ManufacturerModelName"}
    | {"SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns"}
    | {"BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelAspectRatio", "PixelData"}
    | {"SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue", "PixelPaddingRangeLimit"}
    | {"LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"}
    | {"PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelSpacingCalibrationType"}
    | {"EstimatedRadiographicMagnificationFactor", "SpacingBetweenSlices", "SliceThickness"}
    | {"ImageOrientationPatient", "ImagePositionPatient", "PatientOrientation", "ViewPosition", "ImageLaterality"}
    | {"PixelIntensityRelationship", "PixelIntensityRelationshipSign", "PresentationLUTShape"}
    | {"RescaleIntercept", "RescaleSlope", "RescaleType", "ModalityLUTSequence", "ModalityLUTType"}
    | {"WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "LUTDescriptor", "LUTData"}
)
#: Free text of the scanner's maker: kept only where it is short and plain.
_WORDS = frozenset({"Manufacturer", "ManufacturerModelName"})
_LONGEST_WORD = 64
_METHOD = "VerteNet: elements of the picture only, keyed pseudonyms"
_PREAMBLE = bytes(128)


class BurnedInError(VerteNetError):
    """The file says that text is burned into its picture; a person has to look before it may go."""

    def __init__(self) -> None:
        super().__init__(
            _("This image says that text is burned into the picture, perhaps the patient's name"),
            remedy=_("Look at the picture, and confirm that it shows no name before you send it"),
        )


def installation_secret(settings: Settings) -> bytes:
    """The key of this installation's pseudonyms; made at first use, kept in the user's settings."""
    text = settings.get(_KEY)
    if len(text) != 64 or any(digit not in "0123456789abcdef" for digit in text):
        text = secrets.token_hex(32)
        settings.set(_KEY, text)
    return bytes.fromhex(text)


def deidentify(source: Path, target: Path, secret: bytes, *, burned_in_checked: bool = False) -> None:
    """Write ``source`` without the patient.

    Parameters
    ----------
    source, target : Path
        DICOM files; the same source gives the same bytes.
    secret : bytes
        `installation_secret`.
    burned_in_checked : bool
        A person has looked at the picture and seen no name.

    Raises
    ------
    BurnedInError
    ImageReadError
        The file is no DICOM image, or is damaged.
    """
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")  # pydicom's remarks on odd files may cite their values
        try:
            ds = dcmread(source)
            if str(ds.get("BurnedInAnnotation", "")).strip().upper() == "YES" and not burned_in_checked:
                raise BurnedInError
            _strip(ds, secret)
            with beside(target) as temporary:
                ds.save_as(temporary, write_like_original=False)
        except (InvalidDicomError, EOFError, KeyError, AttributeError, ValueError, TypeError, NotImplementedError) as e:
            raise ImageReadError(
                _("the DICOM file cannot be read, so it cannot be freed of the patient's data either"),
                subject=source.name,
                remedy=_("Export it again, or send the picture alone"),
            ) from e


def pseudonymous_id(content: Path, secret: bytes) -> str:
    """An id for the server, the same for the same file; file names often hold a patient's name."""
    return f"upload-{_hash(secret, 'file', content.read_bytes())[:20]}"


def is_dicom(path: Path) -> bool:
    """Whether a file opens as a DICOM file (PS3.10, section 7.1)."""
    try:
        with path.open("rb") as file:
            return file.read(len(_PREAMBLE) + 4)[len(_PREAMBLE) :] == b"DICM"
    except OSError:
        return False


def _strip(ds: Dataset, secret: bytes) -> None:
    """Leave only what is kept, in place."""
    from pydicom.dataset import FileMetaDataset

    if "PixelData" not in ds:
        raise KeyError("PixelData")
    number, issuer = (str(ds.get(name, "") or "").strip() for name in ("PatientID", "IssuerOfPatientID"))
    identifiers = {name: str(ds.get(name, "")) for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")}
    syntax = ds.file_meta.TransferSyntaxUID
    _keep_listed(ds)
    for name, value in identifiers.items():
        setattr(ds, name, _uid(secret, name, value))
    ds.PatientName = ""
    ds.PatientID = f"anon-{_hash(secret, 'person', f'{issuer}|{number}'.encode())[:24]}" if number else ""
    ds.PatientIdentityRemoved, ds.DeidentificationMethod = "YES", _METHOD
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.preamble = _PREAMBLE
    if syntax.is_compressed and not syntax.is_deflated:
        ds.PixelData = without_comments(ds.PixelData)
        ds["PixelData"].is_undefined_length = True
    else:
        _clean_pixels(ds, syntax)


def _keep_listed(ds: Dataset) -> None:
    for element in list(ds):
        keyword = element.keyword
        if element.tag.is_private or keyword not in KEPT or (keyword in _WORDS and not _is_word(element.value)):
            del ds[element.tag]
        elif element.VR == "SQ":
            for item in element.value:
                _keep_listed(item)


def _is_word(value: object) -> bool:
    text = str(value)
    return len(text) <= _LONGEST_WORD and text.isascii() and text.isprintable() and "^" not in text


def _clean_pixels(ds: Dataset, syntax: object) -> None:
    """Uncompressed pixels alone: neither what follows them, nor the bits above them, where old overlays live."""
    import numpy as np

    bits, stored = int(ds.BitsAllocated), int(ds.BitsStored)
    count = int(ds.Rows) * int(ds.Columns) * int(ds.SamplesPerPixel) * int(ds.get("NumberOfFrames") or 1)
    if bits not in (8, 16, 32) or not 0 < stored <= bits or len(ds.PixelData) < count * bits // 8:
        raise ValueError("the pixels are not as the header says")
    kind = "i" if int(ds.PixelRepresentation) else "u"
    order = "<" if syntax.is_little_endian else ">"
    values = np.frombuffer(ds.PixelData, f"{order}{kind}{bits // 8}", count)
    spare = bits - stored
    if spare:
        # Through the top and back: signed values keep their sign.
        values = ((values << spare) >> spare).astype(values.dtype)
    content = values.tobytes()
    ds.PixelData = content + b"\0" * (len(content) % 2)


def _uid(secret: bytes, name: str, value: str) -> str:
    """A UID under 2.25 (PS3.5, annex B.2) that stands for another one."""
    return f"2.25.{int(_hash(secret, name, value.encode())[:32], 16)}"


def _hash(secret: bytes, what: str, content: bytes) -> str:
    return hmac.new(secret, what.encode() + b"\0" + content, hashlib.sha256).hexdigest()
