"""A reading as DICOM Comprehensive SR: Measurement Report (PS3.16 TID 1500)."""

from __future__ import annotations

from highdicom.sr import (
    CodeContentItem,
    ComprehensiveSR,
    ContainerContentItem,
    ContentSequence,
    ImageContentItem,
    MeasurementReport,
    NumContentItem,
    ObservationContext,
    RelationshipTypeValues,
    TextContentItem,
)
from pydicom.dataset import Dataset
from pydicom.uid import UID

from ...annotation import dicom_codes as codes
from ...annotation.dicom_codes import Code
from ...errors import OptionError
from ...reading import Reading
from .findings import crop_groups, statements
from .identification import coding_schemes, concept, equipment, observers, person_name, result_uid
from .vertebrae import corner_groups, lordosis_groups, vertebra_groups

SERIES_NUMBER = 9801
DESCRIPTION = "VerteNet measurements (research use only)"
_MODALITIES = {
    "CR": "Computed Radiography",
    "DX": "Digital Radiography",
    "RG": "Radiographic imaging",
    "BMD": "Bone Mineral Densitometry",
    "SC": "Secondary Capture",
}
_OF_CLASS = {
    "Computed Radiography Image Storage": "CR",
    "Digital X-Ray Image Storage - For Presentation": "DX",
    "Digital X-Ray Image Storage - For Processing": "DX",
}


def structured_report(reading: Reading, image: Dataset, *, organization: str = "") -> ComprehensiveSR:
    """The reading as an SR document of the image's study.

    Each located point is a measurement group of its own (TID 1410) with a POINT named Image Region, which OHIF shows
    as a probe; every other group has coordinates too. What has none (points that were not located, the crop's state,
    AAC-24, statements and warnings) is a qualitative evaluation. Where levels could not be confirmed, no
    code asserts one: sites are "Vertebra", names carry a question mark, the level is a coded suggestion.

    Parameters
    ----------
    reading : Reading
        Of this image.
    image : Dataset
        Its header, see `vertenet.report.dicom.source.image_header`.
    organization : str
        Of ``reading.reader``, who answers for the content: the document is then VERIFIED. Otherwise it is not.

    Raises
    ------
    OptionError
        The reading is of another image, or an organization is given where nobody read.
    """
    if (reading.image.rows, reading.image.columns) != (image.Rows, image.Columns):
        raise OptionError(
            f"the reading is of {reading.image.columns} x {reading.image.rows} pixels, "
            f"but the image has {image.Columns} x {image.Rows}",
            subject=reading.image.name,
        )
    if reading.image.metadata.get("SOPInstanceUID", image.SOPInstanceUID) != image.SOPInstanceUID:
        raise OptionError(
            "the reading is of another DICOM image", subject=reading.image.name, remedy="Give the image that it is of"
        )
    if organization and not reading.reader:
        raise OptionError("a result can only be verified by a person, but the reading names no reader")
    groups = [
        *corner_groups(reading, image),
        *vertebra_groups(reading, image),
        *lordosis_groups(reading, image),
        *crop_groups(reading, image),
    ]
    device, *person = observers(reading)
    report = MeasurementReport(
        ObservationContext(observer_device_context=device, observer_person_context=person[0] if person else None),
        concept(codes.IMAGING_PROCEDURE),
        groups,
    )
    root = report[0]
    if not groups:  # an empty sequence is not allowed (PS3.3 C.17.3.2.4)
        del next(item for item in root.ContentSequence if isinstance(item, ContainerContentItem)).ContentSequence
    root.ContentSequence = _with_library(root.ContentSequence, _image_library(image))
    root.ContentSequence.append(statements(reading))
    verified = {
        "is_verified": bool(organization),
        "verifying_observer_name": person_name(reading.reader) if organization else None,
        "verifying_organization": organization or None,
    }
    document = ComprehensiveSR(
        evidence=[image],
        content=report[0],
        series_instance_uid=result_uid(reading, image, "SR series"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=result_uid(reading, image, "SR"),
        instance_number=1,
        is_complete=True,
        is_final=bool(organization),
        series_description=DESCRIPTION,
        coding_schemes=coding_schemes(),
        **verified,
        **equipment(reading),
    )
    document.SpecificCharacterSet = "ISO_IR 192"
    return document


def _with_library(items: ContentSequence, library: ContainerContentItem) -> ContentSequence:
    """The items of the root with the image library before the measurements, where TID 1500 has it."""
    at = next(n for n, item in enumerate(items) if isinstance(item, ContainerContentItem))
    return ContentSequence([*items[:at], library, *items[at:]])


def _image_library(image: Dataset) -> ContainerContentItem:
    """TID 1600 of one image.

    highdicom's own requires ImagerPixelSpacing and PatientOrientation of CR and DX, which DXA scanners do not send.
    """
    context = RelationshipTypeValues.HAS_ACQ_CONTEXT
    modality = _OF_CLASS.get(UID(image.SOPClassUID).name, image.get("Modality", ""))
    modality = modality if modality in _MODALITIES else "SC"
    entry = ImageContentItem(
        concept(Code("260753009", "SCT", "Source")),
        image.SOPClassUID,
        image.SOPInstanceUID,
        relationship_type="CONTAINS",
    )
    described = [
        CodeContentItem(
            concept(Code("121139", "DCM", "Modality")), concept(Code(modality, "DCM", _MODALITIES[modality])), context
        ),
        *(
            NumContentItem(concept(Code(*code)), int(size), concept(codes.PIXELS), relationship_type=context)
            for code, size in (
                (("110910", "DCM", "Pixel Data Rows"), image.Rows),
                (("110911", "DCM", "Pixel Data Columns"), image.Columns),
            )
        ),
    ]
    orientation = image.get("PatientOrientation")
    if orientation is not None and len(orientation) == 2:
        described += [
            TextContentItem(concept(Code(*code)), str(value), context)
            for code, value in zip(
                (
                    ("111044", "DCM", "Patient Orientation Row"),
                    ("111043", "DCM", "Patient Orientation Column"),
                ),
                orientation,
            )
            if str(value)
        ]
    spacing = image.get("PixelSpacing") or image.get("ImagerPixelSpacing")
    if spacing is not None and len(spacing) == 2:
        described += [
            NumContentItem(concept(Code(*code)), float(value), concept(codes.MILLIMETRES), relationship_type=context)
            for code, value in zip(
                (("111066", "DCM", "Vertical Pixel Spacing"), ("111026", "DCM", "Horizontal Pixel Spacing")), spacing
            )
        ]
    entry.ContentSequence = ContentSequence(described)
    group = ContainerContentItem(concept(Code("126200", "DCM", "Image Library Group")), relationship_type="CONTAINS")
    group.ContentSequence = ContentSequence([entry])
    library = ContainerContentItem(concept(Code("111028", "DCM", "Image Library")), relationship_type="CONTAINS")
    library.ContentSequence = ContentSequence([group])
    return library
