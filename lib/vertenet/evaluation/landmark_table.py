"""Every landmark of every image as one long table: what all figures of an evaluation are made of.

A row is one point (a corner, or a mid-endplate point where the model gives those) of one true vertebra. Distances are
given three ways, because they answer different questions:

* ``dx``, ``dy``: predicted minus true in the paper's 1024 x 512 normalised frame, ``dx`` positive towards the front of
  the body whichever way the image faces; the paper's error is the mean of ``|dx|`` and ``|dy|``;
* ``error_px``: Euclidean in that frame; ``error_source_px``: Euclidean in source pixels;
* ``error_mm``: Euclidean in the patient, only where the image states its pixel size.

``aligned_dx``, ``aligned_dy`` are the same differences after the names of the whole spine were moved by ``names_off``
levels (`vertenet.measure.matching.points_shift`): localisation apart from naming.

``named`` says of a vertebra whether it is under its own name (`vertenet.measure.matching`), ``outcome`` of an image
what became of it (`vertenet.evaluation.naming`); a vertebra of which only the centre is known has the one and no
errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import AnnotationError
from ..imaging.frame import Frame
from ..measure.matching import judge_names, middle_of, moved, pixel_size, points_shift
from ..reading import Reading
from ..spine import CORNERS, MIDPOINTS, STANDARD_LEVELS, Level, Spine, Status
from .naming import outcome_of

#: Coverages that an error radius may be given for, per cent; `vertenet.spine.Corner.radius` is the second.
COVERAGES = (80, 90, 95)
#: A row's identity within one method.
KEY = ("image", "level", "corner")
#: Every column, in order; those from ``levels_right`` on are the same in all rows of an image. ``anterior_right`` is 1
#: or 0 where the model found the side itself, and empty where it was told; ``pixel_mm`` is the width of a pixel;
#: ``doubtful`` says that the true names may be a level off.
COLUMNS: tuple[str, ...] = (
    *KEY,
    "person",
    "scanner",
    "set",
    "doubtful",
    "grade",
    "truth_status",
    "status",
    "required",
    "found",
    "named",
    "level_right",
    *("dx", "dy", "error_px", "error_source_px", "error_mm", "error_heights"),
    *("aligned_dx", "aligned_dy", "aligned_px"),
    "confidence",
    *(f"radius_{coverage}" for coverage in COVERAGES),
    *("levels_right", "shifted", "names_off", "certain", "margin", "refused", "anterior_right", "quality"),
    "pixel_mm",
    "latency_s",
    "outcome",
    "problem",
)
_FLAGS = ("doubtful", "required", "found", "level_right", "levels_right", "shifted", "certain", "refused")
_WORDS = (
    "image",
    "level",
    "corner",
    "person",
    "scanner",
    "set",
    "truth_status",
    "status",
    "named",
    "outcome",
    "problem",
)


def landmark_rows(
    reading: Reading | None,
    truth: Spine,
    *,
    image: str,
    person: str | None = None,
    scanner: str = "unknown",
    grades: Mapping[Level, int] | None = None,
    centres: Mapping[Level, tuple[float, float]] | None = None,
    set: str = "",
    doubtful: bool = False,
    problem: str = "",
) -> pd.DataFrame:
    """The rows of one image.

    Parameters
    ----------
    reading : Reading or None
        None where there is none; every landmark then counts as not found and ``problem`` says why.
    truth : Spine
        Source pixels; T12 to L5.
    image, person, scanner : str
        ``person`` defaults to the image's name.
    grades : mapping of Level to int, optional
        Genant grades where known.
    centres : mapping of Level to (x, y), optional
        True centres of vertebrae of which nothing else is known.
    set : str
        Which part of its cohort the image belongs to in tables.
    doubtful : bool
        The true names may be a level off.
    problem : str
        The sentence of an image that could not be read.

    Returns
    -------
    DataFrame
        24 rows (36 where the reading has mid-endplate points) with the columns `COLUMNS`.
    """
    predicted = Spine((), truth.anterior) if reading is None else reading.spine
    names = (*CORNERS, *MIDPOINTS) if _has_midpoints(predicted) else CORNERS
    ours, theirs = (spine.to_array(STANDARD_LEVELS, names, present=True) for spine in (predicted, truth))
    # Plain columns first and one frame at the end: a frame that grows costs more than all the geometry.
    rows: dict = {
        "image": image,
        "level": [str(level) for level in STANDARD_LEVELS for _ in names],
        "corner": [str(name) for _ in STANDARD_LEVELS for name in names],
        "person": person or image,
        "scanner": scanner,
        "set": set,
        "doubtful": doubtful,
        "problem": problem,
    }
    centres, grades = centres or {}, grades or {}
    size = pixel_size(None if reading is None else reading.image.spacing)
    naming = judge_names(predicted, truth, centres, size)
    rows["named"] = [naming.named.get(level, "") for level in STANDARD_LEVELS for _ in names]
    rows["level_right"] = [name == "right" for name in rows["named"]]
    rows["grade"] = np.repeat([float(grades.get(level, np.nan)) for level in STANDARD_LEVELS], len(names))
    rows["truth_status"] = _statuses(truth, names)
    rows["status"] = _statuses(predicted, names)
    rows["required"] = np.isfinite(theirs).all(-1).ravel()
    rows["found"] = np.isfinite(ours).all(-1).ravel()
    rows["confidence"] = _of_corners(predicted, names, "confidence")
    if reading is None:
        return _with_blanks({**rows, "outcome": outcome_of(naming, refused=True, certain=False)})
    places = [_middles(xy, known, naming.heights, size) for xy, known in ((theirs, centres), (ours, {}))]
    _add_errors(rows, ours, theirs, truth, reading, places, naming.heights)
    radius = _of_corners(predicted, names, "radius")
    for coverage in COVERAGES:
        scale = 1.0 if coverage == 90 else reading.radius_scale.get(str(coverage), np.nan)
        rows[f"radius_{coverage}"] = radius * scale
    rows["levels_right"], rows["shifted"] = naming.all_right, bool(naming.swapped)
    rows["certain"] = reading.levels.certain
    rows["margin"] = np.nan if reading.levels.margin is None else reading.levels.margin
    rows["refused"] = not rows["found"].any() or (reading.quality is not None and not reading.quality.typical)
    rows["outcome"] = outcome_of(naming, refused=rows["refused"], certain=rows["certain"])
    if reading.image.anterior_source == "detected":
        rows["anterior_right"] = float(predicted.anterior == truth.anterior)
    if reading.quality is not None and reading.quality.score is not None:
        rows["quality"] = reading.quality.score
    if reading.image.spacing is not None:
        rows["pixel_mm"] = reading.image.spacing.column
    rows["latency_s"] = np.nan if reading.latency_s is None else reading.latency_s
    return _with_blanks(rows)


def read_tables(paths: Iterable[str | Path]) -> pd.DataFrame:
    """The rows of CSV files that `write_table` wrote, one after another.

    Raises
    ------
    AnnotationError
        A file is not such a table.
    """
    parts = []
    for path in paths:
        try:
            part = pd.read_csv(path, dtype=dict.fromkeys(_WORDS, str), keep_default_na=False, na_values=[""])
        except (ValueError, OSError) as error:
            raise AnnotationError(f"the table of landmarks cannot be read ({error})", subject=path) from error
        absent = [name for name in COLUMNS if name not in part.columns]
        if absent:
            raise AnnotationError(f"the table of landmarks has no column {absent[0]!r}", subject=path)
        parts.append(typed(part))
    return pd.concat(parts, ignore_index=True) if parts else typed(pd.DataFrame(columns=list(COLUMNS)))


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with flags as bool, words as str and numbers as float64, whatever a CSV made of them."""
    out = table.copy()
    for name in COLUMNS:
        if name in _FLAGS:
            out[name] = out[name].map({True: True, False: False, "True": True, "False": False}).eq(True)
        elif name in _WORDS:
            out[name] = out[name].fillna("").astype(str)
        else:
            out[name] = pd.to_numeric(out[name], errors="coerce").astype(np.float64)
    return out


