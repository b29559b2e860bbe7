"""The numbers behind the naming of levels: how neighbours lie to each other, what is rare, and when to be certain.

Neighbours are compared by three features (`pair_features`): spacing in local vertebral depths, change of tilt, and log
ratio of size. Their learned means and covariances make a Mahalanobis distance. A body that is crushed, fractured or
badly placed costs no more than a pair that follows no statistics at all: nothing is forbidden, and nothing is pulled
towards the mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType

import numpy as np

from ..errors import SchemaError
from ..spine import LADDER, UPPER_THORACIC, Level, Transition

#: Levels from T11 to S1 in each lumbosacral anatomy: five lumbar vertebrae, four, and six.
ANATOMIES: Mapping[Transition, tuple[Level, ...]] = MappingProxyType(
    {
        Transition.NONE: LADDER,
        Transition.SACRALISED_L5: tuple(level for level in LADDER if level is not Level.L5),
        Transition.LUMBARISED_S1: tuple(level for level in Level if level not in UPPER_THORACIC),
    }
)
#: Corners of T11 and S1 are not taught to networks (they anchor the count), so what is seen of them is rougher.
ANCHORS = (Level.T11, Level.S1)

Pair = tuple[Level, Level]


def neighbours() -> tuple[Pair, ...]:
    """Every pair of levels that touch in some anatomy, from the head down."""
    found = {pair for ladder in ANATOMIES.values() for pair in zip(ladder, ladder[1:])}
    return tuple(sorted(found, key=lambda pair: (pair[0].rank, pair[1].rank)))


def pair_features(corners: np.ndarray) -> np.ndarray:
    """Features of every ordered pair of ``n`` vertebrae.

    Parameters
    ----------
    corners : (n, 4, 2) float
        In the order of `vertenet.spine.CORNERS`, anterior on the right, any length unit.

    Returns
    -------
    (n, n, 3) float64
        Of vertebra ``j`` seen from ``i``, in this order: distance of centres over the geometric mean of both sizes;
        change of tilt in degrees, within -180 and 180 (tilt: slope of the mid-plane, anterior end up positive); log
        ratio of sizes. Size is the length of the superior endplate: what S1 has in common with the lumbar bodies.
    """
    corners = np.asarray(corners, dtype=np.float64)
    centres, size = corners.mean(axis=1), superior_lengths(corners)
    forward = corners[:, 0] + corners[:, 2] - corners[:, 1] - corners[:, 3]
    tilt = np.degrees(np.arctan2(-forward[:, 1], forward[:, 0]))
    distance = np.linalg.norm(centres[None] - centres[:, None], axis=-1)
    spacing = distance / np.sqrt(size[:, None] * size[None])
    turn = (tilt[None] - tilt[:, None] + 180.0) % 360.0 - 180.0
    return np.stack([spacing, turn, np.log(size[None] / size[:, None])], axis=-1)


def superior_lengths(corners: np.ndarray) -> np.ndarray:
    """(n,) lengths of the superior endplates of (n, 4, 2) corners; never zero."""
    return np.maximum(np.linalg.norm(corners[:, 0] - corners[:, 1], axis=-1), 1e-6)


@dataclass(frozen=True)
class PairStatistics:
    """Mean (3) and covariance (3 x 3) of the features of one pair of neighbours.

    Raises
    ------
    SchemaError
        Another shape, a number that is not finite, or a covariance that is not symmetric and positive.
    """

    mean: Sequence[float]
    covariance: Sequence[Sequence[float]]

    def __post_init__(self) -> None:
        mean, covariance = np.asarray(self.mean, float), np.asarray(self.covariance, float)
        if mean.shape != (3,) or covariance.shape != (3, 3) or not np.isfinite([*mean, *covariance.ravel()]).all():
            raise SchemaError("level statistics need three finite means and a 3 x 3 covariance for each pair")
        if not np.allclose(covariance, covariance.T) or np.linalg.eigvalsh(covariance).min() <= 0:
            raise SchemaError("a covariance in the level statistics is not symmetric and positive")
        object.__setattr__(self, "mean", tuple(mean.tolist()))
        object.__setattr__(self, "covariance", tuple(map(tuple, covariance.tolist())))

    @classmethod
    def of(cls, mean: Sequence[float], spread: Sequence[float], correlation: Sequence[float]) -> PairStatistics:
        """From means, standard deviations, and the correlations spacing-tilt, spacing-size and tilt-size."""
        a, b, c = correlation
        return cls(mean, np.array([[1, a, b], [a, 1, c], [b, c, 1]]) * np.outer(spread, spread))


def _phantom_pairs() -> Mapping[Pair, PairStatistics]:
    return _PHANTOM_PAIRS


@dataclass(frozen=True)
class LevelStatistics:
    """Everything that `vertenet.inference.levels.name_levels` weighs; logarithms are natural.

    Attributes
    ----------
    pairs : mapping of (upper Level, lower Level) to PairStatistics
        One for each of `neighbours`.
    gap_spread : (3,) float
        A pair with levels left out between is the sum of the neighbours it spans, and its standard deviations are
        these times those of a sum of independent ones: a patient's spacings go together, sizes even out.
    noise, anchor_noise : (3,) float
        Standard deviation that a network's corners add to the features of a pair, and of a pair with T11 or S1.
    outliers : float
        Share of neighbours that follow no statistics.
    reference : float
        Density of the features of a pair of which one is no vertebra, per depth, degree and unit of log size.
    pair_weight, level_weight : float
        What a nat of the pairs, and of the network's level evidence, counts; pairs share vertebrae and count twice.
    level_floor : float
        Evidence that every level has everywhere, so that a network's zero forbids none.
    log_missing, log_anchor : float
        A level whose place lies inside the image and that was not found: T12 to L6, and T11 or S1.
    log_outside : float
        One of T12 to L6 whose place lies beyond the image.
    log_four, log_six : float
        Prior of four and of six lumbar vertebrae.
    beyond : float
        What a candidate left unnamed counts above a T11, where a network that knows no body there sees some all the
        same. Below the sacrum there are none.
    beneath : float
        What a candidate left unnamed below the last named one counts: nothing of the column lies below the sacrum.
    even_score : float
        The score at which a candidate is as likely a vertebra as not. Focal losses push scores down: on films,
        vertebrae that are plainly there score 0.2 to 0.7.
    spine_score, certain_score : float
        Mean score of the named vertebrae below which they are no spine, and below which their naming is not certain.
        With the starter weights noise and smooth texture reach 0.16 to 0.42.
    least_agreement : float
        Share of several looks at an image that must name alike for levels to be certain.
    temperature : float
        Margins are divided by it, so that they are log-odds of the naming being right.
    certain_margin : float
        Margin to the best other reading below which the levels are called uncertain.

    Raises
    ------
    SchemaError
        A pair is lacking, or a number is not finite or out of its range.
    """

    pairs: Mapping[Pair, PairStatistics] = field(default_factory=_phantom_pairs)
    gap_spread: Sequence[float] = (1.32, 1.08, 0.74)
    noise: Sequence[float] = (0.03, 4.0, 0.05)
    anchor_noise: Sequence[float] = (0.06, 10.0, 0.10)
    outliers: float = 0.05
    reference: float = 1 / 60
    pair_weight: float = 0.5
    level_weight: float = 1.2
    level_floor: float = 0.02
    log_missing: float = math.log(0.02)
    log_anchor: float = math.log(0.2)
    log_outside: float = math.log(0.15)
    log_four: float = math.log(0.05)
    log_six: float = math.log(0.05)
    beyond: float = 0.3
    beneath: float = 2.0
    even_score: float = 0.15
    spine_score: float = 0.38
    certain_score: float = 0.5
    least_agreement: float = 0.75
    temperature: float = 1.0
    certain_margin: float = 2.0

    def __post_init__(self) -> None:
        absent = [pair for pair in neighbours() if pair not in self.pairs]
        if absent:
            raise SchemaError(f"the level statistics lack the pairs {', '.join(map(_name, absent))}")
        object.__setattr__(self, "pairs", MappingProxyType({pair: self.pairs[pair] for pair in neighbours()}))
        for name in _TRIPLES:
            values = tuple(float(value) for value in getattr(self, name))
            if len(values) != 3 or not all(0 <= value < math.inf for value in values):
                raise SchemaError(f"the level statistics need three numbers of 0 or more as {name}, not {values}")
            object.__setattr__(self, name, values)
        for name, (low, high) in _RANGES.items():
            value = float(getattr(self, name))
            if not (math.isfinite(value) and low <= value <= high):
                raise SchemaError(f"the level statistics hold {name} = {value}, which must be {low} to {high}")
            object.__setattr__(self, name, value)
        if math.exp(self.log_four) + math.exp(self.log_six) >= 1:
            raise SchemaError("four and six lumbar vertebrae together have a prior of 1 or more")

    # A mappingproxy can be neither hashed nor pickled.
    def __hash__(self) -> int:
        return hash((tuple(self.pairs.items()), *(getattr(self, item.name) for item in fields(self)[1:])))

    def __reduce__(self):
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return _restored, ({**values, "pairs": dict(self.pairs)},)

    @classmethod
    def default(cls) -> LevelStatistics:
        """Pairs of 3,000 phantoms, whose shapes follow 1,755 lateral lumbar radiographs; prices set on others."""
        return _DEFAULT

    def to_dict(self) -> dict:
        """Plain lists and numbers; pairs by name (``"L4-L5"``)."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        values.update({name: list(values[name]) for name in _TRIPLES})
        values["pairs"] = {
            _name(pair): {"mean": list(found.mean), "covariance": [list(row) for row in found.covariance]}
            for pair, found in self.pairs.items()
        }
        return values

    @classmethod
    def from_dict(cls, data: Mapping) -> LevelStatistics:
        """The inverse of `to_dict`, exactly.

        Raises
        ------
        SchemaError
            An entry is lacking, unknown, or not of its kind.
        """
        names = {item.name for item in fields(cls)}
        if set(data) != names:
            wrong = sorted(names.symmetric_difference(data))
            raise SchemaError(f"the level statistics lack or do not know {', '.join(wrong)}")
        try:
            pairs = {
                tuple(Level(name) for name in key.split("-")): PairStatistics(found["mean"], found["covariance"])
                for key, found in data["pairs"].items()
            }
            return cls(**{**data, "pairs": pairs})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"the level statistics cannot be read ({error})") from error


