"""Intraclass correlation: the six forms of Shrout and Fleiss (1979), intervals after McGraw and Wong (1996)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import f as f_distribution

from .resampling import LEVEL, Interval, Statistic, why_undefined

#: One-way; two-way random, absolute agreement; two-way fixed, consistency. "k": of the mean of all readers.
FORMS: tuple[str, ...] = ("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k")


class MeanSquares(NamedTuple):
    """Two-way analysis of variance of (..., readers, images) scores: between images, readers, residual, within."""

    images: np.ndarray
    readers: np.ndarray
    residual: np.ndarray
    within: np.ndarray


def mean_squares(scores: np.ndarray) -> MeanSquares:
    k, n = scores.shape[-2:]
    grand = scores.mean(axis=(-2, -1), keepdims=True)
    per_image, per_reader = scores.mean(axis=-2, keepdims=True), scores.mean(axis=-1, keepdims=True)
    images = k * ((per_image - grand) ** 2).sum(axis=(-2, -1)) / (n - 1)
    readers = n * ((per_reader - grand) ** 2).sum(axis=(-2, -1)) / (k - 1)
    residual = ((scores - per_image - per_reader + grand) ** 2).sum(axis=(-2, -1)) / ((n - 1) * (k - 1))
    within = ((scores - per_image) ** 2).sum(axis=(-2, -1)) / (n * (k - 1))
    return MeanSquares(images, readers, residual, within)


def icc(scores: np.ndarray, form: str = "ICC2") -> np.ndarray:
    """(...) ICC of (..., readers, images) scores; NaN where all scores are the same."""
    scores = np.asarray(scores, float)
    k, n = scores.shape[-2:]
    ms = mean_squares(scores)
    if form[3] == "1":
        signal, noise = ms.images - ms.within, ms.within
    elif form[3] == "2":
        signal, noise = ms.images - ms.residual, ms.residual + (ms.readers - ms.residual) / n
    else:
        signal, noise = ms.images - ms.residual, ms.residual
    # Between images lie k parts of signal and one of noise; the mean of k readers keeps one k-th of the noise.
    total = signal / k + (noise / k if form.endswith("k") else noise)
    total = np.where(np.abs(total) < 1e-12, np.nan, total)
    with np.errstate(invalid="ignore"):
        return signal / k / total


def icc_statistic(scores: np.ndarray, form: str = "ICC2", *, level: float = LEVEL) -> Statistic:
    """ICC of (readers, images) scores with its "F" interval; none where the readers agree without a residual."""
    scores = np.asarray(scores, float)
    # A reader of one score does not make it undefined, as it makes kappa; readers of one score each do.
    if scores.shape[-1] < 2 or (scores.max(axis=-1) == scores.min(axis=-1)).all():
        return Statistic(np.nan, note=why_undefined(scores))
    value = float(icc(scores, form))
    ms = mean_squares(scores)
    if min(ms.within if form[3] == "1" else ms.residual, ms.images) < 1e-12:
        return Statistic(value, {"F": Interval.none()}, note="no residual to estimate an interval from")
    single = {"1": _one_way, "2": _absolute, "3": _consistency}[form[3]](ms, *scores.shape, (1 - level) / 2)
    k = len(scores)
    return Statistic(value, {"F": Interval(*(_of_mean(r, k) for r in single)) if form.endswith("k") else single})


def _of_mean(single: float, k: int) -> float:
    """Spearman-Brown: the reliability of the mean of k readers."""
    return k * single / (1 + (k - 1) * single)


def _one_way(ms: MeanSquares, k: int, n: int, tail: float) -> Interval:
    return _from_f(ms.images / ms.within, k, n - 1, n * (k - 1), tail)


def _consistency(ms: MeanSquares, k: int, n: int, tail: float) -> Interval:
    return _from_f(ms.images / ms.residual, k, n - 1, (n - 1) * (k - 1), tail)


def _from_f(f: float, k: int, above: int, below: int, tail: float) -> Interval:
    low = f / f_distribution.isf(tail, above, below)
    high = f * f_distribution.isf(tail, below, above)
    return Interval(float((low - 1) / (low + k - 1)), float((high - 1) / (high + k - 1)))


def _absolute(ms: MeanSquares, k: int, n: int, tail: float) -> Interval:
    """McGraw and Wong 1996, table 7, case 2A: Satterthwaite's degrees of freedom for readers and residual."""
    rho = (ms.images - ms.residual) / (ms.images + (k - 1) * ms.residual + k / n * (ms.readers - ms.residual))
    a, b = k * rho / (n * (1 - rho)), 1 + k * rho * (n - 1) / (n * (1 - rho))
    freedom = (a * ms.readers + b * ms.residual) ** 2 / (
        (a * ms.readers) ** 2 / (k - 1) + (b * ms.residual) ** 2 / ((n - 1) * (k - 1))
    )
    rest = k * ms.readers + (k * n - k - n) * ms.residual
    lower, upper = f_distribution.isf(tail, n - 1, freedom), f_distribution.isf(tail, freedom, n - 1)
    low = n * (ms.images - lower * ms.residual) / (lower * rest + n * ms.images)
    high = n * (upper * ms.images - ms.residual) / (rest + n * upper * ms.images)
    return Interval(float(low), float(high))
