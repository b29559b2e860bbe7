"""Cohen's weighted kappa (Cohen 1968) with normal, clipped normal and BCa bootstrap intervals.

The table spans every possible score, 7 x 7 for 0 to 6. Built from the scores that occur alone, it would renumber them
(0, 2, 5 would become 0, 1, 2) and with that change the weights.

Of a reader who gave every image the same score there is no kappa (`resampling.one_score_only`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np
from statsmodels.stats.inter_rater import cohens_kappa

from .resampling import (
    LEVEL,
    RESAMPLES,
    Interval,
    Statistic,
    bootstrap_over_images,
    one_score_only,
    two_sided_quantile,
    why_undefined,
)

Weights = Literal["none", "linear", "quadratic"]
WEIGHTS: tuple[str, ...] = ("linear", "quadratic")
#: Standard errors below this are zero but for rounding.
ROUNDING = 1e-9


def kappa_table(first: np.ndarray, second: np.ndarray, highest: int) -> np.ndarray:
    """(highest + 1, highest + 1) counts, scores of ``first`` in rows and of ``second`` in columns."""
    table = np.zeros((highest + 1, highest + 1), int)
    np.add.at(table, (np.asarray(first, int), np.asarray(second, int)), 1)
    return table


def kappa_of_table(table: np.ndarray, weights: Weights = "quadratic") -> tuple[float, float]:
    """Kappa and its standard error (Fleiss, Cohen and Everitt 1969; statsmodels).

    Both are NaN where a reader used one score only.
    """
    table = np.asarray(table, float)
    if min(np.count_nonzero(table.sum(axis=axis)) for axis in (0, 1)) < 2:
        return np.nan, np.nan
    with np.errstate(invalid="ignore", divide="ignore"):  # of the test against 0, which is not used
        result = cohens_kappa(table, wt=None if weights == "none" else weights)
    return float(result.kappa), float(np.sqrt(max(result.var_kappa, 0.0)))


def weighted_kappa(scores: np.ndarray, weights: Weights = "quadratic") -> np.ndarray:
    """(...) weighted kappa of (..., readers, images) scores; of more than two readers the mean of pairs (Light 1971).

    The same figure as from the table, in a form that takes thousands of resamples at once: 1 less the ratio of observed
    to expected disagreement. NaN where a reader gave every image the same score.
    """
    scores = np.asarray(scores, float)
    pairs = combinations(range(scores.shape[-2]), 2)
    found = np.mean([_pair(scores[..., i, :], scores[..., j, :], weights) for i, j in pairs], axis=0)
    return np.where(one_score_only(scores), np.nan, found)


def _pair(a: np.ndarray, b: np.ndarray, weights: Weights) -> np.ndarray:
    if weights == "quadratic":
        observed = ((a - b) ** 2).mean(axis=-1)
        expected = (a**2).mean(axis=-1) + (b**2).mean(axis=-1) - 2 * a.mean(axis=-1) * b.mean(axis=-1)
    elif weights == "linear":
        # |a - b| counts the cuts between neighbouring scores that part a from b.
        observed, expected = np.abs(a - b).mean(axis=-1), 0.0
        for cut in range(int(max(a.max(), b.max()))):
            below_a, below_b = (a <= cut).mean(axis=-1), (b <= cut).mean(axis=-1)
            expected = expected + below_a * (1 - below_b) + below_b * (1 - below_a)
    else:
        observed, expected = (a != b).mean(axis=-1), 1.0
        for score in range(int(max(a.max(), b.max())) + 1):
            expected = expected - (a == score).mean(axis=-1) * (b == score).mean(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):  # two readers of one and the same score
        return 1 - observed / expected


def kappa_and_error(
    conditions: Sequence[np.ndarray], highest: int, weights: Weights = "quadratic"
) -> tuple[np.ndarray, np.ndarray]:
    """Kappa of many simulated studies, or the difference of two conditions, and its delta-method standard error.

    Parameters
    ----------
    conditions : one or two (studies, readers, images) arrays of whole numbers
        With two, the first less the second, on the same images.
    highest : int
        Of the scale.

    Returns
    -------
    value, standard_error : (studies,)
        For one condition and two readers the standard error of Fleiss, Cohen and Everitt. NaN where kappa is undefined.
    """
    cost = _costs(highest, weights)
    signs = (1.0, -1.0)[: len(conditions)]
    value, influence = 0.0, 0.0
    for sign, scores in zip(signs, conditions):
        pairs = list(combinations(range(scores.shape[-2]), 2))
        for i, j in pairs:
            kappa, of_image = _influence(scores[:, i], scores[:, j], cost)
            value, influence = value + sign * kappa / len(pairs), influence + sign * of_image / len(pairs)
        value = np.where(one_score_only(scores), np.nan, value)
    influence = np.where(np.isnan(value)[..., None], np.nan, influence)
    return value, np.sqrt((influence**2).mean(axis=-1) / influence.shape[-1])


def _costs(highest: int, weights: Weights) -> np.ndarray:
    """(highest + 1, highest + 1) what a pair of scores costs."""
    apart = np.abs(np.subtract.outer(np.arange(highest + 1), np.arange(highest + 1))).astype(float)
    return {"none": np.sign(apart), "linear": apart, "quadratic": apart**2}[weights]


def _influence(a: np.ndarray, b: np.ndarray, cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(studies,) kappa and the (studies, images) influence of every image on it."""
    scores = np.arange(len(cost))
    share_a, share_b = ((x[..., None] == scores).mean(axis=-2) for x in (a, b))
    # What each score is expected to cost against all scores of the other reader.
    against_b, against_a = share_b @ cost.T, share_a @ cost
    observed = cost[a, b]
    expected = (share_a * against_b).sum(axis=-1)
    expected = np.where(expected < 1e-12, np.nan, expected)
    projected = np.take_along_axis(against_b, a, axis=-1) + np.take_along_axis(against_a, b, axis=-1)
    ratio = observed.mean(axis=-1) / expected
    centred = (observed - observed.mean(axis=-1)[..., None]) - ratio[..., None] * (projected - 2 * expected[..., None])
    return 1 - ratio, -centred / expected[..., None]


def kappa_statistic(
    scores: np.ndarray,
    highest: int,
    weights: Weights = "quadratic",
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> Statistic:
    """Kappa of (readers, images) scores with its intervals.

    Two readers: "normal" (value and standard error, which may leave -1 to 1, as in Table 2 of the VerteNet paper),
    "clipped" (the same, cut to -1 to 1) and "BCa". More readers: the mean of all pairs with "BCa" alone. No interval
    where the standard error is zero, as that of readers who agree always: it would have no width, which says that the
    figure is certain, and nothing is from so few images.
    """
    reason = why_undefined(scores)
    if reason:
        return Statistic(np.nan, note=reason)
    value = float(weighted_kappa(scores, weights))
    found = bootstrap_over_images(
        lambda drawn: weighted_kappa(drawn, weights), scores, resamples=resamples, seed=seed, level=level
    )
    if len(scores) > 2:
        return Statistic(value, {"BCa": found.interval}, note=found.note)
    value, error = kappa_of_table(kappa_table(*scores, highest), weights)
    if not error > ROUNDING:
        none = dict.fromkeys(("normal", "clipped", "BCa"), Interval.none())
        return Statistic(value, none, note="the standard error is zero, which allows no interval")
    reach = two_sided_quantile(level) * error
    normal = Interval(value - reach, value + reach)
    clipped = Interval(max(normal.low, -1.0), min(normal.high, 1.0))
    return Statistic(value, {"normal": normal, "clipped": clipped, "BCa": found.interval}, error, found.note)