def _has_midpoints(spine: Spine) -> bool:
    return any(name in vertebra.points for vertebra in spine for name in MIDPOINTS)


def _statuses(spine: Spine, names) -> list[str]:
    return [str(status or Status.MISSING) for status in _of_points(spine, names, "status")]


def _of_corners(spine: Spine, names, attribute: str) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in _of_points(spine, names, attribute)], float)


def _of_points(spine: Spine, names, attribute: str) -> list:
    points = [spine[level].points.get(name) if level in spine else None for level in STANDARD_LEVELS for name in names]
    return [None if point is None else getattr(point, attribute) for point in points]


def _add_errors(
    rows: dict, ours: np.ndarray, theirs: np.ndarray, truth: Spine, reading: Reading, middles, heights: np.ndarray
) -> None:
    """``middles``: (6, 1, 2) centres of both, with which names are aligned where the truth has nothing else."""
    frame = Frame((reading.image.rows, reading.image.columns))
    forward = np.array([1.0 if truth.anterior == "right" else -1.0, 1.0])
    difference = ours - theirs
    size = pixel_size(reading.image.spacing)
    whole = [np.concatenate(xy, axis=1) * size for xy in zip((theirs, ours), middles)]
    steps = points_shift(*whole, float(np.nanmedian(heights)) if np.isfinite(heights).any() else np.nan)
    rows["names_off"] = float(steps)
    for prefix, found in (("", ours), ("aligned_", moved(ours, steps))):
        normal = ((found - theirs) * frame.scale * forward).reshape(-1, 2)
        rows[f"{prefix}dx"], rows[f"{prefix}dy"] = normal.T
        rows["aligned_px" if prefix else "error_px"] = np.linalg.norm(normal, axis=1)
    rows["error_source_px"] = np.linalg.norm(difference, axis=-1).ravel()
    spacing = reading.image.spacing
    length = np.linalg.norm(difference * pixel_size(spacing), axis=-1)
    rows["error_mm"] = np.nan if spacing is None else length.ravel()
    rows["error_heights"] = (length / heights[:, None]).ravel()


def _middles(
    points: np.ndarray, centres: Mapping[Level, tuple[float, float]], heights: np.ndarray, size: np.ndarray
) -> np.ndarray:
    """(6, 1, 2) source pixels: centres that are known, else those of the corners in (6, k, 2) ``points``."""
    found = [
        np.asarray(centres[level]) if level in centres else middle_of(corners[:4] * size, height) / size
        for level, corners, height in zip(STANDARD_LEVELS, points, heights)
    ]
    return np.stack(found)[:, None]


def _with_blanks(rows: dict) -> pd.DataFrame:
    blank = {name: name == "refused" if name in _FLAGS else "" if name in _WORDS else np.nan for name in COLUMNS}
    return pd.DataFrame({**blank, **rows})[list(COLUMNS)]
