"""DICOM files to Radiograph: one grey frame, bone bright, with its spacing and orientation as far as stated."""

from __future__ import annotations

import warnings as python_warnings
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.pixel_data_handlers.util import convert_color_space, get_expected_length
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from ..errors import ImageReadError
from ..radiograph import Radiograph
from .colour import grey_of
from .dicom_file import check_compressed, open_dicom
from .dicom_geometry import dicom_geometry
from .intensity import as_display
from .limits import check_size
from .orientation import dicom_anterior
from .spacing import dicom_spacing
from .tags import numbers, text
from .voi import to_display

#: What is kept with a result. Nothing here names a patient.
KEPT = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "Manufacturer",
    "ManufacturerModelName",
    "ViewPosition",
    "PhotometricInterpretation",
)
#: Modalities of projection images; others are read with a warning. BMD and RG are bone densitometry and radiography.
PROJECTION_MODALITIES = ("DX", "CR", "OT", "SC", "BMD", "RG")
_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


def read_dicom(path: Path, magnification: float | None) -> Radiograph:
    """The one grey frame of a DICOM file.

    Parameters
    ----------
    path : Path
    magnification : float or None
        Given by the user, for sizes stated at the detector.

    Raises
    ------
    ImageReadError
        No pixels, several frames, colour, an encoding whose decoder is not installed, or damage.
    """
    warnings: list[str] = []
    # pydicom warns of oddities (unknown characters, spare bytes) that are no business of a reader of images.
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        ds = _header(path)
        if text(ds, "Modality") not in PROJECTION_MODALITIES:
            warnings.append(f"The modality is {text(ds, 'Modality') or 'not given'}, not one of radiographs")
        pixels = _display(path, ds, warnings)
        spacing = dicom_spacing(ds, magnification, warnings)
        anterior = dicom_anterior(ds, path, warnings)
        metadata = {keyword: text(ds, keyword) for keyword in KEPT if text(ds, keyword)}
        geometry = dicom_geometry(ds, warnings)
    return Radiograph(
        pixels,
        spacing=spacing,
        anterior=anterior,
        name=path.name,
        metadata=metadata,
        warnings=tuple(warnings),
        geometry=geometry,
    )


def _header(path: Path) -> FileDataset:
    """The whole data set, after its header alone has shown that it holds one grey image of a possible size."""
    header = open_dicom(path, stop_before_pixels=True)
    rows, columns, frames = (numbers(header, name) for name in ("Rows", "Columns", "NumberOfFrames"))
    if not rows or not columns:
        raise ImageReadError("the DICOM file holds no image (Rows and Columns are missing)", subject=path)
    if frames and frames[0] > 1:
        raise ImageReadError(
            f"the DICOM file holds {int(frames[0])} frames, but one is needed",
            subject=path,
            remedy="Export the lateral view as a single frame",
        )
    samples, bits = (numbers(header, name) for name in ("SamplesPerPixel", "BitsAllocated"))
    bytes_a_pixel = (samples or (1,))[0] * (bits or (8,))[0] / 8
    check_size(path, int(rows[0]), int(columns[0]), bytes_a_pixel)
    interpretation = text(header, "PhotometricInterpretation")
    if interpretation not in _GREY + _COLOUR:
        raise ImageReadError(
            f"the photometric interpretation is {interpretation or 'missing'}, but MONOCHROME1 or 2 is needed",
            subject=path,
        )
    ds = open_dicom(path)
    if "PixelData" not in ds:
        raise ImageReadError("the DICOM file has no pixel data", subject=path, remedy="Copy it again")
    return ds


def _display(path: Path, ds: FileDataset, warnings: list[str]) -> np.ndarray:
    stored = _decoded(path, ds)
    interpretation = text(ds, "PhotometricInterpretation")
    if interpretation in _GREY and stored.ndim == 2:
        return to_display(ds, stored, warnings)
    if stored.ndim != 3 or stored.shape[-1] != 3:
        raise ImageReadError(f"the pixels have shape {stored.shape}, but one grey frame is needed", subject=path)
    if interpretation.startswith("YBR"):
        stored = convert_color_space(stored, interpretation, "RGB")
    return as_display(grey_of(stored, path))


def _decoded(path: Path, ds: FileDataset) -> np.ndarray:
    """Pixels as stored, decompressed."""
    if "TransferSyntaxUID" not in ds.file_meta:  # a bare data set: the encoding it was parsed with is the answer
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if ds.is_implicit_VR else ExplicitVRLittleEndian
    # Fewer bytes than samples where colour is stored once for two pixels, so the length is pydicom's to tell.
    if not ds.file_meta.TransferSyntaxUID.is_compressed:
        if len(ds.PixelData) < get_expected_length(ds):
            raise ImageReadError("the file ends before its pixel data do", subject=path, remedy="Copy it again")
    elif ds.file_meta.TransferSyntaxUID.is_encapsulated:
        check_compressed(path, ds)
    try:
        return ds.pixel_array
    except (RuntimeError, NotImplementedError) as error:
        if isinstance(error, NotImplementedError) or "missing" in str(error):
            syntax = ds.file_meta.TransferSyntaxUID.name
            raise ImageReadError(
                f"the pixels are compressed ({syntax}) and no decoder for that is installed",
                subject=path,
                remedy="Run: pip install 'vertenet[imaging]'",
            ) from error
        raise
