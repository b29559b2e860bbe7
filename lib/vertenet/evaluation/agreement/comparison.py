"""What a condition (guides, say) changes: agreement with it less agreement without it, on the same images.

Images are drawn with replacement with all of their readings under both conditions, so that what an image is like
cancels out. Interval: BCa. p-value: twice the share of resamples on the far side of no difference, the observation
counted as one of them (Davison and Hinkley 1997, section 4.4); Holm's correction over the regions, for each figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...errors import OptionError
from ..statistics import holm
from .correlation import correlation
from .icc import icc
from .kappa import weighted_kappa
from .readings import TOTAL, Readings, complete_matrix
from .resampling import LEVEL, RESAMPLES, Interval, bootstrap_over_images

#: What is compared: name to (..., readers, images) scores -> (...).
COMPARED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "pearson": correlation,
    "kappa-linear": lambda scores: weighted_kappa(scores, "linear"),
    "kappa-quadratic": weighted_kappa,
    "ICC2": icc,
}


@dataclass(frozen=True)
class Comparison:
    """One figure in one region under two conditions, on the images that all readers scored under both.

    ``difference`` is ``value`` (under ``condition``) less ``baseline_value``. ``p_holm`` is corrected over the regions;
    the AAC-24 total, which is their sum, is not one of them and keeps its ``p``. NaN where there is none; ``note`` says
    why.
    """

    condition: str
    baseline: str
    region: str
    statistic: str
    images: int
    value: float
    baseline_value: float
    difference: float
    interval: Interval
    p: float
    p_holm: float = np.nan
    note: str = ""


def compare_conditions(
    readings: Readings, baseline: str, *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> tuple[Comparison, ...]:
    """Every condition against the baseline, in every region.

    Raises
    ------
    OptionError
        The readers of two conditions are not the same.
    """
    settings = {"resamples": resamples, "seed": seed, "level": level}
    found: list[Comparison] = []
    for condition in readings.conditions:
        if condition == baseline:
            continue
        readers = [r for r in readings.readers if readings.sessions(condition, r) and readings.sessions(baseline, r)]
        if len(readers) < 2:
            raise OptionError(
                f"fewer than two readers have read under both {baseline!r} and {condition!r}",
                remedy="Compare conditions that the same readers have read under",
            )
        for name in COMPARED:
            rows = [
                _compare(readings, condition, baseline, region, name, readers, settings) for region in readings.regions
            ]
            found += _corrected(rows)
    return tuple(found)


def _compare(
    readings: Readings,
    condition: str,
    baseline: str,
    region: str,
    name: str,
    readers: Sequence[str],
    settings: Mapping,
) -> Comparison:
    columns = [readings.values(which, reader, region) for which in (condition, baseline) for reader in readers]
    scores = complete_matrix(columns).scores
    images, statistic = scores.shape[-1], COMPARED[name]

    def difference(drawn: np.ndarray) -> np.ndarray:
        return statistic(drawn[..., : len(readers), :]) - statistic(drawn[..., len(readers) :, :])

    value, without = (
        (float(statistic(part)) for part in (scores[: len(readers)], scores[len(readers) :]))
        if images > 1
        else (np.nan, np.nan)
    )
    blank = Comparison(
        condition, baseline, region, name, images, value, without, value - without, Interval.none(), np.nan
    )
    if not np.isfinite(value - without):
        return replace(blank, note="too few images" if images < 2 else "a figure is undefined")
    found = bootstrap_over_images(difference, scores, **settings)
    if not len(found.replicates) or found.note:
        return replace(blank, note=found.note)
    tail = min((found.replicates <= 0).sum(), (found.replicates >= 0).sum())
    p = min(1.0, 2 * (tail + 1) / (len(found.replicates) + 1))
    return replace(blank, interval=found.interval, p=float(p))


def _corrected(rows: list[Comparison]) -> list[Comparison]:
    adjusted = holm([np.nan if row.region == TOTAL else row.p for row in rows])
    return [replace(row, p_holm=float(p)) for row, p in zip(rows, adjusted)]
