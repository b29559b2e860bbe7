"""Bland and Altman's limits of agreement (1986; intervals as in their paper of 1999), and plain shares of agreement."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm, t

from ..statistics import wilson
from .resampling import LEVEL, Interval, Statistic


def bland_altman(scores: np.ndarray, *, level: float = LEVEL) -> dict[str, Statistic]:
    """Bias (first less second reader) and the limits that hold 95 % of the differences of (2, images) scores.

    Keys "bias", "limit-low", "limit-high"; "t" intervals. The variance of a limit is that of the bias plus that of 1.96
    standard deviations, s^2 (1 / n + 1.96^2 / (2 (n - 1))).
    """
    difference = np.subtract(*np.asarray(scores, float))
    n = len(difference)
    if n < 2:
        return dict.fromkeys(("bias", "limit-low", "limit-high"), Statistic(np.nan, note="too few images"))
    bias, spread = float(difference.mean()), float(difference.std(ddof=1))
    wide = float(norm.ppf(0.975))
    errors = spread * np.sqrt(1 / n), spread * np.sqrt(1 / n + wide**2 / (2 * (n - 1)))
    reach = float(t.ppf((1 + level) / 2, n - 1))

    def around(value: float, error: float) -> Statistic:
        return Statistic(value, {"t": Interval(value - reach * error, value + reach * error)}, float(error))

    return {
        "bias": around(bias, errors[0]),
        "limit-low": around(bias - wide * spread, errors[1]),
        "limit-high": around(bias + wide * spread, errors[1]),
    }


def shares(scores: np.ndarray, *, level: float = LEVEL) -> dict[str, Statistic]:
    """Shares of images with scores that are equal ("exact") and at most 1 apart ("within-one"), "Wilson" intervals.

    (readers, images) scores; of more than two readers the highest and the lowest score of an image are compared.
    """
    scores = np.asarray(scores, float)
    n = scores.shape[-1]
    if n == 0:
        return dict.fromkeys(("exact", "within-one"), Statistic(np.nan, note="no images"))
    apart = np.ptp(scores, axis=0)
    found = {}
    for name, most in (("exact", 0), ("within-one", 1)):
        hits = int((apart <= most).sum())
        found[name] = Statistic(hits / n, {"Wilson": Interval(*wilson(hits, n, level))})
    return found
