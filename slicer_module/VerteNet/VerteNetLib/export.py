"""A reading as files for a person: JSON, Markups, a table and a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Union

from vertenet import RESEARCH_USE
from vertenet.files import write_text
from vertenet.measure.aac import CELLS
from vertenet.reading import Reading

from .client import file_stem
from .findings import genant_words, levels_not_assessed

COLUMNS = ("quantity", "level", "value", "unit", "remark")
Row = tuple[str, str, Union[str, int, float, None], str, str]


def export(
    reading: Reading, markups: str, name: str, folder: Path, capture: Callable[[Path], None]
) -> tuple[Path, ...]:
    """Write ``NAME.reading.json``, ``.mrk.json``, ``.csv`` and ``.png``; their paths, in this order.

    Parameters
    ----------
    reading : Reading
    markups : str
        Text of the Markups file.
    name : str
        The image's.
    folder : Path
        Made if missing.
    capture : callable
        Writes the view as PNG.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = file_stem(name)
    paths = tuple(folder / f"{stem}{ending}" for ending in (".reading.json", ".mrk.json", ".csv", ".png"))
    write_text(paths[0], reading.to_json())
    write_text(paths[1], markups)
    write_text(paths[2], table(reading))
    capture(paths[3])
    return paths


def table(reading: Reading) -> str:
    """The measurements as CSV (RFC 4180), one a row; an empty value has its reason in ``remark``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(reading))
    return out.getvalue()


def _rows(reading: Reading) -> Iterator[Row]:
    model = reading.model
    yield "notice", "", RESEARCH_USE, "", ""
    yield "image", "", reading.image.name, "", ""
    yield "reader", "", reading.reader, "", ""
    seen = "" if model is None else f"SHA-256 {model.sha256}; trained on: {model.training_data}"
    yield "model", "", "none" if model is None else model.name, "", seen
    spacing = reading.image.spacing
    yield (
        "pixel spacing",
        "",
        None if spacing is None else f"{spacing.row:g} x {spacing.column:g}",
        "mm",
        ("unknown" if spacing is None else str(spacing.source)),
    )
    yield from _heights(reading)
    yield from _calcification(reading)
    yield "crop", "", str(reading.crop.state), "", reading.crop.reason
    for warning in reading.warnings:
        yield "warning", "", warning, "", ""
    if reading.notes:
        yield "notes", "", reading.notes, "", ""


def _heights(reading: Reading) -> Iterator[Row]:
    if reading.morphometry is None:
        return
    yield "levels not assessed", "T4-T11", None, "", levels_not_assessed()
    for level, vertebra in reading.morphometry.vertebrae.items():
        heights, unit = (vertebra.px, "px") if vertebra.mm is None else (vertebra.mm, "mm")
        for place, value in heights.to_dict().items():
            yield f"{place} height", str(level), _rounded(value), unit, "" if value is not None else "not evaluable"
        for name in ("wedge", "mid_wedge", "crush"):
            value = getattr(vertebra, name)
            yield name.replace("_", "-"), str(level), _rounded(value), "", "" if value is not None else "not evaluable"
        if vertebra.genant is None:
            yield "Genant suggestion", str(level), None, "", f"not evaluable: {vertebra.reason}"
        else:
            remark = "a suggestion for the reader, no diagnosis"
            yield "Genant suggestion", str(level), genant_words(vertebra), "", remark
    for name, angle in reading.morphometry.lordosis.angles.items():
        yield f"lordosis {name}", "", _rounded(angle.degrees), "degrees", angle.reason


def _calcification(reading: Reading) -> Iterator[Row]:
    aac = reading.aac
    if aac is None:
        return
    for level, wall in CELLS:
        grade = aac.grade(level, wall)
        yield f"AAC {wall} wall", str(level), grade, "grade 0-3", "not scored" if grade is None else ""
    least, most = aac.bounds
    remark = "" if aac.total is not None else f"open: between {least} and {most}"
    yield "AAC-24", "", aac.total, "points", remark
    yield "AAC risk", "", None if aac.risk is None else str(aac.risk), "", "" if aac.risk is not None else "open"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
