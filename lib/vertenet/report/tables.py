"""The results of many images as one flat table: a row an image, failed ones included.

Columns
-------
``image`` (name), ``error`` (why there is no reading; empty otherwise), ``rows``, ``columns`` (pixels), ``anterior``,
``levels_certain`` (yes or no), ``levels_margin`` (log-probability), ``<corner>_x``, ``<corner>_y`` for T12-SA ... L5-IP
(source pixels; empty unless the corner is present),
``<corner>_radius`` (source pixels: the disc that holds the true corner in 90 of 100 cases, if its level is right; empty
where it was not calibrated), ``quality_typical`` (yes; no: refused), ``quality_score`` (0 to 1), ``quality_reasons``
(separated by " | "), ``crop_state``, ``crop_segments``, ``crop_causes`` (separated by
blanks), ``crop_fraction`` (0 to 1), ``crop_extent_px``, ``crop_extent_mm``, ``crop_factor``, ``crop_reason``,
``spacing_column_mm``, ``spacing_row_mm``, ``spacing_source``; of T12 to L5 ``<level>_anterior_px``,
``<level>_middle_px``, ``<level>_posterior_px`` and ``<level>_anterior_mm``, ``<level>_middle_mm``,
``<level>_posterior_mm`` (heights), ``<level>_wedge``, ``<level>_mid_wedge``, ``<level>_crush`` (ratios),
``<level>_wedge_reference``, ``<level>_mid_wedge_reference`` (of a healthy vertebra; what losses are counted from),
``<level>_genant_grade``, ``<level>_genant_type``, ``<level>_genant_remark`` (a suggestion, and why it is partial or
missing); ``lordosis_L1-L5_deg``, ``lordosis_L1-L5_reason``, ``lordosis_T12-S1_deg``, ``lordosis_T12-S1_reason``
(lordosis positive; why there is no angle); ``aac_<segment>_<wall>`` (0 to 3 or unreadable), ``aac_total``,
``aac_least``, ``aac_most``, ``aac_risk``, ``reader``, ``notes``; ``warnings`` (separated by " | "), ``model``,
``model_sha256``, ``synthetic_only`` (yes or no), ``latency_s``, ``created``, ``software``, ``notice``. An empty cell
is not known or not measurable, never zero.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..files import beside
from ..reading import RESEARCH_USE, Reading
from ..spine import CORNERS, STANDARD_LEVELS, Spine
from .measured import MEASURED_COLUMNS, measured_cells

_CORNERS = tuple(f"{level}-{corner}" for level in STANDARD_LEVELS for corner in CORNERS)

#: Every column, in order.
RESULT_COLUMNS: tuple[str, ...] = (
    "image",
    "error",
    "rows",
    "columns",
    "anterior",
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


def results_row(reading: Reading | None, *, name: str | None = None, error: str | None = None) -> dict[str, object]:
    """One row of the table.

    Parameters
    ----------
    reading : Reading or None
        None for an image that could not be read.
    name : str, optional
        What to call the image; the reading's own name otherwise.
    error : str, optional
        The sentence of a failed image.

    Returns
    -------
    dict
        `RESULT_COLUMNS` to str, int or float; None for an empty cell.
    """
    row: dict[str, object] = dict.fromkeys(RESULT_COLUMNS)
    row.update(image=name, error=error, notice=RESEARCH_USE)
    if reading is None:
        return row
    image, crop, model = reading.image, reading.crop, reading.model
    row.update(
        image=image.name if name is None else name,
        rows=image.rows,
        columns=image.columns,
        anterior=reading.spine.anterior,
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


def _positions(spine: Spine) -> dict[str, float]:
    present = {name: corner for name, corner in spine.named_points() if corner.is_present and name in _CORNERS}
    return {
        f"{name}_{part}": getattr(corner, part) for name, corner in present.items() for part in ("x", "y", "radius")
    }


def _yes(value: bool) -> str:
    return "yes" if value else "no"
