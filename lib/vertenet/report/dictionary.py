"""What every column of the tables of results means: the one place from which tables, docs and dictionary files take it.

A name with ``<corner>``, ``<level>``, ``<segment>`` or ``<wall>`` in it stands for a column of each (T12-SA ... L5-IP,
T12 ... L5, L1 ... L4, anterior and posterior). An empty cell is not known or not measurable, never zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "integer"]


@dataclass(frozen=True)
class Column:
    """One column, or one for each corner, level or cell: its name, what its cells are, and what they mean."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""


_UID = "text", "SOPInstanceUID (0008,0018) of a DICOM image"
#: Of ``results.csv``: a row an image.
RESULTS: tuple[Column, ...] = (
    Column("image", "text", "name of the image"),
    Column("path", "text", "where the image was read from; unique in the table"),
    Column("outcome", "text", "read, refused (the model would not read it) or failed (there is no readable image)"),
    Column("reason", "text", "why it was refused or failed, without what is particular to the one image"),
    Column("error", "text", "the whole sentence of a failed image"),
    Column("look_first", "text", "why a person should look at the image; empty where nothing asks for it"),
    Column("look_first_rank", "integer", "1 most urgent; the order of the gallery"),
    Column("results", "text", "the image's files, without their endings, from the folder of the table"),
    Column("patient", "text", "pseudonym: keyed hash (HMAC-SHA256) of PatientID and its issuer"),
    Column("sop_instance_uid", *_UID),
    Column("manufacturer", "text", "Manufacturer (0008,0070)"),
    Column("scanner", "text", "ManufacturerModelName (0008,1090)"),
    Column("study_month", "text", "year and month of StudyDate (0008,0020), such as 2024-03"),
    Column("modality", "text", "Modality (0008,0060)"),
    Column("rows", "integer", "height of the image", "px"),
    Column("columns", "integer", "width of the image", "px"),
    Column("anterior", "text", "side of the image that the front of the body faces, left or right"),
    Column("levels", "text", "vertebrae that were found, from head to foot, separated by blanks"),
    Column("levels_certain", "text", "yes; no: every name may be one level off"),
    Column("levels_margin", "number", "distance to the best other naming", "log-probability"),
    Column("<corner>_x", "number", "position from the left; empty unless the corner is present", "px"),
    Column("<corner>_y", "number", "position from the top; empty unless the corner is present", "px"),
    Column(
        "<corner>_radius",
        "number",
        "of the disc that holds the true corner in 90 of 100 cases if its level is right; empty: not calibrated",
        "px",
    ),
    Column("quality_typical", "text", "yes; no: refused"),
    Column("quality_score", "number", "share of calibration images that are no more like the others", "0 to 1"),
    Column("quality_reasons", "text", 'why it was refused, separated by " | "'),
    Column("crop_state", "text", "of the aorta: clear, cropped or could not be assessed"),
    Column("crop_segments", "text", "segments that are cropped, separated by blanks"),
    Column("crop_causes", "text", "border, blanked, separated by blanks"),
    Column("crop_fraction", "number", "share of the corridor that is lost", "0 to 1"),
    Column("crop_extent_px", "number", "length of the corridor's edge that is lost", "px"),
    Column("crop_extent_mm", "number", "the same", "mm"),
    Column("crop_factor", "number", "reach of the corridor", "mean guide lengths"),
    Column("crop_reason", "text", "why it could not be assessed, or what limits the answer"),
    Column("spacing_column_mm", "number", "width of a pixel", "mm"),
    Column("spacing_row_mm", "number", "height of a pixel", "mm"),
    Column("spacing_source", "text", "where the size of a pixel comes from"),
    *(
        Column(f"<level>_{height}_{unit}", "number", f"{height} height", unit)
        for unit in ("px", "mm")
        for height in ("anterior", "middle", "posterior")
    ),
    Column("<level>_wedge", "number", "anterior over posterior height"),
    Column("<level>_mid_wedge", "number", "middle over posterior height"),
    Column("<level>_crush", "number", "posterior height over that of the neighbours"),
    Column("<level>_wedge_reference", "number", "wedge of a healthy vertebra, from which losses are counted"),
    Column("<level>_mid_wedge_reference", "number", "mid-wedge of a healthy vertebra"),
    Column("<level>_genant_grade", "integer", "suggested grade, 0 to 3; no diagnosis"),
    Column("<level>_genant_type", "text", "suggested deformity: wedge, biconcave or crush"),
    Column("<level>_genant_remark", "text", "why the suggestion is partial or missing"),
    Column("lordosis_L1-L5_deg", "number", "lordosis positive", "degrees"),
    Column("lordosis_L1-L5_reason", "text", "why there is no angle"),
    Column("lordosis_T12-S1_deg", "number", "lordosis positive", "degrees"),
    Column("lordosis_T12-S1_reason", "text", "why there is no angle"),
    Column("aac_<segment>_<wall>", "text", "a reader's grade, 0 to 3, or unreadable"),
    Column("aac_total", "integer", "AAC-24 score; empty where a cell is unreadable"),
    Column("aac_least", "integer", "least that the score can be"),
    Column("aac_most", "integer", "most that the score can be"),
    Column("aac_risk", "text", "class of the score: low, moderate or high"),
    Column("reader", "text", "who graded the aorta"),
    Column("notes", "text", "the reader's words"),
    Column("warnings", "text", 'what to beware of, separated by " | "'),
    Column("model", "text", "name of the weights"),
    Column("model_sha256", "text", "SHA-256 of the weight file"),
    Column("synthetic_only", "text", "yes: the weights have never seen a patient"),
    Column("latency_s", "number", "time that the model took", "s"),
    Column("created", "text", "when it was read, ISO 8601, UTC"),
    Column("software", "text", "program and version"),
    Column("notice", "text", "what the results may be used for"),
)
#: Of ``landmarks.csv``: a row a point.
LANDMARKS: tuple[Column, ...] = (
    Column("path", "text", "the image's path in results.csv"),
    Column("level", "text", "vertebra, T12 to L5"),
    Column(
        "point", "text", "corner (SA, SP, IA, IP: superior or inferior, anterior or posterior) or mid-endplate (SM, IM)"
    ),
    Column("status", "text", "present, missing, outside (of the image) or unevaluable"),
    Column("x", "number", "position from the left; empty unless present", "px"),
    Column("y", "number", "position from the top; empty unless present", "px"),
    Column("confidence", "number", "of the point", "0 to 1"),
    Column("radius", "number", "of the disc that holds the true point in 90 of 100 cases", "px"),
)
_OF_LEVELS = tuple(column for column in RESULTS if column.name.startswith("<level>_"))
#: Of ``vertebrae.csv``: a row a vertebra, with the image's cells of a level under the level's own name.
VERTEBRAE: tuple[Column, ...] = (
    Column("path", "text", "the image's path in results.csv"),
    Column("patient", "text", "as in results.csv"),
    Column("level", "text", "vertebra, T12 to L5"),
    Column("found", "text", "yes: at least one of its corners is present"),
    Column("levels_certain", "text", "of the image, as in results.csv"),
    *(Column(c.name[len("<level>_") :], c.kind, c.meaning, c.unit) for c in _OF_LEVELS),
)
#: Of ``failures.csv``: a row an image that could not be read.
FAILURES: tuple[Column, ...] = tuple(
    column
    for name in ("path", "reason", "error", "scanner", "study_month", "patient", "sop_instance_uid")
    for column in RESULTS
    if column.name == name
)


def general(column: str) -> str:
    """The dictionary's name of a column of ``results.csv``: ``<level>_wedge`` for ``L3_wedge``."""
    column = re.sub(r"^aac_L[1-4]_(anterior|posterior)$", "aac_<segment>_<wall>", column)
    column = re.sub(r"^(T12|L[1-5])-[SI][AP]_", "<corner>_", column)
    return re.sub(r"^(T12|L[1-5])_", "<level>_", column)


def described(columns: Iterable[str]) -> list[Column]:
    """The entry of each of these columns of ``results.csv``, under its own name. Raises KeyError for an unknown one."""
    entries = {entry.name: entry for entry in RESULTS}
    found = ((name, entries[general(name)]) for name in columns)
    return [Column(name, entry.kind, entry.meaning, entry.unit) for name, entry in found]