_TRIPLES = ("gap_spread", "noise", "anchor_noise")
_RANGES = {
    "outliers": (1e-6, 0.5), "reference": (1e-9, 1e3), "pair_weight": (0, 10), "level_weight": (0, 10),
    "level_floor": (1e-6, 1), "log_missing": (-50, 0), "log_anchor": (-50, 0), "log_outside": (-50, 0),
    "log_four": (-50, -1e-6), "log_six": (-50, -1e-6), "beyond": (0, 1),
    "beneath": (0, 10), "even_score": (1e-3, 1 - 1e-3),
    "spine_score": (0, 1), "certain_score": (0, 1), "least_agreement": (0, 1),
    "temperature": (1e-3, 1e3), "certain_margin": (0, 1e3),
}  # fmt: skip


def _name(pair: Pair) -> str:
    return f"{pair[0]}-{pair[1]}"


def _restored(values: Mapping) -> LevelStatistics:
    return LevelStatistics(**values)


#: `fit_level_statistics` of phantoms 1,000,000 to 1,002,999 (difficulty training): mean, spread, correlation.
_PHANTOM_PAIRS = MappingProxyType(
    {
        (Level.T11, Level.T12): PairStatistics.of((0.892, 0.59, 0.048), (0.121, 3.98, 0.053), (0.00, -0.07, -0.05)),
        (Level.T12, Level.L1): PairStatistics.of((0.919, 0.12, 0.054), (0.128, 5.31, 0.055), (-0.07, 0.03, -0.13)),
        (Level.L1, Level.L2): PairStatistics.of((0.958, -0.53, 0.030), (0.120, 4.86, 0.050), (-0.07, 0.10, -0.14)),
        (Level.L2, Level.L3): PairStatistics.of((0.985, -4.69, 0.020), (0.115, 4.56, 0.041), (-0.12, 0.18, -0.04)),
        (Level.L3, Level.L4): PairStatistics.of((0.976, -7.94, 0.000), (0.117, 4.64, 0.041), (-0.20, -0.16, -0.07)),
        (Level.L4, Level.L5): PairStatistics.of((0.980, -11.14, -0.011), (0.134, 5.11, 0.047), (-0.22, -0.08, -0.08)),
        (Level.L4, Level.S1): PairStatistics.of((1.029, -29.58, -0.055), (0.107, 9.62, 0.046), (-0.15, -0.12, -0.07)),
        (Level.L5, Level.L6): PairStatistics.of((1.001, -7.48, -0.018), (0.127, 4.62, 0.049), (0.08, 0.09, -0.01)),
        (Level.L5, Level.S1): PairStatistics.of((1.018, -17.84, -0.051), (0.118, 7.15, 0.053), (0.01, 0.01, 0.00)),
        (Level.L6, Level.S1): PairStatistics.of((0.994, -11.31, -0.028), (0.119, 4.50, 0.052), (0.07, 0.01, -0.12)),
    }
)
_DEFAULT = LevelStatistics()
