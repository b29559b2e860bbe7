"""Who made a result, of what, under which identifiers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from highdicom import UID
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    DeviceObserverIdentifyingAttributes,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from ... import __version__
from ...annotation import dicom_codes as codes
from ...annotation.dicom_codes import Code
from ...reading import Reading

MANUFACTURER, MODEL_NAME = "VerteNet", "vertenet"


def concept(code: Code) -> CodedConcept:
    return CodedConcept(code.value, code.scheme, code.meaning)


def result_uid(reading: Reading, image: Dataset, kind: str) -> UID:
    """The UID of a part of a result: the same for the same reading of the same image by the same software.

    So a result that is written or sent again is the same instance to whoever stores it.
    """
    text = hashlib.sha256(reading.to_json().encode()).hexdigest()
    return UID(generate_uid(entropy_srcs=[kind, image.SOPInstanceUID, text, __version__]))


def tracking(image: Dataset, name: str) -> TrackingIdentifier:
    """A name and a UID that a landmark keeps over all readings of its image."""
    return TrackingIdentifier(identifier=name, uid=tracking_uid(image, name.replace("?", "")))


def tracking_uid(image: Dataset, name: str) -> UID:
    return UID(generate_uid(entropy_srcs=[image.SOPInstanceUID, name]))


def algorithm(reading: Reading) -> AlgorithmIdentification | None:
    """TID 4019 of the model, its weights by their hash; None where a person placed the landmarks."""
    if reading.model is None:
        return None
    (_, name), (_, version), *parameters = algorithm_texts(reading)
    return AlgorithmIdentification(name, version, [value for _, value in parameters])


def algorithm_texts(reading: Reading) -> list[tuple[Code, str]]:
    """The same, name by name; empty where a person placed the landmarks."""
    model = reading.model
    if model is None:
        return []
    parameters = (
        f"{codes.PARAMETER_WEIGHTS}{model.sha256}",
        f"{codes.PARAMETER_TRAINING}{model.training_data}",
        f"{codes.PARAMETER_SYNTHETIC}{'yes' if model.synthetic_only else 'no'}",
        f"{codes.PARAMETER_DECODER}{model.decoder}",
    )
    return [
        (Code("111001", "DCM", "Algorithm Name"), model.name),
        (Code("111003", "DCM", "Algorithm Version"), reading.software or f"vertenet {__version__}"),
        *((Code("111002", "DCM", "Algorithm Parameters"), parameter) for parameter in parameters),
    ]


def observers(reading: Reading) -> Sequence[ObserverContext]:
    """The software, and the person who read the image where there is one (TID 1001)."""
    serial = "" if reading.model is None else reading.model.sha256
    device = DeviceObserverIdentifyingAttributes(
        uid=UID(generate_uid(entropy_srcs=["device", __version__, serial])),
        name=MANUFACTURER,
        manufacturer_name=MANUFACTURER,
        model_name=MODEL_NAME,
        serial_number=serial or None,
    )
    found = [ObserverContext(CodedConcept("121007", "DCM", "Device"), device)]
    if reading.reader:
        person = PersonObserverIdentifyingAttributes(name=person_name(reading.reader))
        found.append(ObserverContext(CodedConcept("121006", "DCM", "Person"), person))
    return found


def person_name(name: str) -> str:
    """A name as DICOM writes one: what stands last is taken for the family name, unless there are carets."""
    if "^" in name or " " not in name.strip():
        return name.strip() if "^" in name else f"{name.strip()}^"
    *given, family = name.split()
    return f"{family}^{' '.join(given)}"


def coding_schemes() -> list[CodingSchemeIdentificationItem]:
    """Whose our own codes are (PS3.3 C.12.1)."""
    return [CodingSchemeIdentificationItem(codes.SCHEME, "VerteNet", responsible_organization="VerteNet")]


def equipment(reading: Reading) -> dict[str, str]:
    """Elements of the General Equipment module."""
    return {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MODEL_NAME,
        "software_versions": reading.software or f"vertenet {__version__}",
        "device_serial_number": "none" if reading.model is None else reading.model.sha256,
    }
