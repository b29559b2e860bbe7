"""Two models on the same images: figures of each, and paired tests over persons of what differs.

What is compared is the difference on each image (a paired comparison), not two averages that luck with the images has
moved. Images of one person are no independent witnesses, so a person speaks once, with the mean of his images.
Everything is measured as a reading is served, after refinement, in pixels of the 1024 x 512 normalised frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import permutation_test

from ..evaluation import score_landmarks
from ..evaluation.statistics import paired_bootstrap
from ..imaging.frame import Frame
from ..measure.matching import judge_names
from ..spine import CORNERS, STANDARD_LEVELS, Spine
from .calibrate import Observed
from .validation import NEAR_PX

#: A corner further off than this, or of no vertebra at all, counts as lost: this far, and no further.
LOST_PX = 20.0
#: Sign flips that are tried; all of them, and the test is exact, for up to 13 persons.
_FLIPS = 9999


@dataclass(frozen=True)
class Figures:
    """One model on one set of images.

    Attributes
    ----------
    sdr : float
        Share of the landmarks in the images that were found within `NEAR_PX`, 0 to 1; what was missed, or carries the
        name of a neighbour, was not.
    levels_right : int
        Images whose levels are all right, see `vertenet.evaluation.LandmarkScore`.
    median_px, mean_px : float or None
        Error per coordinate of the landmarks found; None where there are none.
    """

    sdr: float
    levels_right: int
    median_px: float | None
    mean_px: float | None


@dataclass(frozen=True)
class Paired:
    """A quantity of both models, and the exact sign-flip (permutation) test of its difference over persons.

    Attributes
    ----------
    served, candidate : float
        Means over persons.
    better, worse : int
        Persons for whom the candidate is better, or worse; the others are equal.
    p_better, p_worse : float
        How often, were the models alike, chance alone would make the candidate so much better, or so much worse, as it
        is (one-sided: Fisher, The Design of Experiments 1935, section 21). No smaller than 1 in 2 to the power of the
        number of persons: five persons can say at best 1 in 32.
    """

    served: float
    candidate: float
    better: int
    worse: int
    p_better: float
    p_worse: float


@dataclass(frozen=True)
class Comparison:
    """Both models on one set of images.

    Attributes
    ----------
    images, persons : int
        A phantom is a person of its own.
    served, candidate : Figures
    sdr_gain : float
        Mean over images of the candidate's share minus the served model's.
    sdr_gain_low, sdr_gain_high : float or None
        95 % interval by the bootstrap over persons; None for fewer than two.
    better, worse : int
        Images on which the candidate found more, or fewer, landmarks within `NEAR_PX`.
    named : Paired
        Share of the vertebrae that carry their own name.
    corner_px : Paired
        Distance of a corner from that of the nearest vertebra, whatever its name, at most `LOST_PX`: a spine that is
        well placed and wrongly named shows here that it is well placed.
    """

    images: int
    persons: int
    served: Figures
    candidate: Figures
    sdr_gain: float
    sdr_gain_low: float | None
    sdr_gain_high: float | None
    better: int
    worse: int
    named: Paired
    corner_px: Paired

    def told(self) -> str:
        """How the candidate names and places vertebrae, beside the served model, and how sure that is."""
        named, corners = self.named, self.corner_px
        text = (
            f"{named.candidate:.1%} of the vertebrae rightly named (before {named.served:.1%}), better in "
            f"{named.better} and worse in {named.worse} of {self.persons} persons; corners off by "
            f"{corners.candidate:.2f} px (before {corners.served:.2f})"
        )
        gain = named.candidate - named.served
        if not gain:
            return text
        p = named.p_better if gain > 0 else named.p_worse
        return f"{text}; were both models alike, names would differ so much in {max(p, 0.001):.1%} of the cases"


def compare(served: Sequence[Observed], candidate: Sequence[Observed], persons: Sequence[str]) -> Comparison | None:
    """Two models on the same images in the same order; None for no images."""
    if not served:
        return None
    one, other = ([_judged(item) for item in side] for side in (served, candidate))
    before, after = (np.array([near for near, *_ in side]) for side in (one, other))
    gain = paired_bootstrap((after, persons), (before, persons))
    named, corner = (
        [np.array([_placed(item)[column] for item in side]) for side in (served, candidate)] for column in (0, 1)
    )
    return Comparison(
        len(served),
        len(set(persons)),
        _figures(one),
        _figures(other),
        float((after - before).mean()),
        None if np.isnan(gain.low) else gain.low,
        None if np.isnan(gain.high) else gain.high,
        int((after > before).sum()),
        int((after < before).sum()),
        _paired(*named, persons, more_is_better=True),
        _paired(*corner, persons, more_is_better=False),
    )


def _judged(item: Observed) -> tuple[float, int, int, bool, np.ndarray]:
    """Share near, landmarks near, landmarks, levels right, errors of one image."""
    score = score_landmarks(_served(item), item.truth, item.shape, np.array(item.size))
    near = int((np.hypot(*score.errors.T) <= NEAR_PX).sum())
    levels = [level for level in STANDARD_LEVELS if level in item.truth]
    landmarks = sum(item.truth[level][name].is_present for level in levels for name in CORNERS)
    return near / max(landmarks, 1), near, landmarks, score.levels_right, score.errors


def _figures(judged: Sequence[tuple]) -> Figures:
    errors = np.concatenate([errors for *_, errors in judged])
    near, landmarks = (sum(row[column] for row in judged) for column in (1, 2))
    return Figures(
        near / max(landmarks, 1),
        sum(row[3] for row in judged),
        float(np.median(errors)) if len(errors) else None,
        float(errors.mean()) if len(errors) else None,
    )


def _placed(item: Observed) -> tuple[float, float]:
    """Share of the whole vertebrae of the truth that carry their own name, and the mean corner error, of one image.

    An image whose truth holds no whole vertebra, or no corner, has none of each: NaN.
    """
    frame, spine = Frame(item.shape), _served(item)
    naming = judge_names(spine, item.truth, size=np.array(item.size))
    named = [naming.named[level] == "right" for level in naming.required]
    mine, theirs = (
        frame.from_source(one.to_array(levels, present=True))
        for one, levels in ((spine, None), (item.truth, STANDARD_LEVELS))
    )
    mine = mine[np.isfinite(mine).all(axis=(1, 2))]
    errors = []
    for true in theirs[np.isfinite(theirs).any(axis=(1, 2))]:
        known = np.isfinite(true).all(axis=1)
        distances = np.linalg.norm(mine[:, known] - true[known], axis=-1)
        nearest = distances[distances.mean(axis=1).argmin()] if len(mine) else np.full(known.sum(), np.inf)
        errors.append(np.minimum(nearest, LOST_PX))
    return (
        float(np.mean(named)) if named else np.nan,
        float(np.concatenate(errors).mean()) if errors else np.nan,
    )


def _served(item: Observed) -> Spine:
    return item.spine if item.refined is None else item.refined


def _paired(before: np.ndarray, after: np.ndarray, persons: Sequence[str], *, more_is_better: bool) -> Paired:
    known = np.isfinite(before) & np.isfinite(after)
    names, owners = np.unique(np.asarray(persons)[known], return_inverse=True)
    counts = np.bincount(owners, minlength=len(names))
    one, other = (np.bincount(owners, side[known], len(names)) / counts for side in (before, after))
    if not len(names):
        return Paired(0.0, 0.0, 0, 0, 1.0, 1.0)
    # Rounding of sums is no difference.
    gain = np.round((other - one) * (1 if more_is_better else -1), 9)
    return Paired(
        float(one.mean()),
        float(other.mean()),
        int((gain > 0).sum()),
        int((gain < 0).sum()),
        _chance(gain),
        _chance(-gain),
    )


def _chance(gain: np.ndarray) -> float:
    """One-sided p-value of a mean gain this large, by flipping signs."""
    if len(gain) < 2:
        return 0.5 if (gain > 0).any() else 1.0
    found = permutation_test(
        (gain,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=_FLIPS,
        alternative="greater",
        random_state=0,
    )
    return float(found.pvalue)
