"""Level statistics as arrays, ready for a whole image at once.

Axes: ``a`` the 3 anatomies in the order of `ANATOMIES`; ``m`` and ``m'`` the 9 levels of `LEVELS`; ``p``
the distinct pairs of them (those above L4 are the same in every anatomy).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..spine import UPPER_THORACIC, Level
from .level_statistics import ANATOMIES, ANCHORS, LevelStatistics

#: What a path names: T11 to S1, and L6.
LEVELS: tuple[Level, ...] = tuple(level for level in Level if level not in UPPER_THORACIC)
#: Place of each of them.
PLACE = {level: place for place, level in enumerate(LEVELS)}
IS_ANCHOR = np.array([level in ANCHORS for level in LEVELS])


@dataclass(frozen=True, eq=False)
class LevelTables:
    """One set of statistics, laid out.

    Attributes
    ----------
    means : (p, 3)
        Expected features of the lower level seen from the upper.
    whitening : (p, 3, 3)
        Turns a difference from the mean into independent standard ones.
    log_peak : (p,)
        Log-density at the mean.
    price : (p,)
        Price of the levels between that nobody takes.
    pair : (a, m, m') int
        Index of the pair m-m', -1 unless m' lies below m and the anatomy has both.
    exists : (a, m) bool
    reach : (a, m, m')
        Distance from level m to m', in depths, either way; NaN where the anatomy lacks one of them.
    absent, outside : (m,)
        Price of a level at the end of the column that nobody takes, inside the image and beyond it.
    prior : (a,)
        Log-probability of each anatomy.
    """

    means: np.ndarray
    whitening: np.ndarray
    log_peak: np.ndarray
    price: np.ndarray
    pair: np.ndarray
    exists: np.ndarray
    reach: np.ndarray
    absent: np.ndarray
    outside: np.ndarray
    prior: np.ndarray


@lru_cache(maxsize=8)
def level_tables(statistics: LevelStatistics) -> LevelTables:
    """Lay out ``statistics``."""
    s = statistics
    pair = np.full((len(ANATOMIES), len(LEVELS), len(LEVELS)), -1)
    chains: dict[tuple[Level, ...], int] = {}
    for a, ladder in enumerate(ANATOMIES.values()):
        for i, upper in enumerate(ladder):
            for j in range(i + 1, len(ladder)):
                chain = ladder[i : j + 1]
                pair[a, PLACE[upper], PLACE[ladder[j]]] = chains.setdefault(chain, len(chains))
    means, covariances = (np.array(values) for values in zip(*(_between(s, chain) for chain in chains)))
    _, log_volume = np.linalg.slogdet(2 * np.pi * covariances)
    down = np.where(pair >= 0, means[pair, 0], np.nan)
    four, six = np.exp(s.log_four), np.exp(s.log_six)
    return LevelTables(
        means=means,
        whitening=np.linalg.inv(np.linalg.cholesky(covariances)),
        log_peak=-0.5 * log_volume,
        price=np.array([(len(chain) - 2) * s.log_missing for chain in chains]),
        pair=pair,
        exists=np.array([[level in ladder for level in LEVELS] for ladder in ANATOMIES.values()]),
        reach=np.fmax(down, np.swapaxes(down, 1, 2)),
        absent=np.where(IS_ANCHOR, s.log_anchor, s.log_missing),
        outside=np.where(IS_ANCHOR, 0.0, s.log_outside),
        prior=np.log([1 - four - six, four, six]),
    )


def _between(s: LevelStatistics, chain: tuple[Level, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the features of a chain's last level seen from its first, as a network sees them."""
    pairs = [s.pairs[pair] for pair in zip(chain, chain[1:])]
    mean = np.sum([pair.mean for pair in pairs], axis=0)
    covariance = np.sum([pair.covariance for pair in pairs], axis=0)
    if len(pairs) > 1:
        covariance = covariance * np.outer(s.gap_spread, s.gap_spread)
    rough = chain[0] in ANCHORS or chain[-1] in ANCHORS
    return mean, covariance + np.diag(np.square(s.anchor_noise if rough else s.noise))
