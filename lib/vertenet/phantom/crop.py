"""Crop truth: what of the aortic corridor the image lacks, by exact clipping of polygons.

Nothing here knows `vertenet.measure.detect_crop`; the detector is judged against this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .canvas import Field
from .corridor import REACH, SEGMENTS, Corridor

#: Areas and lengths below this, mm2 and mm, are rounding and count as nothing.
_NOTHING = 1e-6

Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class CropTruth:
    """What is lost of the corridor.

    Attributes
    ----------
    cropped : bool
    segments : tuple of str
        AAC segments that lose something.
    fraction : float
        Lost share of the corridor's area.
    extent_mm, extent_px : float
        Length of the corridor's anterior edge that is lost, along the edge.
    causes : tuple of str
        "border", "blanked" or both.
    colour : None, "black" or "white"
        Of the blanked regions of this image, whether or not they crop.
    corridor : (n, 2) float64
        Outline, source pixels.
    blanked : tuple of (left, top, right, bottom)
        Every blanked rectangle, edges in source pixels (a pixel covers its centre -0.5 to +0.5).
    reach : float
        Anterior reach in mean vertebral depths.
    """

    cropped: bool
    segments: tuple[str, ...]
    fraction: float
    extent_mm: float
    extent_px: float
    causes: tuple[str, ...]
    colour: str | None
    corridor: np.ndarray
    blanked: tuple[Rectangle, ...]
    reach: float = REACH

    def blanked_mask(self, rows: int, columns: int) -> np.ndarray:
        """(rows, columns) bool: the pixels that were blanked; exact, for regions end on pixel borders."""
        mask = np.zeros((rows, columns), bool)
        for left, top, right, bottom in self.blanked:
            mask[round(top + 0.5) : round(bottom + 0.5), round(left + 0.5) : round(right + 0.5)] = True
        return mask

    def to_dict(self) -> dict:
        return {
            **self.__dict__,
            "segments": list(self.segments),
            "causes": list(self.causes),
            "corridor": self.corridor.tolist(),
            "blanked": [list(rectangle) for rectangle in self.blanked],
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> CropTruth:
        kept = dict(data)
        kept["segments"], kept["causes"] = tuple(data["segments"]), tuple(data["causes"])
        kept["corridor"] = np.array(data["corridor"], dtype=np.float64).reshape(-1, 2)
        kept["blanked"] = tuple(tuple(rectangle) for rectangle in data["blanked"])
        return cls(**kept)


def crop_truth(corridor: Corridor, field: Field, blanked: tuple[Rectangle, ...], colour: str | None) -> CropTruth:
    """Clip the corridor by the field and by the blanked rectangles (disjoint, inside the field, pixels)."""
    inside = field.extent
    holes = [_to_mm(field, rectangle) for rectangle in blanked]

    def lost(polygon: np.ndarray) -> tuple[float, float, float]:
        whole = polygon_area(polygon)
        out = whole - polygon_area(clip_polygon(polygon, inside))
        hidden = sum(polygon_area(clip_polygon(polygon, hole)) for hole in holes)
        return whole, out, hidden

    whole, out, hidden = lost(corridor.polygon())
    edge = corridor.edge()
    gone = [line_outside(edge, inside), *(line_length(edge) - line_outside(edge, hole) for hole in holes)]
    pixels = field.to_pixels(edge)
    inside_px = (-0.5, -0.5, field.columns - 0.5, field.rows - 0.5)
    gone_px = [
        line_outside(pixels, inside_px),
        *(line_length(pixels) - line_outside(pixels, hole) for hole in blanked),
    ]
    segments = tuple(name for name in SEGMENTS if sum(lost(corridor.segment(name))[1:]) > _NOTHING)
    causes = tuple(name for name, area in (("border", out), ("blanked", hidden)) if area > _NOTHING)
    return CropTruth(
        cropped=bool(causes),
        segments=segments if causes else (),
        fraction=float(np.clip((out + hidden) / whole, 0, 1)) if causes else 0.0,
        extent_mm=max(float(sum(gone)), 0.0) if causes else 0.0,
        extent_px=max(float(sum(gone_px)), 0.0) if causes else 0.0,
        causes=causes,
        colour=colour if blanked else None,
        corridor=field.to_pixels(corridor.polygon()),
        blanked=tuple(tuple(float(v) for v in rectangle) for rectangle in blanked),
    )


def _to_mm(field: Field, rectangle: Rectangle) -> Rectangle:
    left, top, right, bottom = rectangle
    (x0, y0), (x1, y1) = field.to_mm([[left, top], [right, bottom]])
    return (float(x0), float(y0), float(x1), float(y1))


def clip_polygon(polygon: np.ndarray, box: Rectangle) -> np.ndarray:
    """Sutherland-Hodgman: a polygon (it may be concave) cut by a box. The area is exact; bridges have none."""
    left, top, right, bottom = box
    for axis, limit, sign in ((0, left, 1), (0, right, -1), (1, top, 1), (1, bottom, -1)):
        if len(polygon) == 0:
            break
        kept = []
        for a, b in zip(polygon, np.roll(polygon, -1, axis=0)):
            da, db = sign * (a[axis] - limit), sign * (b[axis] - limit)
            if da >= 0:
                kept.append(a)
            if (da >= 0) != (db >= 0):
                kept.append(a + (b - a) * da / (da - db))
        polygon = np.array(kept).reshape(-1, 2)
    return polygon


def polygon_area(polygon: np.ndarray) -> float:
    """Area by the shoelace formula; 0 for fewer than three points."""
    if len(polygon) < 3:
        return 0.0
    x, y = (polygon - polygon[0]).T
    return float(abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2)


def line_length(line: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def line_outside(line: np.ndarray, box: Rectangle) -> float:
    """Length of a polyline outside a box (Liang-Barsky on each piece)."""
    left, top, right, bottom = box
    total = 0.0
    for a, b in zip(line, line[1:]):
        enter, leave = 0.0, 1.0
        for start, step, low, high in zip(a, b - a, (left, top), (right, bottom)):
            if step == 0:
                if not low <= start <= high:
                    enter, leave = 1.0, 0.0
                continue
            near, far = sorted(((low - start) / step, (high - start) / step))
            enter, leave = max(enter, near), min(leave, far)
        total += float(np.linalg.norm(b - a)) * (1 - max(leave - enter, 0.0))
    return total
