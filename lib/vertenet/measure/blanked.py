"""Blanked regions: pixels that a scanner did not expose and filled with black or white.

GE SmartScan leaves white bands in steps, other machines black ones, and archives pad images to a fixed matrix. All of
these reach in from the border of the image with one extreme value and end in a straight horizontal or vertical step,
cut by software after the beam: the image changes within a pixel. Air in front of a thin patient, soft tissue clipped
to black in a dual-energy scan and a saturated sacrum have the same extreme values, but their edges are anatomy seen
through the scanner's blur: they wander, and the image changes over many pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

#: Display values of the two fills.
BLACK, WHITE = 0.0, 255.0
#: Grey levels by which a filled pixel may differ from its fill. Lossy compression moves it by 1 to 3, near an edge a
#: little more; but dark soft tissue of a dual-energy scan lies that close to black as well, and there only fills that
#: compression left alone can be told from it. So both are searched for.
TOLERANCES = (1.0, 5.0)
#: A filled pixel lies in a filled square of this side, pixels: speckle in dark soft tissue does not.
NEIGHBOURHOOD = 7
#: A straight step is at least this long, pixels (the bands of SmartScan are about 29 mm: 65 to 115 pixels).
SHORTEST_STEP = 24
#: The end of the filled stretch may move this much from line to line and still be one step, pixels.
LARGEST_WANDER = 1
#: Median filter along the edge, lines: JPEG frays an edge that is not on its 8 x 8 grid.
FRAYED = 9
#: Least contrast of fill and image at a step, in tolerances; below it nothing can be told apart.
LEAST_CONTRAST = 1.2
#: Most contrast of a black fill, grey levels: beyond it the step is that of a white band in a black surround.
MOST_CONTRAST = 200.0
#: Share of the contrast that must be gained from one pixel to the next, averaged along the step. Measured on test
#: images: 0.95 and more at software edges, below 0.2 at anatomical ones.
LEAST_JUMP = 0.4
#: The same for a step that shows by itself that something was blanked; the others of its fill are then believed too.
#: Strong compression blunts a software edge to 0.4, but of a whole staircase some edges stay sharp: 0.7 to 1 in every
#: test image. At bones in a dual-energy scan whose soft tissue is clipped to black only the steep upper part of the
#: blurred edge is left of a straight cortex; it gains 0.4 to 0.68 and no edge beside it gains more.
SURE_JUMP = 0.7
#: The same in grey levels: a smooth image stored in whole levels has steps of one.
LEAST_STEP = 1.5
#: Pixels looked at before and after the end of the filled stretch.
BEFORE, AFTER = 2, 14
#: Such a step lies at most this many pixels behind the end of the filled stretch (a block of JPEG), and its contrast is
#: that of the brightest of the next few pixels too: a cortex is brighter than the bone behind it.
LATEST, RIM = 8, 3

#: First line and the line after the last, and the first column of the image behind the fill.
Step = tuple[int, int, int]


def blanked_mask(pixels: np.ndarray) -> np.ndarray:
    """Where the image was not exposed.

    Parameters
    ----------
    pixels : (rows, columns) float
        Display values, 0 to 255.

    Returns
    -------
    (rows, columns) bool
    """
    pixels = np.asarray(pixels, dtype=np.float32)
    mask = np.zeros(pixels.shape, bool)
    for fill in (BLACK, WHITE):
        distance, found, sure = np.abs(pixels - fill), np.zeros(pixels.shape, bool), False
        for tolerance in TOLERANCES:
            filled = _filled(distance, tolerance)
            if filled is None:
                continue
            contrast = (LEAST_CONTRAST * tolerance, MOST_CONTRAST if fill == BLACK else WHITE)
            # The same search from all four sides: views of the arrays, turned so that the side is on the left.
            for turn in (_as_is, np.fliplr, np.transpose, _upside_down):
                sure |= _mark_from_left(turn(distance), turn(filled), turn(found), contrast)
        if sure:
            mask |= found
    return mask


def _as_is(array: np.ndarray) -> np.ndarray:
    return array


def _upside_down(array: np.ndarray) -> np.ndarray:
    return np.fliplr(array.T)


def _filled(distance: np.ndarray, tolerance: float) -> np.ndarray | None:
    """Pixels in a square of nothing but fill (a morphological opening), burned-in text within them included.

    None where no such square touches the border, from where every blanked region reaches in.
    """
    other = _widened(distance > tolerance)
    if other.all():
        return None
    filled = _widened(~other)
    if not (filled[0].any() or filled[-1].any() or filled[:, 0].any() or filled[:, -1].any()):
        return None
    regions, _ = ndimage.label(~filled)
    reaching = np.unique(np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]]))
    outside = np.zeros(regions.max() + 1, bool)
    outside[reaching] = True
    outside[0] = False
    return ~outside[regions]


def _widened(mask: np.ndarray) -> np.ndarray:
    """Where any pixel of the square of side `NEIGHBOURHOOD` around a pixel is set; beyond the border none is."""
    for axis in (0, 1):
        wider = mask.copy()
        for step in range(1, NEIGHBOURHOOD // 2 + 1):
            there, here = (_along(axis, slice(step, None)), _along(axis, slice(None, -step)))
            wider[here] |= mask[there]
            wider[there] |= mask[here]
        mask = wider
    return mask


def _along(axis: int, part: slice) -> tuple[slice, ...]:
    return (part,) if axis == 0 else (slice(None), part)


def _mark_from_left(
    distance: np.ndarray, filled: np.ndarray, mask: np.ndarray, contrast_range: tuple[float, float]
) -> bool:
    """Set ``mask`` on the filled stretches from the left border that end in a straight, abrupt step.

    Returns whether one of the steps is a sure one (`SURE_JUMP`).
    """
    columns, sure, steps = filled.shape[1], False, []
    reach = np.where(filled.all(axis=1), columns, np.argmin(filled, axis=1))
    reach = ndimage.median_filter(reach, FRAYED, mode="nearest")
    cuts = np.flatnonzero(np.abs(np.diff(reach)) > LARGEST_WANDER) + 1
    for top, bottom in zip([0, *cuts], [*cuts, len(reach)]):
        end = int(np.median(reach[top:bottom]))
        if bottom - top < SHORTEST_STEP or end < NEIGHBOURHOOD or end + AFTER > columns:
            continue
        profile = distance[top:bottom, end - BEFORE : end + AFTER].mean(axis=0)
        contrast = np.median(profile[len(profile) // 2 :])
        if not contrast_range[0] <= contrast <= contrast_range[1]:
            continue
        jumps = np.diff(profile)
        last = int(jumps.argmax())
        if jumps[last] >= max(LEAST_JUMP * contrast, LEAST_STEP):
            steps.append((top, bottom, end - BEFORE + 1 + last))
            height = max(contrast, profile[last + 1 : last + 1 + RIM].max())
            sure |= bool(last < BEFORE + LATEST and jumps[last] >= SURE_JUMP * height)
    for top, bottom, step in _grown(steps, reach, distance):
        mask[top:bottom, :step] = True
    return sure


def _grown(steps: Sequence[Step], reach: np.ndarray, distance: np.ndarray) -> list[Step]:
    """Steps with the lines above and below that the same cut ends, where no other step was found.

    Over bright image a block of JPEG rings further into the fill than over dark image, so ``reach``, where the fill of
    each line ends, jumps by a few pixels from block to block along one straight cut, and pieces of it are too short to
    be steps.
    """
    free = np.ones(len(reach), bool)
    for top, bottom, _ in steps:
        free[top:bottom] = False
    grown = []
    for top, bottom, step in steps:
        same = free & (reach >= step - LATEST) & (reach <= step + LARGEST_WANDER)
        others_above, others_below = np.flatnonzero(~same[:top]), np.flatnonzero(~same[bottom:])
        first = others_above[-1] + 1 if len(others_above) else 0
        last = bottom + others_below[0] if len(others_below) else len(reach)
        if _jumps(distance[first:top], step):
            top = first
        if _jumps(distance[bottom:last], step):
            bottom = last
        grown.append((top, bottom, step))
    return grown


def _jumps(lines: np.ndarray, step: int) -> bool:
    """Whether the image changes as abruptly in these lines, just there."""
    if not len(lines):
        return False
    profile = lines[:, step - 1 : step + LATEST].mean(axis=0)
    return bool(profile[1] - profile[0] >= max(LEAST_JUMP * np.median(profile[1:]), LEAST_STEP))
