"""A phantom as a DICOM object: a synthetic patient, every identifier derived from the seed."""

from __future__ import annotations

import hashlib
import io

import numpy as np

from .truth import Phantom

_STORAGE = {
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray Image Storage - For Presentation
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "OT": "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture
}


def dicom_bytes(phantom: Phantom, pixels: np.ndarray, bits: int, modality: str = "DX") -> bytes:
    """The file's bytes.

    Parameters
    ----------
    phantom : Phantom
    pixels : (rows, columns) uint8 or uint16
        Stored with ``bits`` bits; turned round when the phantom's ``monochrome1`` is on.
    modality : {"DX", "CR", "OT"}
        DX carries ImagerPixelSpacing and its magnification too, CR and OT PixelSpacing alone.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    radiograph, truth = phantom
    uid = _uids(
        f"{radiograph.name}|{truth.difficulty}|{hashlib.sha256(truth.to_json().encode()).hexdigest()}|{modality}"
    )
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = _STORAGE[modality]
    meta.MediaStorageSOPInstanceUID = uid("instance")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid("implementation")
    meta.ImplementationVersionName = "VERTENET_PHANTOM"

    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.is_little_endian, data.is_implicit_VR = True, False
    data.SpecificCharacterSet = "ISO_IR 192"
    data.ImageType = ["DERIVED", "PRIMARY", ""]
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.StudyDate = data.SeriesDate = data.ContentDate = "20000101"
    data.StudyTime = data.SeriesTime = data.ContentTime = "120000"
    data.AccessionNumber = ""
    data.Modality = modality
    data.PresentationIntentType = "FOR PRESENTATION"
    data.Manufacturer = radiograph.metadata["Manufacturer"] + " (synthetic)"
    data.ManufacturerModelName = radiograph.metadata["ManufacturerModelName"]
    data.ReferringPhysicianName = ""
    data.StudyDescription = "Synthetic phantom, no patient"
    data.SeriesDescription = f"Lateral spine, {truth.difficulty}"
    data.PatientName, data.PatientID = f"Phantom^{truth.seed}", f"PHANTOM-{truth.seed}"
    data.PatientBirthDate, data.PatientSex = "", ""
    data.PatientIdentityRemoved = "YES"
    data.DeidentificationMethod = "Synthetic image"
    data.StudyInstanceUID, data.SeriesInstanceUID = uid("study"), uid("series")
    data.StudyID, data.SeriesNumber, data.InstanceNumber = "1", 1, 1
    data.BodyPartExamined = "LSPINE"
    data.BurnedInAnnotation = "YES" if truth.switches.text else "NO"
    if modality == "OT":
        data.ConversionType = "SYN"
    else:
        data.ViewPosition = "LL"
    data.Laterality = ""
    data.ImageLaterality = "U"
    # Direction of rows (left to right) and of columns (downwards): anterior or posterior, then feet.
    data.PatientOrientation = ["A" if truth.anterior == "right" else "P", "F"]
    if radiograph.spacing is not None:
        spacing = [f"{truth.spacing.row:.10g}", f"{truth.spacing.column:.10g}"]
        data.PixelSpacing = spacing
        if modality == "DX":
            data.ImagerPixelSpacing = spacing
            data.EstimatedRadiographicMagnificationFactor = "1.0"
    top = 2**bits - 1
    inverse = truth.switches.monochrome1
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME1" if inverse else "MONOCHROME2"
    data.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"
    data.Rows, data.Columns = pixels.shape
    data.BitsAllocated = 8 if bits == 8 else 16
    data.BitsStored, data.HighBit, data.PixelRepresentation = bits, bits - 1, 0
    if modality == "DX":
        data.PixelIntensityRelationship, data.PixelIntensityRelationshipSign = "LOG", -1 if inverse else 1
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = "0", "1", "US"
    data.WindowCenter, data.WindowWidth = f"{(top + 1) / 2:.10g}", f"{top + 1}"
    data.LossyImageCompression = "01" if truth.switches.jpeg else "00"
    if truth.switches.jpeg:
        data.LossyImageCompressionRatio, data.LossyImageCompressionMethod = "10", "ISO_10918_1"
    stored = (top - pixels.astype(np.int64) if inverse else pixels).astype(np.uint8 if bits == 8 else "<u2")
    raw = stored.tobytes()
    data.PixelData = raw + b"\0" * (len(raw) % 2)
    data["PixelData"].VR = "OB" if bits == 8 else "OW"
    buffer = io.BytesIO()
    data.save_as(buffer, write_like_original=False)
    return buffer.getvalue()


def _uids(root: str):
    """UIDs of the form 2.25.<integer> (DICOM PS3.5 B.2), the same for the same phantom."""

    def make(kind: str) -> str:
        digest = hashlib.sha256(f"{kind}|{root}".encode()).digest()
        return f"2.25.{int.from_bytes(digest[:16], 'big')}"

    return make
