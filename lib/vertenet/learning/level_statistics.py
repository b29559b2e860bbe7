"""Level statistics learned: pairs of neighbours from the truth of cases, thresholds from a network's decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import beta

from ..errors import AnnotationError, OptionError
from ..inference.level_statistics import ANATOMIES, LevelStatistics, PairStatistics, pair_features
from ..inference.levels import LevelDecision
from ..spine import LADDER, Level
from .cases import Case

#: Fewer examples than this leave a pair as it was: a covariance of three features needs more than a handful.
MIN_PAIRS = 30
#: Nats, before the temperature: a naming with a rival nearer than this is never certain, however well phantoms went.
LEAST_MARGIN = 1.0
#: Least standard deviation of spacing, tilt and size that a fit may claim.
LEAST_SPREAD = (0.02, 1.0, 0.01)


def fit_level_statistics(cases: Sequence[Case], start: LevelStatistics | None = None) -> LevelStatistics:
    """Statistics of neighbouring levels in the truth of ``cases``.

    Parameters
    ----------
    cases : sequence of Case
        Their ``anatomy`` is used: T11 to S1, and L6 where there is one; levels without four corner positions are
        passed over. What touches what follows from its transition (unknown: five lumbar vertebrae).
    start : LevelStatistics, optional
        Where everything else comes from, and the pairs of which ``cases`` show fewer than `MIN_PAIRS` (the default
        ones when not given).

    Returns
    -------
    LevelStatistics
        ``start`` with new ``pairs`` and ``gap_spread``.

    Raises
    ------
    AnnotationError
        No pair occurs `MIN_PAIRS` times.
    """
    start = LevelStatistics.default() if start is None else start
    features: dict[tuple, list[np.ndarray]] = {}
    for case in cases:
        # Mirroring about x = 0 will do: features know no place.
        spine = case.anatomy if case.anatomy.anterior == "right" else case.anatomy.mirrored(1)
        corners = spine.to_array()
        known = np.isfinite(corners).all(axis=(1, 2))
        found = pair_features(corners)
        ladder = ANATOMIES.get(spine.transition, LADDER)
        for first in range(len(corners)):
            for last in range(first + 1, min(first + 3, len(corners))):
                chain = spine.levels[first : last + 1]
                if known[first : last + 1].all() and chain in _runs(ladder, last - first + 1):
                    features.setdefault(chain, []).append(found[first, last])
    learned = {
        chain: _statistics(np.array(rows))
        for chain, rows in features.items()
        if len(chain) == 2 and len(rows) >= MIN_PAIRS
    }
    if not learned:
        raise AnnotationError(
            f"no pair of neighbouring vertebrae occurs {MIN_PAIRS} times", remedy="Give more annotated images"
        )
    pairs = {**start.pairs, **learned}
    gaps = {chain: np.array(rows) for chain, rows in features.items() if len(chain) == 3 and len(rows) >= MIN_PAIRS}
    return replace(start, pairs=pairs, gap_spread=_gap_spread(gaps, pairs) if gaps else start.gap_spread)


def _runs(ladder: tuple[Level, ...], length: int) -> set[tuple[Level, ...]]:
    return {ladder[i : i + length] for i in range(len(ladder) - length + 1)}


def _statistics(rows: np.ndarray) -> PairStatistics:
    covariance = np.cov(rows.T)
    floor = np.maximum(np.square(LEAST_SPREAD) - np.diag(covariance), 0)
    return PairStatistics(rows.mean(axis=0), covariance + np.diag(floor))


def _gap_spread(gaps: dict[tuple, np.ndarray], pairs) -> tuple[float, ...]:
    """Spread of gaps of two over that of the sum of independent neighbours, pooled over all gaps by number."""
    squares, expected = np.zeros(3), np.zeros(3)
    for (upper, middle, lower), rows in gaps.items():
        sums = np.add(pairs[upper, middle].covariance, pairs[middle, lower].covariance)
        mean = np.add(pairs[upper, middle].mean, pairs[middle, lower].mean)
        squares += np.square(rows - mean).sum(axis=0)
        expected += len(rows) * np.diag(sums)
    return tuple(np.sqrt(squares / expected).tolist())


@dataclass(frozen=True)
class Abstention:
    """What a threshold does on the images that it was chosen on.

    Attributes
    ----------
    images, certain, wrong : int
        All images; those with certain levels; those of them that are wrong.
    bound : float
        Upper confidence bound of the share of wrong ones among the certain.
    """

    images: int
    certain: int
    wrong: int
    bound: float

    @property
    def abstained(self) -> float:
        """Share of images without certain levels."""
        return 1 - self.certain / self.images


def calibrate_thresholds(
    decisions: Sequence[LevelDecision],
    right: Sequence[bool],
    statistics: LevelStatistics | None = None,
    *,
    accuracy: float = 0.97,
    confidence: float = 0.9,
) -> LevelStatistics:
    """Choose the temperature and the margin below which levels are uncertain.

    The temperature makes margins log-odds: of all images with the margin m, a share of 1 / (1 + exp(-m)) is right
    (maximum likelihood; one parameter). The threshold is the lowest, and so abstains least, at which the one-sided
    Clopper-Pearson bound at ``confidence`` of the share of wrong namings among the certain ones is at most
    1 - ``accuracy``; it is never below `LEAST_MARGIN`. The bound holds for each threshold by itself; that one was
    picked among many on the same images is not allowed for, so check it on others.

    Parameters
    ----------
    decisions : sequence of LevelDecision
        Of `vertenet.inference.levels.name_levels` with ``statistics``, one for each calibration image.
    right : sequence of bool
        Whether the naming is right, as `vertenet.evaluation.score_landmarks` says.
    statistics : LevelStatistics, optional
        Those that made the decisions (the default ones when not given).
    accuracy : float
        Wanted share of right namings among the certain.
    confidence : float
        Of the bound.

    Raises
    ------
    OptionError
        No threshold reaches ``accuracy``: too few images, or too many wrong with a large margin.
    """
    start = LevelStatistics.default() if statistics is None else statistics
    scale = fit_temperature(decisions, right)
    margins = np.array([decision.margin for decision in decisions]) / scale
    supported = np.array([decision.supported for decision in decisions], dtype=bool)
    right = np.asarray(right, dtype=bool)
    least = LEAST_MARGIN / (start.temperature * scale)
    for threshold in np.unique(np.append(margins[np.isfinite(margins) & (margins > least)], least)):
        told = _abstention(supported & (margins >= threshold), right, confidence)
        if told.certain and told.bound <= 1 - accuracy:
            return replace(start, temperature=start.temperature * scale, certain_margin=float(threshold))
    raise OptionError(
        f"no margin makes {accuracy:.1%} of {len(right)} calibration images certain and right",
        remedy="Give more images, or ask for less accuracy or confidence",
    )


def abstention(decisions: Sequence[LevelDecision], right: Sequence[bool], confidence: float = 0.9) -> Abstention:
    """How often ``decisions`` are certain, how often wrong then, and the Clopper-Pearson bound of that share."""
    certain = np.array([decision.certain for decision in decisions], dtype=bool)
    return _abstention(certain, np.asarray(right, dtype=bool), confidence)


def fit_temperature(decisions: Sequence[LevelDecision], right: Sequence[bool]) -> float:
    """The number by which margins must be divided to be log-odds of being right, 0.1 to 10.

    Penalised as if one more image with the median margin had been wrong: where none is, the likelihood has no maximum.
    """
    margins = np.array([decision.margin for decision in decisions if np.isfinite(decision.margin)])
    right = np.array([bool(ok) for decision, ok in zip(decisions, right) if np.isfinite(decision.margin)])
    if not len(margins):
        return 1.0
    signed = np.append(np.where(right, margins, -margins), -np.median(margins))
    found = minimize_scalar(
        lambda log_t: np.logaddexp(0, -signed / np.exp(log_t)).sum(), bounds=np.log([0.1, 10.0]), method="bounded"
    )
    return float(np.exp(found.x))


def _abstention(certain: np.ndarray, right: np.ndarray, confidence: float) -> Abstention:
    number, wrong = int(certain.sum()), int((certain & ~right).sum())
    bound = 1.0 if wrong == number else float(beta.ppf(confidence, wrong + 1, number - wrong))
    return Abstention(len(certain), number, wrong, bound)
