"""Which corner is which, in files whose points have no names.

Annotators click in any order and slip; the shape of a spine does not. Twelve corners lie on either side of its midline,
and along either side they alternate: top, bottom, top, bottom. A second reading takes the points four by four, as they
were most likely clicked; where those fours are vertebrae, they are believed. Where the two readings contradict each
other, or the only one left is doubtful, the file is refused.
"""

from __future__ import annotations

import numpy as np

from ..errors import AnnotationError
from ..measure.consistency import IA, IP, REMEDY, SA, SP
from ..spine import CORNERS, STANDARD_LEVELS, Side
from .names import point_name
from .plausible import Fault, Limits, body_fault, disc_fault

_POINTS = 24
_WALL = 12
#: Two clicks closer than this (px) are one corner clicked twice.
_SAME_PX = 1.0
#: No image is so large (px).
_FARTHEST_PX = 1e6
#: The spine may lean this far before its head end is no longer the upper one.
_STEEPEST = np.radians(50.0)
#: A corner must lie at least this share of the median distance from the midline.
_CLEAR_SIDE = 0.35
#: Where the points come vertebra by vertebra, severe fractures and collapsed discs are believed.
_IN_FOURS = Limits(depths=(0.5, 1.9), heights=(0.1, 1.8), tilt=np.radians(40.0), gap=1.4, facing=0.0)
#: Where the shape alone speaks, no disc may be so high that it could be a body, nor so flat that its corners could be
#: exchanged. A left-out corner tilts endplates by 24 degrees or more; normal ones stay below 14, fractured ones mostly.
_SHAPE_ALONE = Limits(depths=(0.55, 1.7), heights=(0.12, 1.6), tilt=np.radians(24.0), gap=1.1, facing=0.04)


def recover(points: np.ndarray, anterior: Side, subject: str) -> np.ndarray:
    """Name 24 unnamed corners.

    Parameters
    ----------
    points : (24, 2) float64
        Source pixels in any order.
    anterior : {"left", "right"}
        The side of the image that the front of the body faces.
    subject : str
        File and image, for messages.

    Returns
    -------
    (6, 4, 2) float64
        T12 to L5, each SA, SP, IA, IP.

    Raises
    ------
    AnnotationError
        Not 24 finite points, two in one place, or no single plausible way to join them.
    """
    points = np.asarray(points, dtype=np.float64)
    if points.shape != (_POINTS, 2):
        raise AnnotationError(
            f"there are {len(points)} points, but 24 are needed (four corners each of T12 to L5)", subject=subject
        )
    _refuse_bad_positions(points, subject)
    along, across = _spine_frame(points, subject)
    fours = _by_fours(along, across, anterior)
    in_fours = body_fault(points[fours], anterior, _IN_FOURS) is None
    try:
        shape, doubt = _by_shape(points, along, across, anterior, subject), None
    except AnnotationError as error:
        shape, doubt = None, error
    if in_fours:
        named, fault = fours, disc_fault(points[fours], _IN_FOURS)
        if not fault and not doubt and not np.array_equal(shape, fours) and not _shape_fault(points[shape], anterior):
            vertebra, corner = np.argwhere(shape != fours)[0]
            fault = Fault(vertebra, corner, "belongs to another corner by its place than by the order of the points")
    elif doubt:
        raise doubt
    else:
        named, fault = shape, _shape_fault(points[shape], anterior)
    if fault:
        name = point_name(STANDARD_LEVELS[fault.vertebra], CORNERS[fault.corner])
        point = _point(points, named[fault.vertebra, fault.corner])
        raise AnnotationError(f"{point}, taken for {name}, {fault.clause}", subject=subject, remedy=REMEDY)
    return points[named]


def _shape_fault(corners: np.ndarray, anterior: Side) -> Fault | None:
    return body_fault(corners, anterior, _SHAPE_ALONE) or disc_fault(corners, _SHAPE_ALONE)


def _point(points: np.ndarray, index: int) -> str:
    return f"point {index + 1} ({points[index, 0]:g}, {points[index, 1]:g})"


def _refuse_bad_positions(points: np.ndarray, subject: str) -> None:
    bad = np.flatnonzero(~(np.abs(points) < _FARTHEST_PX).all(axis=1))
    if bad.size:
        raise AnnotationError(f"{_point(points, bad[0])} is nowhere in an image", subject=subject)
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    apart[np.triu_indices(_POINTS)] = np.inf
    second, first = np.unravel_index(np.argmin(apart), apart.shape)
    if apart[second, first] < _SAME_PX:
        raise AnnotationError(
            f"{_point(points, first)} and {_point(points, second)} are in the same place",
            subject=subject,
            remedy=REMEDY,
        )


