"""Content items of a structured report, made of our codes and of source pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from highdicom.sr import (
    CodeContentItem,
    ContentSequence,
    FindingSite,
    ImageContentItem,
    ImageRegion,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    RelationshipTypeValues,
    ScoordContentItem,
    SourceImageForRegion,
    TextContentItem,
)
from pydicom.dataset import Dataset

from ...annotation.dicom_codes import Code
from .identification import algorithm, concept, tracking

CONTAINS = RelationshipTypeValues.CONTAINS
#: Pixel centres are at integers for us and at halves in DICOM, where (0, 0) is the corner of the first pixel
#: (PS3.3 C.18.6.1.1 and C.10.5.1.1).
TO_DICOM = 0.5


def measured(
    name: Code, value: float, unit: Code, lines: Iterable[np.ndarray] = (), image: Dataset | None = None
) -> Measurement:
    """A number, and the polylines (n, 2) in source pixels, or with n = 1 the points, that it was taken from."""
    made = Measurement(concept(name), float(value), concept(unit))
    for line in lines:
        scoord = ScoordContentItem(
            concept(Code("121055", "DCM", "Path")),
            "POINT" if len(line) == 1 else "POLYLINE",
            np.asarray(line) + TO_DICOM,
            relationship_type=RelationshipTypeValues.INFERRED_FROM,
        )
        scoord.ContentSequence = ContentSequence(
            [
                ImageContentItem(
                    concept(Code("111040", "DCM", "Original Source")),
                    image.SOPClassUID,
                    image.SOPInstanceUID,
                    relationship_type=RelationshipTypeValues.SELECTED_FROM,
                )
            ]
        )
        children = getattr(made[0], "ContentSequence", None) or ContentSequence()
        children.append(scoord)
        made[0].ContentSequence = children
    return made


def answer(name: Code, value: Code) -> QualitativeEvaluation:
    return QualitativeEvaluation(concept(name), concept(value))


def text(name: Code, value: str) -> TextContentItem:
    return TextContentItem(concept(name), value, CONTAINS)


def coded(name: Code, value: Code) -> CodeContentItem:
    return CodeContentItem(concept(name), concept(value), CONTAINS)


def group(
    reading,
    image: Dataset,
    name: str,
    finding: Code,
    sites: Sequence[FindingSite],
    measurements: Sequence[Measurement] = (),
    answers: Sequence[QualitativeEvaluation] = (),
    texts: Iterable[TextContentItem] = (),
    point: np.ndarray | None = None,
):
    """A measurement group (TID 1501), or with a ``point`` (x, y) in source pixels a planar region of it (TID 1410)."""
    shared = {
        "tracking_identifier": tracking(image, name),
        "finding_type": concept(finding),
        "finding_sites": list(sites),
        "algorithm_id": algorithm(reading),
        "measurements": list(measurements),
        "qualitative_evaluations": list(answers),
    }
    if point is None:
        made = MeasurementsAndQualitativeEvaluations(**shared)
    else:
        source = SourceImageForRegion(image.SOPClassUID, image.SOPInstanceUID)
        region = ImageRegion("POINT", np.asarray(point, dtype=np.float64)[None] + TO_DICOM, source)
        made = PlanarROIMeasurementsAndQualitativeEvaluations(referenced_region=region, **shared)
    for item in texts:
        made[0].ContentSequence.append(item)
    return made


def site(where: Code, modifier: Code | None = None) -> FindingSite:
    return FindingSite(concept(where), topographical_modifier=None if modifier is None else concept(modifier))
