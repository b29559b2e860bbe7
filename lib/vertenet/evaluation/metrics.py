"""Landmark errors and level identity of one image against its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..imaging.frame import Frame
from ..measure.matching import judge_names
from ..spine import STANDARD_LEVELS, Spine


@dataclass(frozen=True, eq=False)
class LandmarkScore:
    """One image's score.

    Attributes
    ----------
    errors : (n, 2) float64
        Absolute difference of each coordinate, in pixels of the 1024 x 512 normalised frame (the paper's form
        of error), of the ``n`` landmarks that are present in both truth and prediction.
    levels_right : bool
        See `vertenet.measure.matching.Naming.all_right`.
    shifted : bool
        At least one vertebra carries another's name.
    found : int
        Vertebrae with a predicted position.
    """

    errors: np.ndarray
    levels_right: bool
    shifted: bool
    found: int


def score_landmarks(
    predicted: Spine, truth: Spine, shape: tuple[int, int], size: np.ndarray | None = None
) -> LandmarkScore:
    """Score the six standard levels.

    Parameters
    ----------
    predicted, truth : Spine
        Source pixels, same anterior side.
    shape : (rows, columns) of the source image
    size : (2,) array, optional
        What a pixel measures along x and y, see `vertenet.measure.matching.pixel_size`; 1 where absent.
    """
    frame = Frame(shape)
    ours, theirs = (
        frame.from_source(spine.to_array(STANDARD_LEVELS, present=True)).reshape(-1, 2) for spine in (predicted, truth)
    )
    errors = np.abs(ours - theirs)
    naming = judge_names(predicted, truth, size=size)
    found = int(np.isfinite(predicted.to_array(STANDARD_LEVELS)).all(axis=(1, 2)).sum())
    return LandmarkScore(errors[np.isfinite(errors).all(axis=1)], naming.all_right, bool(naming.swapped), found)
