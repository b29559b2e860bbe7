"""Hypothesis strategies shared by the tests: realistic spines, in pixels of an image they fit.

Shapes follow the morphometry of lateral lumbar radiographs (units of vertebral depth: height about 0.72, anterior disc
gap up to 0.42, posterior gap about 0.17, tilts from +11 degrees at T12 to -20 at L5), with wedging, lordosis, a tilted
patient and noise drawn around them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from vertenet.measure import UNREADABLE, Aac24
from vertenet.spine import CORNERS, MIDPOINTS, STANDARD_LEVELS, Corner, Spine, Status, Transition, Vertebra

#: (rows, columns) of the scanner matrices that spines are drawn in.
IMAGE_SIZES = ((1104, 402), (1248, 402), (940, 445), (1660, 770))

radii = st.none() | st.floats(0, 1e3)

_TILT = np.radians([11.0, 10.7, 9.3, 3.5, -6.3, -19.8])  # of the mid-plane, anterior up positive
_DEPTH = np.array([0.92, 0.95, 0.98, 1.0, 1.0, 0.99])
_ANTERIOR_HEIGHT = np.array([0.66, 0.66, 0.71, 0.72, 0.71, 0.72])
_POSTERIOR_HEIGHT = np.array([0.74, 0.73, 0.77, 0.76, 0.71, 0.70])
_GAP = np.array([0.18, 0.20, 0.19, 0.17, 0.18])  # narrower end of the disc, T12/L1 ... L4/L5


@dataclass(frozen=True)
class SpineShape:
    """The numbers a spine is built from.

    ``size`` (rows, columns); ``depth`` of L3 as a fraction of the columns; ``lordosis`` scales the curve (1 is the
    mean); ``tilt`` of the whole patient in radians; ``noise`` scales the spread between vertebrae; ``seed`` draws it.
    """

    size: tuple[int, int]
    depth: float
    lordosis: float
    tilt: float
    noise: float
    seed: int


def corner_array(shape: SpineShape) -> np.ndarray:
    """(6, 4, 2) corners SA, SP, IA, IP of T12 to L5 in source pixels, anterior to the right, inside the image."""
    rng = np.random.default_rng(shape.seed)

    def spread(n: int, sd: float) -> np.ndarray:
        return shape.noise * sd * np.clip(rng.standard_normal(n), -2, 2)

    rows, columns = shape.size
    # Six vertebrae and their discs span about 6 depths: the depth may not exceed what the rows hold.
    unit = min(shape.depth * columns, rows / 7.5)
    angle = shape.lordosis * _TILT + spread(6, np.radians(2.0))
    depth = unit * (_DEPTH + spread(6, 0.04))
    front = unit * (_ANTERIOR_HEIGHT + spread(6, 0.05))
    back = unit * (_POSTERIOR_HEIGHT + spread(6, 0.05))
    gap = unit * (_GAP + spread(5, 0.02))

    corners = np.empty((6, 4, 2))
    centre = np.zeros(2)
    for i in range(6):
        forward = np.array([np.cos(angle[i]), -np.sin(angle[i])])
        down = np.array([np.sin(angle[i]), np.cos(angle[i])])
        if i:
            mean = (angle[i] + angle[i - 1]) / 2
            axis = np.array([np.sin(mean), np.cos(mean)])
            wedge = np.tan(angle[i - 1] - angle[i]) * unit / 2  # lordosis closes the disc behind and opens it in front
            behind, before = (back[i - 1] + back[i]) / 2 + wedge, (front[i - 1] + front[i]) / 2 - wedge
            centre = centre + axis * (max(behind, before) + gap[i - 1])
        for j, (vertical, side, height) in enumerate(
            [(-0.5, 0.5, front[i]), (-0.5, -0.5, back[i]), (0.5, 0.5, front[i]), (0.5, -0.5, back[i])]
        ):
            corners[i, j] = centre + forward * side * depth[i] + down * vertical * height
    corners += unit * shape.noise * 0.01 * rng.standard_normal(corners.shape).clip(-2, 2)

    turn = np.array([[np.cos(shape.tilt), -np.sin(shape.tilt)], [np.sin(shape.tilt), np.cos(shape.tilt)]])
    corners = corners @ turn.T
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    room = np.array([columns - 1, rows - 1]) - (high - low)
    return corners - low + room * rng.uniform(0.2, 0.8, 2)


def image_sizes() -> st.SearchStrategy[tuple[int, int]]:
    """(rows, columns) of real scanner matrices."""
    return st.sampled_from(IMAGE_SIZES)


@st.composite
def shapes(draw: st.DrawFn, size: tuple[int, int] | None = None) -> SpineShape:
    """The numbers of a spine in an image of ``size`` (rows, columns), or of any scanner's."""
    return SpineShape(
        size=size or draw(image_sizes()),
        depth=draw(st.floats(0.14, 0.22)),
        lordosis=draw(st.floats(0.2, 1.3)),
        tilt=draw(st.floats(-0.17, 0.17)),
        noise=draw(st.floats(0.0, 1.0)),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@st.composite
def plain_spines(draw: st.DrawFn, size: tuple[int, int] | None = None, anterior: str | None = None) -> Spine:
    """T12 to L5 with every corner present, no confidences; either side anterior unless ``anterior`` says which."""
    shape = draw(shapes(size))
    side = anterior or draw(st.sampled_from(["left", "right"]))
    spine = Spine.from_array(corner_array(shape))
    return spine if side == "right" else spine.mirrored(shape.size[1])


def confidences() -> st.SearchStrategy[float | None]:
    """0 to 1 as any float in between, or None."""
    return st.none() | st.floats(0.0, 1.0)


@st.composite
def spines(
    draw: st.DrawFn,
    size: tuple[int, int] | None = None,
    anterior: str | None = None,
    *,
    midpoints: bool = True,
    calibrated: bool = False,
) -> Spine:
    """T12 to L5 as they come in practice.

    Up to eight corners are missing (no position), outside or unevaluable (with or without one); points and levels may
    carry confidences, and error radii where ``calibrated``; transitional anatomy may be stated; mid-endplate points
    may be there.
    """
    spine = draw(plain_spines(size, anterior))
    lost = draw(
        st.dictionaries(
            st.tuples(st.sampled_from(STANDARD_LEVELS), st.sampled_from(CORNERS)),
            st.tuples(st.sampled_from([Status.MISSING, Status.OUTSIDE, Status.UNEVALUABLE]), st.booleans()),
            max_size=8,
        )
    )
    scored, with_midpoints = draw(st.booleans()), midpoints and draw(st.booleans())
    vertebrae = []
    for vertebra in spine:
        points = dict(vertebra.points)
        if with_midpoints:
            sa, sp, ia, ip = vertebra.to_array()
            for name, middle in zip(MIDPOINTS, ((sa + sp) / 2, (ia + ip) / 2)):
                points[name] = Corner(*middle)
        for name, corner in points.items():
            status, positioned = lost.get((vertebra.level, name), (Status.PRESENT, True))
            keep = status is Status.PRESENT or (positioned and status is not Status.MISSING)
            x, y = (corner.x, corner.y) if keep else (None, None)
            points[name] = Corner(
                x, y, status, draw(confidences()) if scored else None, draw(radii) if calibrated else None
            )
        vertebrae.append(Vertebra(vertebra.level, points, draw(confidences()) if scored else None))
    return Spine(tuple(vertebrae), spine.anterior, draw(st.sampled_from(Transition)))


#: What a cell of an AAC-24 score may hold.
AAC_GRADES = st.sampled_from([0, 1, 2, 3, None, UNREADABLE])


def aac_scores(grades: st.SearchStrategy = AAC_GRADES) -> st.SearchStrategy[Aac24]:
    """Eight cells, each graded, unreadable or not scored."""
    return st.builds(Aac24, st.tuples(*[grades] * 8))
