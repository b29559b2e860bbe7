"""Statistics with their intervals, and the bias-corrected and accelerated (BCa) bootstrap over images."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.stats import DegenerateDataWarning, bootstrap, norm

RESAMPLES = 9999
LEVEL = 0.95
#: Share of resamples that may leave a statistic undefined before no interval is given.
MOST_UNDEFINED = 0.01
#: Numbers that one batch of resamples may hold.
_BATCH = 2_000_000


class Interval(NamedTuple):
    """A confidence interval; NaN where there is none."""

    low: float
    high: float

    @classmethod
    def none(cls) -> Interval:
        return cls(np.nan, np.nan)


@dataclass(frozen=True)
class Statistic:
    """One figure of agreement.

    Attributes
    ----------
    value : float
        NaN where it is undefined.
    intervals : mapping of method ("normal", "clipped", "BCa", "Fisher", "F", "t", "Wilson") to Interval
    standard_error : float
        NaN where the method has none.
    note : str
        Why there is no value or no interval; empty otherwise.
    """

    value: float
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    standard_error: float = np.nan
    note: str = ""


@dataclass(frozen=True, eq=False)
class Resampled:
    """The bootstrap of one statistic: its interval, the replicates (resamples,), and why there is no interval."""

    interval: Interval
    replicates: np.ndarray
    note: str = ""


def bootstrap_over_images(
    statistic: Callable[[np.ndarray], np.ndarray],
    scores: np.ndarray | Sequence[np.ndarray],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> Resampled:
    """BCa interval (Efron 1987; `scipy.stats.bootstrap`) of a statistic whose images are drawn with replacement.

    Parameters
    ----------
    statistic : callable
        (..., readings, images) to (...).
    scores : (readings, images)
        Rows stay together: an image is drawn with all of its readings.

    Notes
    -----
    A resample in which the statistic is undefined (every score the same) counts as the sample's own value, which hardly
    moves the interval as long as such resamples are rare; where more than `MOST_UNDEFINED` are, there is no interval.
    """
    scores = np.asarray(scores, float)
    images = scores.shape[-1]
    value = float(statistic(scores))
    if images < 3 or not np.isfinite(value):
        return Resampled(Interval.none(), np.empty(0), "too few images" if images < 3 else "the figure is undefined")
    undefined = 0

    def rows(*columns: np.ndarray, axis: int = -1) -> np.ndarray:
        nonlocal undefined
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.asarray(statistic(np.stack([np.moveaxis(column, axis, -1) for column in columns], axis=-2)))
        undefined += int((~np.isfinite(found)).sum())
        # Rounding errors must not look like a spread where every resample gives the same figure.
        return np.round(np.where(np.isfinite(found), found, value), 12)

    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", DegenerateDataWarning)
        result = bootstrap(
            tuple(scores),
            rows,
            n_resamples=resamples,
            batch=max(1, _BATCH // scores.size),
            vectorized=True,
            paired=True,
            confidence_level=level,
            method="BCa",
            random_state=np.random.default_rng(seed),
        )
    replicates = np.asarray(result.bootstrap_distribution)
    if undefined > MOST_UNDEFINED * resamples:
        return Resampled(Interval.none(), replicates, "too many resamples hold one score only")
    interval = Interval(*map(float, result.confidence_interval))
    if not np.isfinite(interval).all():
        return Resampled(Interval.none(), replicates, "every resample gives the same figure")
    return Resampled(interval, replicates)


def one_score_only(scores: np.ndarray) -> np.ndarray:
    """(...) bool: some reader of (..., readers, images) scores gave every image the same score.

    Such a reader tells no image from another, so nothing can be said of agreement beyond chance: kappa would be 0 or
    undefined whatever the others said. One image makes every reader such a one.
    """
    scores = np.asarray(scores)
    return (scores.max(axis=-1) == scores.min(axis=-1)).any(axis=-1)


def why_undefined(scores: np.ndarray) -> str:
    """What keeps (readers, images) scores from having a figure of agreement; empty where nothing does."""
    scores = np.asarray(scores)
    if scores.shape[-1] < 2:
        return "one image" if scores.shape[-1] else "no images"
    constant = scores.max(axis=-1) == scores.min(axis=-1)
    if not constant.any():
        return ""
    if not constant.all():
        return "a reader gave every image the same score"
    if (scores == scores[0, 0]).all():
        return "every reader gave every image the same score"
    return "each reader gave every image one score, and not all the same one"


def two_sided_quantile(level: float) -> float:
    """The normal quantile of a two-sided interval: 1.96 for 0.95."""
    return float(norm.ppf((1 + level) / 2))
