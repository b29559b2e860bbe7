"""The aortic corridor: the strip in front of L1 to L4 in which the abdominal aorta is expected.

Construction after Maqsood et al. (VerteNet, supplementary section 1.2): on every guide the point ``factor * w`` in
front of its anterior midpoint, ``w`` being the mean guide length; a cubic spline x(y) through these points is the
corridor's anterior edge, sampled evenly from head to foot. Behind, it is bounded by the anterior vertebral wall.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline

from ..errors import GeometryError
from ..spine import CornerName, Level, Side, Spine, Status, Vertebra
from .guides import DISCS, GUIDE_NAMES, SEGMENTS, Guide, disc_name, intervertebral_guides

#: Samples of the whole edge, T12/L1 to L4/L5, as in the paper; a part of it has its share of them.
SAMPLES = 500
#: A guide steeper than this (degrees from the image's x axis) is no disc of a lateral spine image; its line would send
#: the corridor far up or down.
STEEPEST_GUIDE = 60.0
#: The spline may bulge beyond the straight line between two guides by this share of ``w``, not more.
LARGEST_BULGE = 0.25


@dataclass(frozen=True, eq=False)
class Corridor:
    """The corridor where it could be built, cut across by ``n`` samples from head to foot.

    Attributes
    ----------
    edge : (n, 2) float64
        Anterior edge, source pixels.
    wall : (n, 2) float64
        The point of the anterior vertebral wall behind each point of ``edge``, source pixels.
    edge_step, wall_step : (n, 2) float64
        Displacement of edge and wall for one sample, pixels; half of it at the two ends.
    segment : (n,) int
        Index into `SEGMENTS` of the segment that each sample lies in.
    complete : tuple of str
        Segments that rest on located corners alone. The others in ``segment`` rest on a corner that lies outside the
        image: they can show that something is lost, never that nothing is.
    gap : str
        Which segments are not in ``complete``, and for want of what; empty if all are.
    """

    edge: np.ndarray
    wall: np.ndarray
    edge_step: np.ndarray
    wall_step: np.ndarray
    segment: np.ndarray
    complete: tuple[str, ...]
    gap: str

    def across(self, share: np.ndarray) -> np.ndarray:
        """(n, m, 2) points at the (m,) ``share`` of the way from wall (0) to edge (1), source pixels."""
        share = np.asarray(share, dtype=np.float64)[None, :, None]
        return self.wall[:, None] + share * (self.edge - self.wall)[:, None]

    def area_density(self, share: np.ndarray) -> np.ndarray:
        """(n, m) area in square pixels for one sample and unit share, at the points of `across`."""
        share = np.asarray(share, dtype=np.float64)[None, :, None]
        along = self.wall_step[:, None] + share * (self.edge_step - self.wall_step)[:, None]
        outward = (self.edge - self.wall)[:, None]
        return np.abs(along[..., 0] * outward[..., 1] - along[..., 1] * outward[..., 0])


def aortic_corridor(spine: Spine, factor: float, samples: int = SAMPLES) -> Corridor:
    """The corridor of a spine, over those of L1 to L4 whose two discs have a guide.

    Raises
    ------
    GeometryError
        No segment has both its discs, or the landmarks cannot be those of a lateral spine (guides that cross, point
        the wrong way or stand upright).
    """
    located = intervertebral_guides(spine)
    # A corner beyond the image is no measurement, so `located` lacks it; but that it lies beyond is the very question.
    usable = intervertebral_guides(_with_outside_corners(spine))
    bounded = [i for i, pair in enumerate(zip(DISCS, DISCS[1:])) if all(disc_name(*disc) in usable for disc in pair)]
    gap = _gap(spine, located)
    if not bounded:
        raise GeometryError(gap)

    sign = 1.0 if spine.anterior == "right" else -1.0
    _check_directions(usable.values(), sign, spine.anterior)
    width = mean_guide_length(usable.values())
    walls = {name: guide.anterior for name, guide in usable.items()}
    edges = {name: guide.at_x(guide.anterior[0] + sign * factor * width) for name, guide in usable.items()}
    _check_order(walls, "the anterior midpoints")
    _check_order(edges, "the guides, extended over the aorta,")

    parts = [_stretch(run, walls, edges, samples * len(run) // len(SEGMENTS), width) for run in _runs(bounded)]
    edge, wall, edge_step, wall_step, segment = (np.concatenate(arrays) for arrays in zip(*parts))
    complete = tuple(SEGMENTS[i].value for i in range(len(SEGMENTS)) if _rests_on(located, i))
    return Corridor(edge, wall, edge_step, wall_step, segment, complete, gap)


def _runs(segments: list[int]) -> list[list[int]]:
    """Neighbouring segments together: the edge is never drawn across one that has no guides."""
    runs: list[list[int]] = []
    for i in segments:
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _stretch(
    run: list[int], walls: dict[str, np.ndarray], edges: dict[str, np.ndarray], samples: int, width: float
) -> tuple[np.ndarray, ...]:
    """Edge, wall, their steps and the segment at every sample of neighbouring segments."""
    names = GUIDE_NAMES[3 * run[0] : 3 * run[-1] + 4]
    x, knots = np.stack([edges[name] for name in names]).T
    behind = np.stack([walls[name] for name in names])
    y = np.linspace(knots[0], knots[-1], samples)
    edge = np.column_stack([CubicSpline(knots, x)(y), y])
    if np.abs(edge[:, 0] - np.interp(y, knots, x)).max() > LARGEST_BULGE * width:
        raise GeometryError("the guides are too irregular for a smooth corridor edge")
    wall = np.column_stack([np.interp(y, knots, behind[:, axis]) for axis in (0, 1)])
    # Every third guide is a disc: the bounds of the segments.
    segment = run[0] + np.searchsorted(knots[3:-1:3], y)
    return edge, wall, _steps(edge), _steps(wall), segment


def guide_ends(guides: Mapping[str, Guide], anterior: Side, factor: float) -> dict[str, np.ndarray]:
    """Where each guide meets the anterior edge of the corridor, (2,) source pixels: so far it is drawn.

    One that is too steep for a disc (`STEEPEST_GUIDE`), or upright, is left out.
    """
    if not guides:
        return {}
    forward = (1.0 if anterior == "right" else -1.0) * factor * mean_guide_length(guides.values())
    ends = {name: guide.at_x(guide.anterior[0] + forward) for name, guide in guides.items()}
    steepest = np.tan(np.radians(STEEPEST_GUIDE)) * abs(forward)
    # False for an upright guide too, which meets the edge nowhere (NaN).
    return {name: end for name, end in ends.items() if abs(end[1] - guides[name].anterior[1]) <= steepest}


def mean_guide_length(guides: Iterable[Guide]) -> float:
    """``w`` of the paper, pixels. L4/L5, the most variable and most tilted guide, counts only if it is the only one."""
    lengths = {guide.name: guide.length for guide in guides}
    if len(lengths) > 1:
        lengths.pop(GUIDE_NAMES[-1], None)
    return float(np.mean(list(lengths.values())))


def _with_outside_corners(spine: Spine) -> Spine:
    vertebrae = []
    for vertebra in spine:
        points = {
            name: replace(corner, status=Status.PRESENT)
            if corner.status is Status.OUTSIDE and corner.x is not None
            else corner
            for name, corner in vertebra.points.items()
        }
        vertebrae.append(Vertebra(vertebra.level, points, vertebra.confidence))
    return replace(spine, vertebrae=tuple(vertebrae))


def _rests_on(guides: dict[str, Guide], segment: int) -> bool:
    return all(disc_name(*disc) in guides for disc in DISCS[segment : segment + 2])


def _gap(spine: Spine, located: dict[str, Guide]) -> str:
    """For example "no guide at T12/L1 (T12-IA outside, T12-IP outside), so L1 could not be measured"."""
    open_segments = [level.value for i, level in enumerate(SEGMENTS) if not _rests_on(located, i)]
    if not open_segments:
        return ""
    discs = [
        f"{disc_name(*disc)} ({', '.join(_lacking(spine, *disc))})" for disc in DISCS if disc_name(*disc) not in located
    ]
    return f"no guide at {' and '.join(discs)}, so {', '.join(open_segments)} could not be measured"


def _lacking(spine: Spine, upper: Level, lower: Level) -> list[str]:
    """What the guide of a disc lacks: whole vertebrae by name, single corners with theirs."""
    lacking = []
    for level, names in ((upper, (CornerName.IA, CornerName.IP)), (lower, (CornerName.SA, CornerName.SP))):
        if level not in spine:
            lacking.append(f"{level} not among the landmarks")
        elif len({corner.status for corner in spine[level].points.values()}) == 1 and spine[level].is_missing:
            lacking.append(f"{level} {spine[level][names[0]].status}")
        else:
            corners = [(name, spine[level][name]) for name in names]
            lacking += [f"{level}-{name} {corner.status}" for name, corner in corners if not corner.is_present]
    return lacking


def _check_directions(guides: Iterable[Guide], sign: float, anterior: str) -> None:
    for guide in guides:
        dx, dy = guide.anterior - guide.posterior
        if dx * sign <= 0:
            raise GeometryError(f"anterior is said to be {anterior}, but the guide {guide.name} points the other way")
        if abs(dy) > abs(dx) * np.tan(np.radians(STEEPEST_GUIDE)):
            raise GeometryError(f"the guide {guide.name} is steeper than {STEEPEST_GUIDE:.0f} degrees")


def _check_order(points: dict[str, np.ndarray], what: str) -> None:
    names = list(points)
    for upper, lower in zip(names, names[1:]):
        if points[lower][1] <= points[upper][1]:
            raise GeometryError(f"{what} of {upper} and {lower} are not in order from head to foot")


def _steps(points: np.ndarray) -> np.ndarray:
    """Trapezoidal weights of a polyline: what each point stands for along it."""
    halves = np.diff(points, axis=0) / 2
    steps = np.zeros_like(points)
    steps[:-1] += halves
    steps[1:] += halves
    return steps
