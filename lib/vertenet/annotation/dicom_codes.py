"""The codes of our DICOM results, in one place for whoever writes or reads them.

Levels are those of CID 7603 (SNOMED CT); whatever no published scheme has a code for is in ours, `SCHEME`.
"""

from __future__ import annotations

from typing import NamedTuple

from ..spine import CornerName, Level, Status, Transition

#: Designator of our own coding scheme; its codes are listed in docs/dicom-results.md.
SCHEME = "99VERTENET"


class Code(NamedTuple):
    """A coded concept: value, scheme and meaning (PS3.3, 8.8). Two codes are the same if value and scheme are."""

    value: str
    scheme: str
    meaning: str

    @property
    def key(self) -> tuple[str, str]:
        return self.value, self.scheme


def own(value: str, meaning: str) -> Code:
    """A code of `SCHEME`; the value is a short string (16 characters at most)."""
    return Code(value, SCHEME, meaning)


VERTEBRA = Code("51282000", "SCT", "Vertebra")
SPINE = Code("421060004", "SCT", "Spine")
AORTA = Code("7832008", "SCT", "Abdominal aorta")
ANTERIOR, POSTERIOR = Code("255549009", "SCT", "Anterior"), Code("255551008", "SCT", "Posterior")
IMAGING_PROCEDURE = Code("363679005", "SCT", "Imaging procedure")
PIXELS, MILLIMETRES = Code("{pixels}", "UCUM", "pixels"), Code("mm", "UCUM", "mm")
DEGREES, PERCENT, NO_UNIT = Code("deg", "UCUM", "degrees"), Code("%", "UCUM", "percent"), Code("1", "UCUM", "no units")

#: Site of a vertebra by level.
LEVELS: dict[Level, Code] = {
    level: Code(value, "SCT", f"{level} vertebra")
    for level, value in zip(
        (level for level in Level if level not in (Level.L6, Level.S1)),
        (
            *("64864005", "53733008", "1626008", "73071006", "56401006", "45296009", "62487009", "11068009"),
            *("82687006", "7610001", "12989004", "23215003"),
            *("66794005", "14293000", "36470004", "11994002", "49668003"),
        ),
    )
}
# SNOMED CT has a first sacral vertebra, but CID 7603 does not, and no L6.
LEVELS[Level.L6], LEVELS[Level.S1] = own("L6", "L6 vertebra"), own("S1", "S1 vertebra")

CORNERS: dict[CornerName, Code] = {
    CornerName.SA: own("SA", "Superior anterior corner of vertebral body"),
    CornerName.SP: own("SP", "Superior posterior corner of vertebral body"),
    CornerName.IA: own("IA", "Inferior anterior corner of vertebral body"),
    CornerName.IP: own("IP", "Inferior posterior corner of vertebral body"),
    CornerName.SM: own("SM", "Middle of superior endplate of vertebral body"),
    CornerName.IM: own("IM", "Middle of inferior endplate of vertebral body"),
}

STATUSES: dict[Status, Code] = {
    Status.PRESENT: own("PRESENT", "Located"),
    Status.MISSING: own("MISSING", "Looked for and not found"),
    Status.OUTSIDE: own("OUTSIDE", "Outside the image"),
    Status.UNEVALUABLE: own("UNEVALUABLE", "In the image, but cannot be placed"),
}


def point_state(name: str) -> Code:
    """The question "what is known of this point", by its name: ``L3-SA``, ``L3?-SA`` where the level is not sure."""
    return own(f"POINT_{name}", f"State of the point {name}")


CONFIDENCE = own("CONFIDENCE", "Confidence")
RADIUS = own("RADIUS_90", "Holds the true point in 90 of 100 cases, if the level is right")
RADIUS_SCALE = {
    cover: own(f"RADIUS_SCALE_{cover}", f"Radius for {cover} of 100, over that for 90") for cover in ("80", "90", "95")
}

LEVEL_NAMING = own("LEVELS", "Naming of the vertebral levels")
LEVELS_CONFIRMED = own("LEVELS_SURE", "No other naming was in question")
LEVELS_UNCONFIRMED = own("LEVELS_UNSURE", "Levels could not be confirmed: every name may be one level off")
SUGGESTED_LEVEL = own("LEVEL_SUGGESTED", "Suggested level, not confirmed")
MARGIN = own("LEVEL_MARGIN", "Log-probability distance to the best other naming")
TRANSITION = own("TRANSITION", "Lumbosacral transitional anatomy")
TRANSITIONS: dict[Transition, Code] = {
    Transition.NONE: own("LSTV_NONE", "None"),
    Transition.SACRALISED_L5: own("LSTV_SACRALISED", "Sacralised L5"),
    Transition.LUMBARISED_S1: own("LSTV_LUMBARISED", "Lumbarised S1"),
    Transition.UNKNOWN: own("LSTV_UNKNOWN", "Unknown"),
}


def unconfirmed(level: str) -> Code:
    """A level that is suggested where levels could not be confirmed, for answers that are nothing but a level."""
    return own(f"{level}_UNSURE", f"{level}, not confirmed")


