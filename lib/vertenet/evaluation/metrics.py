"""Landmark errors and level identity of one image against its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..imaging.frame import Frame
from ..spine import CORNERS, STANDARD_LEVELS, Spine


@dataclass(frozen=True, eq=False)
class LandmarkScore:
    """One image's score.

    Attributes
    ----------
    errors : (n, 2) float64
        Absolute difference of each coordinate, in pixels of the 1024 x 512 normalised frame (the paper's form
        of error), of the ``n`` landmarks that are present in both truth and prediction.
    levels_right : bool
        Every vertebra that lies wholly inside the image was found under its own name (centre within half its height),
        none carries the name of a neighbour, and none was named that does not exist. Missing one is not right.
    shifted : bool
        At least one vertebra carries the name of a neighbour.
    found : int
        Vertebrae with a predicted position.
    """

    errors: np.ndarray
    levels_right: bool
    shifted: bool
    found: int


def score_landmarks(predicted: Spine, truth: Spine, shape: tuple[int, int]) -> LandmarkScore:
    """Score the six standard levels.

    Parameters
    ----------
    predicted, truth : Spine
        Source pixels, same anterior side.
    shape : (rows, columns) of the source image
    """
    frame = Frame(shape)
    usable = [np.array([[spine[n][c].is_present if n in spine else False for c in CORNERS] for n in STANDARD_LEVELS])
              for spine in (predicted, truth)]  # fmt: skip
    ours, theirs = (frame.from_source(spine.to_array(STANDARD_LEVELS)) for spine in (predicted, truth))
    errors = np.abs(ours - theirs)[usable[0] & usable[1]]

    found = np.isfinite(ours).all(axis=(1, 2))
    centres, true_centres = ours.mean(axis=1), theirs.mean(axis=1)
    heights = np.linalg.norm(theirs[:, :2] - theirs[:, 2:], axis=-1).mean(axis=1)
    within = np.linalg.norm(centres - true_centres, axis=1) < heights / 2
    required = usable[1].all(axis=1)
    # Of a level that the truth does not speak of it is not known that it does not exist.
    known = np.array(
        [n not in truth or any(c.x is not None for c in truth[n].points.values()) for n in STANDARD_LEVELS]
    )
    shifted = False
    for i in np.nonzero(found)[0]:
        distance = np.linalg.norm(true_centres - centres[i], axis=1)
        if np.isfinite(distance).any():
            nearest = int(np.nanargmin(distance))
            shifted |= bool(nearest != i and distance[nearest] < heights[nearest] / 2)
    # A vertebra partly hidden or outside may be left out or misplaced; one that does not exist may not be named.
    right = bool((found & within)[required].all() and not shifted and not (found & ~known).any())
    return LandmarkScore(errors, right, shifted, int(found.sum()))
