"""Double reading: how far two annotators' landmarks of one image lie apart, and what both can stand by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..errors import AnnotationError
from ..radiograph import Spacing
from ..spine import CORNERS, Corner, Spine, Status, Vertebra
from .matching import level_shift, pixel_size

#: Two placements of a corner further apart than this share of the median endplate are no agreement: somebody must look.
FAR_APART = 0.25


@dataclass(frozen=True)
class Agreement:
    """Two annotators' points of one image.

    Attributes
    ----------
    annotators : (str, str)
    points : int
        Points that both placed.
    mean_px, median_px, largest_px : float or None
        Distance between their placements, source pixels; None where no point was placed by both.
    mean_mm, median_mm, largest_mm : float or None
        The same in mm; None also where the image's pixel spacing is unknown.
    largest_at : str or None
        The point that lies furthest apart.
    only_first, only_second : tuple of str
        Points that one of them placed.
    level_shift : int
        Levels by which the second reading would have to be renamed towards the feet to fit the first; 0: none.
    """

    annotators: tuple[str, str]
    points: int
    mean_px: float | None
    median_px: float | None
    largest_px: float | None
    mean_mm: float | None
    median_mm: float | None
    largest_mm: float | None
    largest_at: str | None
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    level_shift: int


def compare(annotators: tuple[str, str], first: Spine, second: Spine, spacing: Spacing | None) -> Agreement:
    """The agreement of two readings of one image."""
    a, b = first.present_points(), second.present_points()
    common = [name for name in a if name in b]
    px = _distances(a, b, common, None)
    mm = np.empty(0) if spacing is None else _distances(a, b, common, spacing)
    return Agreement(
        annotators,
        len(common),
        *_summary(px),
        *_summary(mm),
        common[int(px.argmax())] if common else None,
        tuple(name for name in a if name not in b),
        tuple(name for name in b if name not in a),
        level_shift(first, second, pixel_size(spacing)),
    )


def compare_all(readings: Mapping[str, Spine], spacing: Spacing | None) -> list[Agreement]:
    """Every pair of annotators, in the order of ``readings``."""
    return [compare((a, b), readings[a], readings[b], spacing) for a, b in combinations(readings, 2)]


def consensus(
    readings: Mapping[str, Spine], subject: str, spacing: Spacing | None = None
) -> tuple[Spine, tuple[str, ...]]:
    """One spine out of several readings, and the points that they do not agree on.

    A point that more than half of the readings placed becomes their mean (of two) or median (of more). One whose
    placements lie further apart than `FAR_APART` of the median endplate, or that just half placed, is ``unevaluable``
    until somebody decides. Where fewer placed it, it has the status that the first reading without it gives.

    Parameters
    ----------
    readings : mapping of annotator to Spine
    subject : str
        The image, for messages.
    spacing : Spacing, optional
        Of the image.

    Raises
    ------
    AnnotationError
        Fewer than two readings, or they differ in the anterior side or in the levels by `vertenet.measure.matching`.
    """
    spines = list(readings.values())
    if len(spines) < 2:
        raise AnnotationError(
            "a consensus needs the labels of two annotators", subject=subject, remedy="Have it labelled once more"
        )
    if len({spine.anterior for spine in spines}) > 1:
        raise AnnotationError("the readings do not agree on which side is anterior", subject=subject)
    for (one, first), (other, second) in combinations(readings.items(), 2):
        steps = level_shift(first, second, pixel_size(spacing))
        if steps:
            raise AnnotationError(
                f"{one} and {other} name the same vertebrae differently, by {_levels(steps)}",
                subject=subject,
                remedy="Settle the levels first",
            )
    limit = FAR_APART * _median_endplate(spines)
    undecided: list[str] = []
    vertebrae = []
    for level in sorted({level for spine in spines for level in spine.levels}, key=lambda level: level.rank):
        found = [spine[level] for spine in spines if level in spine]
        names = dict.fromkeys([*CORNERS, *(name for vertebra in found for name in vertebra.points)])
        points = {}
        for name in names:
            given = [vertebra.points.get(name, Corner.missing()) for vertebra in found]
            points[name] = _agreed(given, len(spines), limit)
            if points[name].status is Status.UNEVALUABLE and any(corner.is_present for corner in given):
                undecided.append(f"{level}-{name}")
        vertebrae.append(Vertebra(level, points))
    return Spine(tuple(vertebrae), spines[0].anterior, spines[0].transition), tuple(undecided)


def _levels(steps: int) -> str:
    return "one level" if abs(steps) == 1 else f"{abs(steps)} levels"


def _agreed(given: Sequence[Corner], readers: int, limit: float) -> Corner:
    placed = np.array([(corner.x, corner.y) for corner in given if corner.is_present]).reshape(-1, 2)
    if 2 * len(placed) < readers:
        absent = next((corner for corner in given if not corner.is_present), Corner.missing())
        return Corner(status=absent.status)
    middle = np.median(placed, axis=0)
    apart = max(np.linalg.norm(a - b) for a, b in combinations(placed, 2)) if len(placed) > 1 else 0.0
    if 2 * len(placed) == readers or apart > limit:
        return Corner(status=Status.UNEVALUABLE)
    return Corner(*middle)


def _median_endplate(spines: Sequence[Spine]) -> float:
    """Median distance of anterior and posterior corners, px."""
    corners = np.concatenate([spine.to_array() for spine in spines])
    plates = corners[:, [0, 2]] - corners[:, [1, 3]]
    lengths = np.linalg.norm(plates, axis=-1)
    return float(np.nanmedian(lengths)) if np.isfinite(lengths).any() else np.inf


def _distances(a: Mapping, b: Mapping, names: Sequence[str], spacing: Spacing | None) -> np.ndarray:
    """(n,) distances of the named points, px, or mm where a spacing is given."""
    offset = np.array([np.subtract(b[name], a[name]) for name in names]).reshape(-1, 2)
    return np.linalg.norm(offset * pixel_size(spacing), axis=1)


def _summary(distances: np.ndarray) -> tuple[float | None, float | None, float | None]:
    if distances.size == 0:
        return None, None, None
    return float(distances.mean()), float(np.median(distances)), float(distances.max())
