"""Where words stand in the view: clear of what they would hide. View pixels, from the lower left; no MRML here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from vertenet.measure.guides import DISCS, SEGMENTS, disc_name

from .shapes import Name

#: From the edge of the view to a label, view pixels.
_MARGIN = 6.0
#: From a landmark to a label, view pixels: a cross and the ring around it are no wider.
LANDMARK_RADIUS = 11.0
#: Places that are tried across and along the view.
_ACROSS, _ALONG = 9, 25
#: How bad it is to hide a landmark, a band or vertebra, and a word: no number of the next outweighs one of these.
_LANDMARK, _SHAPE, _WORD = 1e6, 1e3, 1.0

Size = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Field:
    """How the view shows the image.

    Attributes
    ----------
    matrix : (2, 3) float64
        Source pixels (x, y, 1) to view pixels from the lower left.
    width, height : int
        Of the view, pixels.
    """

    matrix: np.ndarray
    width: int
    height: int

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Field):
            return NotImplemented
        same = (self.width, self.height) == (other.width, other.height)
        return same and np.allclose(self.matrix, other.matrix, rtol=0, atol=1e-6)

    __hash__ = None  # type: ignore[assignment]

    def to_view(self, xy: np.ndarray) -> np.ndarray:
        """(..., 2) source pixels to view pixels."""
        return np.asarray(xy, dtype=np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]

    def to_pixels(self, view: np.ndarray) -> np.ndarray:
        """(..., 2) view pixels to source pixels."""
        return (np.asarray(view, dtype=np.float64) - self.matrix[:, 2]) @ np.linalg.inv(self.matrix[:, :2]).T


@dataclass(frozen=True, eq=False)
class Obstacles:
    """What a label should not hide.

    Attributes
    ----------
    landmarks : (n, 2) float64
        View pixels.
    shapes : (m, 4, 2) float64
        Corners around convex quadrilaterals, view pixels.
    words : (k, 4) float64
        Boxes: left, bottom, right, top.
    """

    landmarks: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    shapes: np.ndarray = field(default_factory=lambda: np.empty((0, 4, 2)))
    words: np.ndarray = field(default_factory=lambda: np.empty((0, 4)))

    def hidden_by(self, boxes: np.ndarray) -> np.ndarray:
        """(b,) how bad it is to put a label on each of (b, 4) boxes; 0 where it hides nothing."""
        around = np.concatenate([self.landmarks - LANDMARK_RADIUS, self.landmarks + LANDMARK_RADIUS], axis=1)
        return (
            _LANDMARK * _meet(boxes, around).sum(axis=1)
            + _SHAPE * _meet_quads(boxes, self.shapes).sum(axis=1)
            + _WORD * _meet(boxes, self.words).sum(axis=1)
        )


@dataclass(frozen=True)
class Place:
    """A label's lower left corner, view pixels, and which of its shapes it has there."""

    shape: int
    x: float
    y: float


def find_place(
    sizes: Sequence[Size], obstacles: Obstacles, view: Size, near: Size, last: Optional[Place] = None
) -> Place:
    """Where a label hides nothing, or as little as possible where everything is full.

    Parameters
    ----------
    sizes : sequence of (width, height)
        Of the same words broken into lines in different ways, the best first.
    obstacles : Obstacles
    view : (width, height)
    near : (x, y)
        Where the upper left corner of the label would best be, view pixels.
    last : Place, optional
        Kept while it hides nothing, so that a label does not jump about while a point is dragged.
    """
    if last is not None and last.shape < len(sizes):
        box = _boxes(np.array([[last.x, last.y]]), sizes[last.shape])
        if _inside(box, view).all() and not obstacles.hidden_by(box).any():
            return last
    options = []
    for shape, size in enumerate(sizes):
        places = _grid(size, view, near)
        boxes = _boxes(places, size)
        bad = obstacles.hidden_by(boxes) + _LANDMARK * len(sizes) * ~_inside(boxes, view)
        best = int(np.argmin(bad))  # of those that are as good, the nearest
        if bad[best] == 0:
            return Place(shape, *places[best].tolist())
        options.append((float(bad[best]), Place(shape, *places[best].tolist())))
    return min(options, key=lambda option: option[0])[1]


def without_crowded_thirds(names: Sequence[Name], field: Field, size: Callable[[str], Size]) -> tuple[Name, ...]:
    """Names of guides, less those of a segment's thirds where they would touch one another or those of the discs."""
    boxes = dict(zip((name.text for name in names), name_boxes(names, field, size)))
    crowded = {text for segment in _segments() if _touch(segment, boxes) for text in segment[1:3]}
    return tuple(name for name in names if name.text not in crowded)


def name_boxes(names: Sequence[Name], field: Field, size: Callable[[str], Size]) -> np.ndarray:
    """(n, 4) boxes of words in the view."""
    if not names:
        return np.empty((0, 4))
    corners = field.to_view(np.array([(name.x, name.y) for name in names]))
    return np.concatenate([corners, corners + np.array([size(name.text) for name in names])], axis=1)


def _segments() -> list[tuple[str, ...]]:
    """The four guides of each segment, from head to foot."""
    return [
        (disc_name(*above), f"{level.value} 1/3", f"{level.value} 2/3", disc_name(*below))
        for level, above, below in zip(SEGMENTS, DISCS, DISCS[1:])
    ]


def _touch(names: Sequence[str], boxes: Mapping[str, np.ndarray]) -> bool:
    present = [boxes[name][None] for name in names if name in boxes]
    return any(_meet(one, other).any() for one, other in zip(present, present[1:]))


def _grid(size: Size, view: Size, near: Size) -> np.ndarray:
    """(n, 2) lower left corners all over the view, those first whose upper left corner is the nearest."""
    xs, ys = (
        np.linspace(_MARGIN, max(whole - part - _MARGIN, _MARGIN), count)
        for whole, part, count in zip(view, size, (_ACROSS, _ALONG))
    )
    places = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    far = np.hypot(places[:, 0] - near[0], places[:, 1] + size[1] - near[1])
    return places[np.argsort(far, kind="stable")]


def _boxes(corners: np.ndarray, size: Size) -> np.ndarray:
    return np.concatenate([corners, corners + np.array(size)], axis=1)


def _inside(boxes: np.ndarray, view: Size) -> np.ndarray:
    return (boxes[:, :2] >= 0).all(axis=1) & (boxes[:, 2:] <= np.array(view)).all(axis=1)


def _meet(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(b, n) bool: whether (b, 4) and (n, 4) boxes overlap."""
    a, b = boxes[:, None], others[None]
    return ((a[..., :2] < b[..., 2:]) & (b[..., :2] < a[..., 2:])).all(axis=-1)


def _meet_quads(boxes: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """(b, m) bool: whether boxes overlap convex quadrilaterals, by the separating axis theorem."""
    meet = _meet(boxes, np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1))
    left, bottom, right, top = boxes.T
    corners = np.stack(
        [np.stack(pair, axis=-1) for pair in ((left, bottom), (right, bottom), (right, top), (left, top))]
    )
    for start, end, opposite in ((0, 1, 2), (1, 2, 3), (2, 3, 0), (3, 0, 1)):
        along = quads[:, end] - quads[:, start]
        normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
        at = (normal * quads[:, start]).sum(axis=1)
        # The side of the edge on which the quadrilateral lies is the one of its other corners.
        side = np.sign(((quads[:, opposite] - quads[:, start]) * normal).sum(axis=1))
        reach = ((corners @ normal.T - at) * side).max(axis=0)
        meet &= ~((reach < 0) & (side != 0))
    return meet