def _spine_frame(points: np.ndarray, subject: str) -> tuple[np.ndarray, np.ndarray]:
    """(24,) positions along the spine's main axis, head to foot, and (24,) across it, to the image's right."""
    offset = points - points.mean(axis=0)
    axis = np.linalg.svd(offset, full_matrices=False)[2][0]
    axis = axis if axis[1] > 0 else -axis
    if np.arccos(np.clip(axis[1], -1, 1)) > _STEEPEST:
        raise AnnotationError(
            "the points run across the image rather than down it, so head and foot cannot be told apart",
            subject=subject,
            remedy="Turn the image so that the head is up",
        )
    return offset @ axis, offset @ np.array([axis[1], -axis[0]])


def _by_fours(along: np.ndarray, across: np.ndarray, anterior: Side) -> np.ndarray:
    """(6, 4) indices of the points as corners, if each four in the file's order are a vertebra."""
    frame = np.stack([across, along], axis=-1).reshape(6, 4, 2)
    centres = frame.mean(axis=1)
    rank = np.argsort(centres[:, 1], kind="stable")
    down = np.gradient(centres[rank], axis=0)
    down /= np.linalg.norm(down, axis=1, keepdims=True) + np.finfo(float).tiny
    corners = [4 * four + _corners_of(frame[four] - centres[four], axis, anterior) for four, axis in zip(rank, down)]
    return np.array(corners)


def _corners_of(offset: np.ndarray, down: np.ndarray, anterior: Side) -> np.ndarray:
    """(4,) indices of SA, SP, IA, IP among (4, 2) offsets from a vertebra's centre; ``down`` is the spine's course."""
    order = np.argsort(offset @ down, kind="stable")
    ahead = offset @ np.array([down[1], -down[0]]) * (1.0 if anterior == "right" else -1.0)
    found = np.empty(4, int)
    for pair, (front, back) in ((order[:2], (SA, SP)), (order[2:], (IA, IP))):
        found[[back, front]] = pair[np.argsort(ahead[pair], kind="stable")]
    return found


def name_corners(fours: np.ndarray, anterior: Side) -> np.ndarray:
    """The corners of vertebrae whose levels are known, each SA, SP, IA, IP.

    Parameters
    ----------
    fours : (n, 4, 2) float64
        Source pixels; the vertebrae from head to foot, the corners of each in any order.
    anterior : {"left", "right"}
        The side of the image that the front of the body faces.

    Returns
    -------
    (n, 4, 2) float64
    """
    centres = fours.mean(axis=1)
    down = np.gradient(centres, axis=0) if len(fours) > 1 else np.array([[0.0, 1.0]])
    return np.array(
        [four[_corners_of(four - centre, axis, anterior)] for four, centre, axis in zip(fours, centres, down)]
    )


def _by_shape(points: np.ndarray, along: np.ndarray, across: np.ndarray, anterior: Side, subject: str) -> np.ndarray:
    """(6, 4) indices of the points as corners, from the midline alone. Raises `AnnotationError` without a clear one."""
    on_right, foot = _split(points, along, across, subject)
    order = np.argsort(foot, kind="stable")
    right, left = order[on_right[order]].reshape(6, 2), order[~on_right[order]].reshape(6, 2)
    front, back = (right, left) if anterior == "right" else (left, right)
    corners = np.empty((6, 4), int)
    corners[:, [SA, IA]], corners[:, [SP, IP]] = front, back
    return corners


def _split(points: np.ndarray, along: np.ndarray, across: np.ndarray, subject: str) -> tuple[np.ndarray, np.ndarray]:
    """(24,) bool, right of the midline; and (24,) positions of the points' feet along the midline."""
    scale = np.abs(along).max()
    t = along / scale
    curve = _cubic(t, across)
    right = across > curve(t)
    for _ in range(3):  # the midline between the two walls is a better one than that through all points
        if right.sum() != _WALL:
            break
        curve = (_cubic(t[right], across[right]) + _cubic(t[~right], across[~right])) / 2
        right = across > curve(t)
    distance = np.abs(across - curve(t))
    doubtful = int(np.argmin(distance))
    if right.sum() != _WALL:
        raise AnnotationError(
            f"{right.sum()} points lie right and {_POINTS - right.sum()} left of the spine's midline, but 12 each are "
            f"needed; {_point(points, doubtful)} is nearest to it",
            subject=subject,
            remedy=REMEDY,
        )
    if distance[doubtful] < _CLEAR_SIDE * np.median(distance):
        raise AnnotationError(
            f"{_point(points, doubtful)} is too near the spine's midline to be a front or a back corner",
            subject=subject,
            remedy=REMEDY,
        )
    slope = curve.deriv()
    foot = t.copy()
    for _ in range(5):  # fixed point of: the line from the foot to the point is normal to the curve
        foot = t + slope(foot) * (across - curve(foot)) / scale**2
    return right, foot


def _cubic(t: np.ndarray, y: np.ndarray) -> np.polynomial.Polynomial:
    """Least squares; of least norm where the points do not determine it, as wild points may not."""
    return np.polynomial.Polynomial(np.linalg.lstsq(np.vander(t, 4, increasing=True), y, rcond=None)[0])
