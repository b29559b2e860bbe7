"""The results of many images as one flat table: a row an image, failed ones included.

What each column means is in `vertenet.report.dictionary`. An empty cell is not known or not measurable, never zero.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..files import beside
from ..reading import RESEARCH_USE, Reading
from ..spine import CORNERS, STANDARD_LEVELS, Spine
from .measured import MEASURED_COLUMNS, measured_cells
from .words import refused

_CORNERS = tuple(f"{level}-{corner}" for level in STANDARD_LEVELS for corner in CORNERS)

#: Every column, in order.
RESULT_COLUMNS: tuple[str, ...] = (
    "image",
    "path",
    "outcome",
    "reason",
    "error",
    "look_first",
    "look_first_rank",
    "results",
    "patient",
    "sop_instance_uid",
    "manufacturer",
    "scanner",
    "study_month",
    "modality",
    "rows",
    "columns",
    "anterior",
    "levels",
    "levels_certain",
    "levels_margin",
    *(f"{corner}_{axis}" for corner in _CORNERS for axis in "xy"),
    *(f"{corner}_radius" for corner in _CORNERS),
    "quality_typical",
    "quality_score",
    "quality_reasons",
    "crop_state",
    "crop_segments",
    "crop_causes",
    "crop_fraction",
    "crop_extent_px",
    "crop_extent_mm",
    "crop_factor",
    "crop_reason",
    "spacing_column_mm",
    "spacing_row_mm",
    "spacing_source",
    *MEASURED_COLUMNS,
    "warnings",
    "model",
    "model_sha256",
    "synthetic_only",
    "latency_s",
    "created",
    "software",
    "notice",
)


def results_row(
    reading: Reading | None, *, name: str | None = None, error: str | None = None, **known: object
) -> dict[str, object]:
    """One row of the table.

    Parameters
    ----------
    reading : Reading or None
        None for an image that could not be read.
    name : str, optional
        What to call the image; the reading's own name otherwise.
    error : str, optional
        The sentence of a failed image.
    known
        More cells by their column: where the image comes from, what its header says.

    Returns
    -------
    dict
        `RESULT_COLUMNS` to str, int or float; None for an empty cell.
    """
    return {column: printable(value) for column, value in _row(reading, name, error, known).items()}


def _row(reading: Reading | None, name: str | None, error: str | None, known: Mapping) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(RESULT_COLUMNS)
    row.update(image=name, error=error, notice=RESEARCH_USE, outcome="failed", **known)
    if reading is None:
        return row
    image, crop, model = reading.image, reading.crop, reading.model
    row.update(
        image=image.name if name is None else name,
        rows=image.rows,
        columns=image.columns,
        outcome="refused" if refused(reading) else "read",
        anterior=reading.spine.anterior,
        levels=" ".join(str(vertebra.level) for vertebra in reading.spine if not vertebra.is_missing),
        levels_certain=_yes(reading.levels.certain),
        levels_margin=reading.levels.margin,
        **_positions(reading.spine),
        **measured_cells(reading),
        crop_state=crop.state.value,
        crop_segments=" ".join(crop.segments),
        crop_causes=" ".join(crop.causes),
        crop_fraction=crop.fraction,
        crop_extent_px=crop.extent_px,
        crop_extent_mm=crop.extent_mm,
        crop_factor=crop.factor,
        crop_reason=crop.reason,
        warnings=" | ".join(reading.warnings),
        latency_s=reading.latency_s,
        created=reading.created,
        software=reading.software,
    )
    if reading.quality is not None:
        quality = reading.quality
        row.update(quality_typical=_yes(quality.typical), quality_score=quality.score)
        row.update(quality_reasons=" | ".join(quality.reasons))
    if image.spacing is not None:
        spacing = image.spacing
        row.update(spacing_column_mm=spacing.column, spacing_row_mm=spacing.row, spacing_source=spacing.source.value)
    if model is not None:
        row.update(model=model.name, model_sha256=model.sha256, synthetic_only=_yes(model.synthetic_only))
    return row


def write_results_csv(rows: Iterable[Mapping[str, object]], path: str | Path) -> None:
    """Write rows of `results_row` as UTF-8 CSV (RFC 4180), all or nothing."""
    with beside(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, RESULT_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def printable(value: object) -> object:
    """The value as UTF-8 can carry it: the names of files may hold bytes that are no text."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _positions(spine: Spine) -> dict[str, float]:
    present = {name: corner for name, corner in spine.named_points() if corner.is_present and name in _CORNERS}
    return {
        f"{name}_{part}": getattr(corner, part) for name, corner in present.items() for part in ("x", "y", "radius")
    }


def _yes(value: bool) -> str:
    return "yes" if value else "no"
