"""Where 3D Slicer puts the pixels of a DICOM file: what GDCM makes of the few elements that decide it.

GDCM is asked with a file of its own that holds nothing but these elements. On damaged files it allocates whatever
length an element claims, and a server has to survive those.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import format_number_as_ds

from ..radiograph import ViewerGeometry
from .geometry import viewer_geometry
from .tags import numbers, text

_DECIDING = (
    "PixelSpacing",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "PixelAspectRatio",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "SpacingBetweenSlices",
    "SliceThickness",
)
_SIDE = 2


def dicom_geometry(ds: Dataset, warnings: list[str]) -> ViewerGeometry:
    """Pixel to LPS as ITK, and so 3D Slicer, reads this data set; identity, with a warning, where it cannot."""
    probe = Dataset()
    probe.SOPClassUID = text(ds, "SOPClassUID")
    probe.SOPInstanceUID = generate_uid()
    probe.Modality = text(ds, "Modality")
    probe.Rows = probe.Columns = _SIDE
    probe.SamplesPerPixel, probe.PhotometricInterpretation = 1, "MONOCHROME2"
    probe.BitsAllocated, probe.BitsStored, probe.HighBit, probe.PixelRepresentation = 8, 8, 7, 0
    probe.PixelData = bytes(_SIDE * _SIDE)
    for keyword in _DECIDING:
        values = numbers(ds, keyword)
        if values:
            setattr(probe, keyword, [format_number_as_ds(value) for value in values])
    probe.file_meta = FileMetaDataset()
    probe.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    probe.file_meta.MediaStorageSOPClassUID = probe.SOPClassUID
    probe.file_meta.MediaStorageSOPInstanceUID = probe.SOPInstanceUID
    probe.is_little_endian, probe.is_implicit_VR = True, False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.dcm"
        probe.save_as(path, write_like_original=False)
        return viewer_geometry(path, warnings)
