"""The aortic corridor: the strip in front of L1 to L4 that AAC-24 is read in, from the true anatomy.

It reaches from the anterior vertebral walls to `REACH` mean vertebral depths in front of them, which covers the aorta
(wall 1 to 2.5 mm in front of the discs, 19 to 25 mm wide) and a margin of soft tissue, and is where the expert of the
VerteNet paper drew the line between a whole and a cropped aorta. Stations: the five disc planes T12/L1 to L4/L5 and
the four mid-planes between, taken from the solids. The reach is measured across the image, as the reader sees it, at
the height to which the plane leads. With four lumbar vertebrae the last disc is L4/S1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import Body, Column

SEGMENTS = ("L1", "L2", "L3", "L4")
#: Anterior reach, mean depths of L1 to L4.
REACH = 1.2
#: An uncropped phantom has at least this reach everywhere; closer calls are not drawn.
SAFE_REACH = 1.36


@dataclass(frozen=True, eq=False)
class Corridor:
    """Stations from head to foot: discs at even places, mid-planes of L1 to L4 at odd ones.

    Attributes
    ----------
    wall : (9, 2) float64
        The anterior end of each plane, mm.
    slope : (9,) float64
        Fall of each plane, mm down per mm forward.
    depth : float
        Mean vertebral depth of L1 to L4, mm.
    """

    wall: np.ndarray
    slope: np.ndarray
    depth: float

    def edge(self, reach: float = REACH) -> np.ndarray:
        """(9, 2) mm: the points ``reach`` depths in front of the wall."""
        forward = reach * self.depth
        return self.wall + forward * np.column_stack([np.ones_like(self.slope), self.slope])

    def polygon(self, first: int = 0, last: int = 8, reach: float = REACH) -> np.ndarray:
        """(n, 2) mm: the corridor's outline between two stations."""
        part = slice(first, last + 1)
        return np.vstack([self.wall[part], self.edge(reach)[part][::-1]])

    def segment(self, name: str) -> np.ndarray:
        """(6, 2) mm: the outline of one AAC segment."""
        first = 2 * SEGMENTS.index(name)
        return self.polygon(first, first + 2)


def corridor_of(column: Column) -> Corridor:
    """The corridor of a column."""
    walls, slopes = [], []
    for name in ("T12", *SEGMENTS):
        upper, lower = column[name], column.below(name)
        if name != "T12":
            walls.append(_front(upper))
            slopes.append(upper.forward[1] / upper.forward[0])
        front, back = (upper.ia + lower.sa) / 2, (upper.ip + lower.sp) / 2
        walls.append(front)
        slopes.append((front - back)[1] / (front - back)[0])
    depth = float(np.mean([column[name].depth for name in SEGMENTS]))
    return Corridor(np.array(walls), np.array(slopes), depth)


def _front(body: Body) -> np.ndarray:
    return (body.sa + body.ia) / 2 - body.waist_anterior * body.forward
