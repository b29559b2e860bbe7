"""Is the abdominal aorta inside the image? Clear, cropped, or could not be assessed.

The aortic corridor (`vertenet.measure.corridor`) is compared with what the scanner exposed: it is lost where it leaves
the image on any side and where it falls on a blanked region (`vertenet.measure.blanked`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from ..errors import GeometryError, OptionError
from ..radiograph import Radiograph, Spacing
from ..spine import Spine
from .blanked import blanked_mask
from .corridor import Corridor, aortic_corridor
from .guides import SEGMENTS
from .matching import pixel_size

#: How far in front of the spine the aorta is looked for, in mean guide lengths (VerteNet, Table 1).
DEFAULT_FACTOR = 1.2
#: Samples of the 500 from head to foot that must be lost before the aorta is called cropped. The border of the image is
#: exact, so one is enough; a blanked region counts from 11, as in the paper.
LEAST_SAMPLES = {"border": 1, "blanked": 11}
#: Points at which the corridor is looked at from vertebral wall to edge, both included.
POINTS_ACROSS = 129


class CropState(str, Enum):
    """The three answers. A failure is never "clear"."""

    CLEAR = "clear"
    CROPPED = "cropped"
    NOT_ASSESSED = "could not be assessed"

    __str__ = str.__str__


#: What is said of each state in a few words. The corridor is lost for certain, the aorta in it only perhaps.
CROP_WORDS = {
    CropState.CLEAR: "inside the image",
    CropState.CROPPED: "may be cropped",
    CropState.NOT_ASSESSED: "could not be assessed",
}
_CAUSES = {"border": "border of the image", "blanked": "blanked region"}


@dataclass(frozen=True, eq=False)
class CropResult:
    """Whether the aortic corridor is inside the image, where it is lost, and how much.

    Attributes
    ----------
    state : CropState
    factor : float
        How far in front of the spine the aorta was looked for, in mean guide lengths.
    segments : tuple of str
        AAC segments ("L1" ... "L4") in which something is lost.
    fraction : float or None
        Lost share of the aortic corridor's area, 0 to 1. This and the two extents are of the whole corridor; they are
        None where a part of it could not be looked at.
    extent_px : float or None
        Length of the lost stretch of the corridor's anterior edge, measured along the edge, source pixels.
    extent_mm : float or None
        The same in mm where the spacing is known.
    causes : tuple of str
        Any of "border" and "blanked".
    edge : (n, 2) float64
        The corridor's anterior edge from head to foot, source pixels; empty where it could not be built. Segments that
        could not be looked at are left out.
    lost : (n,) bool
        At which points of ``edge`` something between it and the vertebral wall is lost.
    reason : str
        What could not be assessed and why; empty where all four segments were. Of a cropped aorta it names the
        segments that may or may not be cropped as well.
    """

    state: CropState
    factor: float = DEFAULT_FACTOR
    segments: tuple[str, ...] = ()
    fraction: float | None = None
    extent_px: float | None = None
    extent_mm: float | None = None
    causes: tuple[str, ...] = ()
    edge: np.ndarray = None  # type: ignore[assignment]
    lost: np.ndarray = None  # type: ignore[assignment]
    reason: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", CropState(self.state))
        edge = np.empty((0, 2)) if self.edge is None else np.array(self.edge, dtype=np.float64).reshape(-1, 2)
        lost = np.zeros(len(edge), bool) if self.lost is None else np.array(self.lost, dtype=bool)
        if len(edge) != len(lost):
            raise GeometryError(f"the corridor's edge has {len(edge)} points, but {len(lost)} marks of what is lost")
        edge.flags.writeable = lost.flags.writeable = False
        object.__setattr__(self, "edge", edge)
        object.__setattr__(self, "lost", lost)

    def __eq__(self, other: object) -> bool:
        return self.to_dict() == other.to_dict() if isinstance(other, CropResult) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def stretches(self) -> list[slice]:
        """Parts of ``edge`` without a gap; a segment that could not be looked at leaves one."""
        if len(self.edge) < 2:
            return []
        step = np.diff(self.edge[:, 1])
        cuts = [0, *np.flatnonzero(step > 3 * np.median(step)) + 1, len(self.edge)]
        return [slice(start, stop) for start, stop in zip(cuts, cuts[1:]) if stop - start > 1]

    def to_dict(self) -> dict:
        return {
            "state": self.state.value,
            "factor": self.factor,
            "segments": list(self.segments),
            "fraction": self.fraction,
            "extent_px": self.extent_px,
            "extent_mm": self.extent_mm,
            "causes": list(self.causes),
            "edge": self.edge.tolist(),
            "lost": self.lost.tolist(),
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> CropResult:
        keep = {key: data[key] for key in ("state", "factor", "fraction", "extent_px", "extent_mm", "reason")}
        return cls(
            segments=tuple(data["segments"]),
            causes=tuple(data["causes"]),
            edge=np.array(data["edge"], dtype=np.float64).reshape(-1, 2),
            lost=np.array(data["lost"], dtype=bool),
            **keep,
        )


def detect_crop(
    radiograph: Radiograph, spine: Spine, factor: float = DEFAULT_FACTOR, *, blanked: np.ndarray | None = None
) -> CropResult:
    """Whether, where and by how much the aortic corridor is lost.

    Parameters
    ----------
    radiograph : Radiograph
        Its spacing, where known, gives the extent in mm; its anterior side is not used.
    spine : Spine
        Landmarks in the radiograph's pixels, with the anterior side. Only located corners can show that nothing is
        lost. A corner with status ``outside`` and a position can show that something is.
    factor : float
        Width of the corridor in mean guide lengths.
    blanked : (rows, columns) bool, optional
        The radiograph's `vertenet.measure.blanked.blanked_mask`, for callers that ask often of one image: finding it
        takes most of the time.

    Returns
    -------
    CropResult
        ``clear`` only if all four segments were looked at and nothing is lost; ``cropped`` as soon as something is
        lost; else ``could not be assessed`` with the reason.

    Raises
    ------
    OptionError
        ``factor`` is not a positive number.
    """
    if not (math.isfinite(factor) and factor > 0):
        raise OptionError(f"the crop factor is {factor}, but it must be a positive number", remedy="The default is 1.2")
    try:
        corridor = aortic_corridor(spine, factor)
        _check_in_image(radiograph, corridor)
    except GeometryError as error:
        return CropResult(CropState.NOT_ASSESSED, factor, reason=error.problem)

    share = np.linspace(0, 1, POINTS_ACROSS)
    if blanked is None:
        blanked = blanked_mask(radiograph.pixels)
    lost = lost_points(radiograph, corridor.across(share), blanked)
    causes = tuple(cause for cause, points in lost.items() if points.any(axis=1).sum() >= LEAST_SAMPLES[cause])
    points = np.logical_or.reduce([lost[cause] for cause in causes]) if causes else np.zeros_like(lost["border"])
    rows = points.any(axis=1)
    # A segment that rests on a corner beyond the image was looked at for what is lost in it, and for nothing else.
    names = np.array([level.value for level in SEGMENTS])[corridor.segment]
    shown = rows | np.isin(names, corridor.complete)
    unless_cropped = CropState.NOT_ASSESSED if corridor.gap else CropState.CLEAR
    result = CropResult(
        state=CropState.CROPPED if causes else unless_cropped,
        factor=factor,
        segments=tuple(level.value for level in SEGMENTS if (names[rows] == level.value).any()),
        causes=causes,
        edge=corridor.edge[shown],
        lost=rows[shown],
        reason=corridor.gap,
    )
    if corridor.gap:
        return result
    area = corridor.area_density(share)
    area[:, [0, -1]] /= 2  # trapezoidal rule
    return replace(
        result,
        fraction=float(area[points].sum() / area.sum()),
        extent_px=_length(corridor, rows, None),
        extent_mm=None if radiograph.spacing is None else _length(corridor, rows, radiograph.spacing),
    )


def crop_sentence(crop: CropResult, spacing: Spacing | None = None) -> str:
    """The finding in one sentence without its full stop: where, why and how much, or why there is no result.

    Millimetres stand there with the source of ``spacing``, the image's.
    """
    if crop.state is CropState.NOT_ASSESSED:
        return f"Crop {CROP_WORDS[crop.state]}: {crop.reason.rstrip('.')}"
    if crop.state is CropState.CLEAR:
        return f"The aortic corridor from L1 to L4 is {CROP_WORDS[crop.state]}"
    text = f"Aorta {CROP_WORDS[crop.state]} at {', '.join(crop.segments)}"
    if crop.causes:
        text += f" ({' and '.join(_CAUSES[cause] for cause in crop.causes)})"
    if crop.fraction is not None:
        share = "less than 1 %" if crop.fraction < 0.01 else f"{100 * crop.fraction:.0f} %"
        text += f": {share} of the corridor lost"
    if crop.extent_px is not None:
        source = "" if spacing is None else f" ({spacing.source})"
        mm = "" if crop.extent_mm is None else f" = {crop.extent_mm:.0f} mm{source}"
        text += f", along {crop.extent_px:.0f} px{mm} of its front edge"
    return f"{text}; not assessed elsewhere: {crop.reason.rstrip('.')}" if crop.reason else text


def _check_in_image(radiograph: Radiograph, corridor: Corridor) -> None:
    outside = _outside(radiograph, corridor.wall)
    if outside.mean() > 0.5:
        raise GeometryError(
            f"most of the spine lies outside the image of {radiograph.columns} x {radiograph.rows} pixels: these "
            "landmarks belong to another image"
        )


def _outside(radiograph: Radiograph, xy: np.ndarray) -> np.ndarray:
    """(...) bool: beyond the outer edges of the border pixels."""
    x, y = xy[..., 0], xy[..., 1]
    return (x < -0.5) | (x > radiograph.columns - 0.5) | (y < -0.5) | (y > radiograph.rows - 0.5)


def lost_points(radiograph: Radiograph, xy: np.ndarray, blanked: np.ndarray) -> dict[str, np.ndarray]:
    """For each cause the (n, m) points of (n, m, 2) ``xy`` that are lost to it."""
    outside = _outside(radiograph, xy)
    # Pixel centres are at integers: the pixel that holds a point is the nearest integer.
    x, y = (np.rint(np.where(outside, 0, xy[..., axis])).astype(int) for axis in (0, 1))
    hidden = blanked[y.clip(0, radiograph.rows - 1), x.clip(0, radiograph.columns - 1)]
    return {"border": outside, "blanked": hidden & ~outside}


def _length(corridor: Corridor, rows: np.ndarray, spacing: Spacing | None) -> float:
    """Length of the edge at the samples ``rows``: pixels, or mm where a spacing is given."""
    return float(np.hypot(*(corridor.edge_step[rows] * pixel_size(spacing)).T).sum())