ANTERIOR_SIDE = own("ANTERIOR_SIDE", "Side of the image that is anterior")
SIDES = {"left": own("SIDE_LEFT", "Left"), "right": own("SIDE_RIGHT", "Right")}
ANTERIOR_SOURCE = own("ANTERIOR_SOURCE", "How the anterior side is known")
ANTERIOR_SOURCES = {name: own(f"SIDE_{name.upper()}", name) for name in ("given", "file", "detected", "assumed")}

VERTEBRAL_BODY = own("BODY", "Vertebral body")
HEIGHTS = {
    "anterior": own("HA", "Anterior height of vertebral body"),
    "middle": own("HM", "Middle height of vertebral body"),
    "posterior": own("HP", "Posterior height of vertebral body"),
}
WEDGE = own("HA_HP", "Anterior over posterior height")
MID_WEDGE = own("HM_HP", "Middle over posterior height")
CRUSH = own("HP_NEIGHBOURS", "Posterior height over that of the neighbours")
GENANT = own("GENANT", "Genant grade suggested from heights")
GENANT_GRADES = {grade: own(f"GENANT_{grade}", f"Grade {grade}, suggested") for grade in range(4)}
GENANT_NONE = own("GENANT_NONE", "Not evaluable")
DEFORMITY = own("DEFORMITY", "Type of deformity suggested from heights")
DEFORMITIES = {name: own(name.upper(), name) for name in ("wedge", "biconcave", "crush")}
BASIS = own("BASIS", "Basis")
LORDOSIS = own("LORDOSIS", "Lumbar lordosis")
LORDOSES = {
    "L1-L5": own("LORDOSIS_L1_L5", "Lordosis, superior endplate of L1 to inferior endplate of L5"),
    "T12-S1": own("LORDOSIS_T12_S1", "Lordosis, inferior endplate of T12 to superior endplate of S1"),
}

CORRIDOR = own("CORRIDOR", "Aortic corridor")
CROP = own("CROP", "Is the aortic corridor inside the image")
CROP_STATES = {
    "clear": own("CROP_CLEAR", "Wholly inside"),
    "cropped": own("CROP_CROPPED", "Cropped"),
    "could not be assessed": own("CROP_UNASSESSED", "Could not be assessed"),
}
CROPPED_SEGMENT = own("CROP_SEGMENT", "Segment in which something is lost")
CROP_CAUSE = own("CROP_CAUSE", "What it is lost to")
CROP_CAUSES = {"border": own("BORDER", "Border of the image"), "blanked": own("BLANKED", "Blanked region")}
CROP_FRACTION = own("CROP_FRACTION", "Share of the corridor that is lost")
CROP_EXTENT = own("CROP_EXTENT", "Length of the lost stretch of the front edge")
CROP_FACTOR = own("CROP_FACTOR", "Reach of the corridor in mean guide lengths")
CROP_REASON = own("CROP_REASON", "What could not be assessed, and why")

AAC = own("AAC24", "Abdominal aortic calcification, AAC-24")
AAC_GRADES = {grade: own(f"AAC_{grade}", f"Grade {grade}") for grade in range(4)}
AAC_UNREADABLE = own("AAC_UNREADABLE", "Unreadable")
AAC_UNSCORED = own("AAC_UNSCORED", "Not scored")


def aac_cell(segment: str, wall: str) -> Code:
    """The question "what grade has this wall of this segment"."""
    return own(f"AAC_{segment}_{wall[:4].upper()}", f"AAC-24 grade, {segment}, {wall} wall")


SPACING_ROW = own("SPACING_ROW", "Row spacing that millimetres rest on")
SPACING_COLUMN = own("SPACING_COLUMN", "Column spacing that millimetres rest on")
SPACING_SOURCE = own("SPACING_SOURCE", "Source of the pixel spacing")
SPACING_NOTE = own("SPACING_NOTE", "Note on the pixel spacing")
MAGNIFICATION = own("MAGNIFICATION", "Magnification that the spacing was divided by")
IMAGE_TYPICAL = own("IMAGE_TYPICAL", "Is this an image that the model can read")
TYPICALITY = {True: own("TYPICAL", "Yes"), False: own("REFUSED", "No: it was refused, and nothing was measured")}
TYPICAL_SCORE = own("TYPICAL_SCORE", "Share of calibration images that are no more typical")
TYPICAL_REASON = own("TYPICAL_REASON", "Reason")
USE = own("USE", "Use")
LIMITS = own("LIMITS", "Not assessed")
WARNING = own("WARNING", "Warning")
NOTES = own("NOTES", "Notes of the reader")
CREATED = own("CREATED", "Reading made at")
PIXELS_SHA256 = own("PIXELS_SHA256", "SHA-256 of the display pixels that were read")
QUALITATIVE_EVALUATIONS = Code("C0034375", "UMLS", "Qualitative Evaluations")

#: Parameters of the algorithm (111002, DCM) begin with one of these.
PARAMETER_WEIGHTS, PARAMETER_TRAINING = "weights SHA-256: ", "trained on: "
PARAMETER_SYNTHETIC, PARAMETER_DECODER = "synthetic images only: ", "decoder: "
