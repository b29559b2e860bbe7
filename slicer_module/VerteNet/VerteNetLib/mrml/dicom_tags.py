"""The few DICOM elements that decide how an image is shown and what a pixel measures, kept with the volume.

ITK gives pixels after the rescale, MONOCHROME1 turned round, and nothing else: no window, no VOI LUT, no padding, and
of the spacing only what its own rules take. So the elements are read from the file and kept as DICOM JSON (PS3.18 F) on
the node, where they survive a saved scene. None of them names a patient.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vertenet.errors import ImageReadError
from vertenet.imaging.tags import numbers, text

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

KEPT = (
    "Modality",
    "Rows",
    "Columns",
    "ViewPosition",
    "PatientOrientation",
    "ImageOrientationPatient",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "PixelAspectRatio",
    "PixelSpacingCalibrationType",
    "EstimatedRadiographicMagnificationFactor",
    "PhotometricInterpretation",
    "BitsStored",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleIntercept",
    "RescaleSlope",
    "ModalityLUTSequence",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "VOILUTSequence",
)


def read_tags(path: Path) -> Dataset:
    """The elements of a file that are kept.

    Raises
    ------
    ImageReadError
        Several frames, no image, a file that is cut off, or no DICOM.
    """
    # pydicom takes a tenth of a second to import, and a PNG does not need it.
    from pydicom import dcmread
    from pydicom.dataset import Dataset
    from pydicom.errors import InvalidDicomError

    try:
        header = dcmread(str(path), force=True)
    except (InvalidDicomError, EOFError, ValueError, OSError) as error:
        raise ImageReadError("the DICOM header is damaged", subject=path, remedy="Copy it again") from error
    if not numbers(header, "Rows") or not numbers(header, "Columns"):
        raise ImageReadError("the DICOM file holds no image (Rows and Columns are missing)", subject=path)
    frames = numbers(header, "NumberOfFrames")
    if frames and frames[0] > 1:
        raise ImageReadError(
            f"the DICOM file holds {int(frames[0])} frames, but one is needed",
            subject=path,
            remedy="Export the lateral view as a single frame",
        )
    _check_complete(path, header)
    kept = Dataset()
    for keyword in KEPT:
        if keyword in header:
            kept.add(header[keyword])
    for keyword in ("ModalityLUTSequence", "VOILUTSequence"):
        for table in kept.get(keyword) or ():
            _spell_out(table)
    return kept


def _check_complete(path: Path, data: Dataset) -> None:
    """Refuse a file that ends before its pixels do: ITK fills what is missing and says nothing."""
    syntax = data.file_meta.get("TransferSyntaxUID") if hasattr(data, "file_meta") else None
    expected = 1
    for keyword in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated"):
        expected *= int((numbers(data, keyword) or (1,))[0])
    present = len(data.PixelData) if "PixelData" in data else 0
    if not present or (not (syntax and syntax.is_compressed) and present < expected // 8):
        raise ImageReadError("the file ends before its pixel data do", subject=path, remedy="Copy it again")


def _spell_out(table: Dataset) -> None:
    """Make the entries of a look-up table numbers: as bytes their order would be lost in JSON."""
    if isinstance(table.LUTData, bytes):
        entries = np.frombuffer(table.LUTData, "<u2").tolist()
        table["LUTData"].VR = "US"
        table["LUTData"].value = entries


def transfer_syntax(path: Path) -> str:
    """Name of the encoding of the pixels, for a message."""
    from pydicom import dcmread

    header = dcmread(str(path), stop_before_pixels=True, force=True)
    return header.file_meta.TransferSyntaxUID.name if "TransferSyntaxUID" in header.file_meta else "unknown encoding"


def to_json(tags: Dataset) -> str:
    return json.dumps(tags.to_json_dict())


def from_json(content: str) -> Dataset:
    from pydicom.dataset import Dataset

    return Dataset.from_json(content)


def display_pixels(tags: Dataset, values: np.ndarray, warnings: list[str]) -> np.ndarray:
    """Display values of what ITK made of the stored ones, by the pipeline of `vertenet.imaging.voi`.

    Parameters
    ----------
    tags : Dataset
        Of `read_tags`.
    values : (rows, columns) array
        Of the volume: already rescaled, and bright where the image is.
    warnings : list of str
        Sentences are appended where something in the file had to be passed over.

    Returns
    -------
    (rows, columns) float32, 0 to 255, bone bright.
    """
    from vertenet.imaging.voi import to_display

    working = from_json(to_json(tags))
    slope = (numbers(tags, "RescaleSlope") or (1.0,))[0]
    intercept = (numbers(tags, "RescaleIntercept") or (0.0,))[0]
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        if numbers(tags, keyword):
            working[keyword].VR = "DS"  # rescaled, it may be no integer any more
            working[keyword].value = repr(numbers(tags, keyword)[0] * slope + intercept)
    if "RescaleSlope" in working and "RescaleIntercept" in working:
        # Applied already; that there was one still decides whether 8-bit values are shown as they are.
        working.RescaleSlope, working.RescaleIntercept = 1, 0
    if text(tags, "PhotometricInterpretation") == "MONOCHROME1":
        values = _as_stored(tags, values, slope, intercept)
    working.BitsAllocated = working.BitsStored = values.dtype.itemsize * 8
    return to_display(working, values, warnings)


def _as_stored(tags: Dataset, values: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    """Values of a MONOCHROME1 image as the standard means them, high for dark.

    GDCM replaces a stored value by what is as far from the other end of the range of BitsStored, then rescales.
    """
    span = 2 ** int(numbers(tags, "BitsStored")[0])
    ends = -1 if numbers(tags, "PixelRepresentation") == (1.0,) else span - 1
    turned = ends * slope + 2 * intercept - values.astype(np.float64)
    return turned.astype(values.dtype) if np.issubdtype(values.dtype, np.integer) else turned
