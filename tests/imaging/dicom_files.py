"""DICOM files for tests, written with pydicom; compressed ones with the encoders that are at hand."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pillow_jpls  # noqa: F401  (registers JPEG-LS with Pillow)
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, generate_uid

SOP_CLASSES = {
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
}
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"


def ramp(rows: int = 48, columns: int = 40, bits: int = 12, signed: bool = False) -> np.ndarray:
    """(rows, columns) integers that use the whole range of ``bits``, smooth enough for any codec."""
    y, x = np.mgrid[:rows, :columns]
    values = (x * (rows - 1) + y * (columns - 1)) / (2 * (rows - 1) * (columns - 1)) * (2**bits - 1)
    if signed:
        return (np.rint(values) - 2 ** (bits - 1)).astype(np.int8 if bits <= 8 else np.int16)
    return np.rint(values).astype(np.uint8 if bits <= 8 else np.uint16)


def dataset(stored: np.ndarray, *, kind: str = "DX", bits: int | None = None, **elements) -> Dataset:
    """An uncompressed data set with ``stored`` as its pixels; ``elements`` by keyword, None removes one."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = SOP_CLASSES[kind]
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid(entropy_srcs=[kind])
    ds.is_little_endian, ds.is_implicit_VR = True, False
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(entropy_srcs=["1"]), generate_uid(entropy_srcs=["2"])
    ds.Modality = "OT" if kind == "SC" else kind
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = "Doe^Jane", "SECRET-4711", "19400101"
    ds.Manufacturer, ds.ManufacturerModelName = "HOLOGIC", "Horizon"
    ds.Rows, ds.Columns = stored.shape[:2]
    ds.SamplesPerPixel = 1 if stored.ndim == 2 else stored.shape[2]
    ds.PhotometricInterpretation = "MONOCHROME2" if stored.ndim == 2 else "RGB"
    if stored.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = stored.dtype.itemsize * 8
    ds.BitsStored = bits or ds.BitsAllocated
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(stored.dtype.kind == "i")
    ds.PixelData = stored.tobytes()
    for keyword, value in elements.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def save(ds: Dataset, path: Path) -> Path:
    ds.save_as(path, write_like_original=False)
    return path


def compressed(stored: np.ndarray, syntax: str, *, bits: int | None = None, **elements) -> Dataset:
    """The same as `dataset` with its pixels compressed."""
    ds = dataset(stored, bits=bits, **elements)
    if syntax == RLELossless:
        ds.compress(RLELossless, stored, encoding_plugin="pydicom")
        return ds
    ds.PixelData = encapsulate([_encoders()[syntax](stored)])
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = syntax
    return ds


def _encoders():
    return {
        JPEG_BASELINE: lambda a: _pillow(a, "JPEG", quality=100, subsampling=0),
        JPEG_EXTENDED: lambda a: _pillow(a, "JPEG", quality=100, subsampling=0),
        JPEG_2000_LOSSLESS: lambda a: _pillow(a, "JPEG2000", irreversible=False, no_jp2=True),
        JPEG_LOSSLESS: lossless_jpeg,
        JPEG_LS_LOSSLESS: lambda a: _pillow(a, "JPEG-LS"),
    }


def _pillow(array: np.ndarray, format: str, **options) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, format, **options)
    return out.getvalue()


def lossless_jpeg(array: np.ndarray) -> bytes:
    """ISO/IEC 10918-1 process 14 with the first-order predictor 1: Pillow and pydicom cannot write it.

    One Huffman table gives every category 0 to 16 a code of five bits.
    """
    rows, columns = array.shape
    precision = array.dtype.itemsize * 8
    a = array.astype(np.int64)
    predicted = np.empty_like(a)
    predicted[:, 1:] = a[:, :-1]
    predicted[1:, 0] = a[:-1, 0]
    predicted[0, 0] = 1 << (precision - 1)
    difference = (a - predicted + 32768) % 65536 - 32768
    bits = []
    for value in difference.ravel().tolist():
        category = abs(value).bit_length()
        bits.append(f"{category:05b}")
        if category and category < 16:
            bits.append(f"{value if value > 0 else value + (1 << category) - 1:0{category}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    data = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")

    def segment(marker: int, content: bytes) -> bytes:
        return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content

    frame = bytes([precision]) + rows.to_bytes(2, "big") + columns.to_bytes(2, "big") + bytes([1, 1, 0x11, 0])
    lengths = [0, 0, 0, 0, 17] + [0] * 11
    return (
        b"\xff\xd8"
        + segment(0xC3, frame)
        + segment(0xC4, bytes([0, *lengths, *range(17)]))
        + segment(0xDA, bytes([1, 1, 0, 1, 0, 0]))
        + data
        + b"\xff\xd9"
    )
