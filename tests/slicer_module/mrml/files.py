"""Small radiographs in every way that a file can say, or not say, where its pixels are and what they measure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from vertenet.spine import STANDARD_LEVELS, Spine

ROWS, COLUMNS = 96, 64
CLASSES = {
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "OT": "1.2.840.10008.5.1.4.1.1.7",  # secondary capture
}
SPACINGS = {
    "no spacing": {},
    "PixelSpacing": {"PixelSpacing": ["0.5", "0.25"]},
    "ImagerPixelSpacing": {"ImagerPixelSpacing": ["0.5", "0.25"]},
    "both alike": {"PixelSpacing": ["0.5", "0.25"], "ImagerPixelSpacing": ["0.5", "0.25"]},
    "both": {"PixelSpacing": ["0.4", "0.3"], "ImagerPixelSpacing": ["0.5", "0.25"]},
    "NominalScannedPixelSpacing": {"NominalScannedPixelSpacing": ["0.5", "0.25"]},
}
ORIENTATIONS = {
    "no orientation": {},
    "axial": {"ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"], "ImagePositionPatient": ["5", "-7", "11"]},
    "sagittal": {"ImageOrientationPatient": ["0", "-1", "0", "0", "0", "-1"], "ImagePositionPatient": ["3", "8", "90"]},
}


def pixels(bits: int = 8) -> np.ndarray:
    """(ROWS, COLUMNS) integers that use all ``bits`` and are like no mirror image of themselves."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    ramp = (3 * x + 7 * y) / (3 * (COLUMNS - 1) + 7 * (ROWS - 1))
    return np.rint(ramp * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def spine() -> Spine:
    """Six vertebrae at pixel positions that no rounding would leave alone."""
    corners = np.array([[40.37, 4.21], [20.59, 5.13], [40.83, 13.77], [20.11, 13.41]])
    return Spine.from_array(corners + np.array([[[0.3 * i, 14.6 * i]] for i in range(len(STANDARD_LEVELS))]))


def dicom(path: Path, stored: np.ndarray | None = None, *, modality: str = "DX", bits: int = 8, **elements) -> Path:
    """Write a DICOM file with ``stored`` pixels; ``elements`` by keyword go before the usual ones."""
    stored = pixels(bits) if stored is None else stored
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CLASSES[modality]
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.is_little_endian, data.is_implicit_VR = True, False
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality = modality
    data.PatientName = "Nobody^Really"
    data.Rows, data.Columns = stored.shape[:2]
    data.SamplesPerPixel = 3 if stored.ndim == 3 else 1
    data.PhotometricInterpretation = "RGB" if stored.ndim == 3 else "MONOCHROME2"
    if stored.ndim == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated = 8 * stored.dtype.itemsize
    data.BitsStored, data.HighBit, data.PixelRepresentation = bits, bits - 1, int(stored.dtype.kind == "i")
    data.PixelData = stored.tobytes()
    data["PixelData"].VR = "OB" if bits == 8 else "OW"
    for keyword, value in elements.items():
        setattr(data, keyword, value)
    data.save_as(path, write_like_original=False)
    return path


def raster(path: Path, stored: np.ndarray | None = None, **options) -> Path:
    """Write a PNG, JPEG or TIFF file, by the extension."""
    Image.fromarray(pixels() if stored is None else stored).save(path, **options)
    return path


def volume(path: Path, direction=(1, 0, 0, 0, 1, 0, 0, 0, 1), spacing=(0.25, 0.5, 1.0)) -> Path:
    """Write a NIfTI, NRRD or MetaImage volume of one slice, by the extension."""
    image = SimpleITK.GetImageFromArray(pixels(12).astype(np.int16)[None])
    image.SetDirection(direction)
    image.SetSpacing(spacing)
    image.SetOrigin((12.5, -30.25, 7.75))
    SimpleITK.WriteImage(image, str(path))
    return path
