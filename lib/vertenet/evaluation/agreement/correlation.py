"""Pearson's and Spearman's correlation between readers, with Fisher and BCa bootstrap intervals."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.stats import rankdata

from .resampling import LEVEL, RESAMPLES, Interval, Statistic, bootstrap_over_images, two_sided_quantile, why_undefined

KINDS: tuple[str, ...] = ("pearson", "spearman")


def correlation(scores: np.ndarray, kind: str = "pearson") -> np.ndarray:
    """(...) correlation of (..., readers, images) scores, the mean of all pairs; NaN where a reader's are all equal."""
    scores = np.asarray(scores, float)
    if kind == "spearman":
        scores = rankdata(scores, axis=-1)
    centred = scores - scores.mean(axis=-1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=-1))
    length = np.where(length < 1e-9, np.nan, length)
    pairs = list(combinations(range(scores.shape[-2]), 2))
    products = [(centred[..., i, :] * centred[..., j, :]).sum(-1) / (length[..., i] * length[..., j]) for i, j in pairs]
    return np.clip(np.mean(products, axis=0), -1, 1)


def fisher_interval(r: float, images: int, kind: str = "pearson", level: float = LEVEL) -> Interval:
    """Fisher's z interval; for Spearman's with the variance of Bonett and Wright (2000), (1 + r^2 / 2) / (n - 3).

    None below four images and at -1 and 1, where z is infinite.
    """
    if images < 4 or not abs(r) < 1 - 1e-12:
        return Interval.none()
    variance = (1 + r**2 / 2 if kind == "spearman" else 1) / (images - 3)
    z, reach = np.arctanh(r), two_sided_quantile(level) * np.sqrt(variance)
    return Interval(float(np.tanh(z - reach)), float(np.tanh(z + reach)))


def correlation_statistic(
    scores: np.ndarray, kind: str = "pearson", *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> Statistic:
    """Correlation of (readers, images) scores: "Fisher" (two readers only) and "BCa"."""
    reason = why_undefined(scores)
    if reason:
        return Statistic(np.nan, note=reason)
    value = float(correlation(scores, kind))
    found = bootstrap_over_images(
        lambda drawn: correlation(drawn, kind), scores, resamples=resamples, seed=seed, level=level
    )
    intervals = {"BCa": found.interval}
    if len(scores) == 2:
        intervals = {"Fisher": fisher_interval(value, scores.shape[-1], kind, level), **intervals}
    return Statistic(value, intervals, note=found.note)
