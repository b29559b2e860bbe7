"""Heights, lordosis and AAC-24 of a reading as cells of the results table and as words for a person."""

from __future__ import annotations

from ..measure import Angle, Lordosis, VertebraMorphometry
from ..measure.aac import CELLS
from ..reading import Reading
from ..spine import STANDARD_LEVELS

_HEIGHTS = ("anterior", "middle", "posterior")
_ANGLES = ("L1-L5", "T12-S1")
#: Of each level, after its name and an underscore.
LEVEL_COLUMNS: tuple[str, ...] = (
    *(f"{height}_{unit}" for unit in ("px", "mm") for height in _HEIGHTS),
    *(
        "wedge",
        "mid_wedge",
        "crush",
        "wedge_reference",
        "mid_wedge_reference",
        "genant_grade",
        "genant_type",
        "genant_remark",
    ),
)
#: Every column that `measured_cells` fills.
MEASURED_COLUMNS: tuple[str, ...] = (
    *(f"{level}_{name}" for level in STANDARD_LEVELS for name in LEVEL_COLUMNS),
    *(f"lordosis_{name}_{part}" for name in _ANGLES for part in ("deg", "reason")),
    *(f"aac_{segment}_{wall}" for segment, wall in CELLS),
    *("aac_total", "aac_least", "aac_most", "aac_risk", "reader", "notes"),
)
#: Heads of the columns of `height_rows`.
HEIGHT_HEADS = ("vertebra", "Ha", "Hm", "Hp", "Ha/Hp", "Hm/Hp", "Hp/neighbours", "Genant suggestion")


def measured_cells(reading: Reading) -> dict[str, object]:
    """Columns of `MEASURED_COLUMNS` that have something in them."""
    cells: dict[str, object] = {"reader": reading.reader, "notes": reading.notes}
    if reading.morphometry is not None:
        for level in STANDARD_LEVELS:
            if level in reading.morphometry.vertebrae:
                found = _level_cells(reading.morphometry.vertebrae[level])
                cells.update({f"{level}_{name}": value for name, value in found.items()})
        for name, angle in reading.morphometry.lordosis.angles.items():
            cells.update({f"lordosis_{name}_deg": angle.degrees, f"lordosis_{name}_reason": angle.reason})
    if reading.aac is not None:
        score, (least, most) = reading.aac, reading.aac.bounds
        cells.update({f"aac_{segment}_{wall}": grade for (segment, wall), grade in zip(CELLS, score.grades)})
        risk = None if score.risk is None else score.risk.value
        cells.update(aac_total=score.total, aac_least=least, aac_most=most, aac_risk=risk)
    return cells


def height_rows(reading: Reading) -> list[tuple[str, ...]]:
    """One row of text a vertebra, under `HEIGHT_HEADS`; empty where nobody measured heights."""
    if reading.morphometry is None:
        return []
    return [_height_row(vertebra) for vertebra in reading.morphometry.vertebrae.values()]


def lordosis_words(lordosis: Lordosis) -> str:
    """Both angles, or why there is none, as one clause."""
    said = ", ".join(f"{name} {_angle_words(angle)}" for name, angle in lordosis.angles.items())
    return f"Lordosis {said}{' (pixels taken for square)' if lordosis.square_pixels_assumed else ''}"


def _level_cells(vertebra: VertebraMorphometry) -> dict[str, object]:
    cells: dict[str, object] = {f"{name}_px": value for name, value in vertebra.px.to_dict().items()}
    if vertebra.mm is not None:
        cells.update({f"{name}_mm": value for name, value in vertebra.mm.to_dict().items()})
    cells.update(wedge=vertebra.wedge, mid_wedge=vertebra.mid_wedge, crush=vertebra.crush)
    for name in ("wedge_reference", "mid_wedge_reference"):
        reference = getattr(vertebra, name)
        cells[name] = None if reference is None else reference.ratio
    genant = vertebra.genant
    if genant is None:
        return {**cells, "genant_remark": f"not evaluable: {vertebra.reason}"}
    unjudged = (f"{deformity} not judged: {reason}" for deformity, reason in genant.unjudged.items())
    remark = "; ".join(filter(None, (*unjudged, genant.boundary)))
    kind = None if genant.deformity is None else genant.deformity.value
    return {**cells, "genant_grade": genant.grade, "genant_type": kind, "genant_remark": remark}


def _height_row(vertebra: VertebraMorphometry) -> tuple[str, ...]:
    heights, unit = (vertebra.px, "px") if vertebra.mm is None else (vertebra.mm, "mm")
    genant = f"not evaluable: {vertebra.reason}" if vertebra.genant is None else str(vertebra.genant)
    return (
        str(vertebra.level),
        *("-" if value is None else f"{value:.1f} {unit}" for value in heights.to_dict().values()),
        *("-" if ratio is None else f"{ratio:.2f}" for ratio in (vertebra.wedge, vertebra.mid_wedge, vertebra.crush)),
        genant,
    )


def _angle_words(angle: Angle) -> str:
    return f"not measurable ({angle.reason})" if angle.degrees is None else f"{angle.degrees:.0f} degrees"
