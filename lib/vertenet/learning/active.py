"""What to annotate next: which images of a pool teach a model most.

Three ideas, all on numbers that one pass of the model gives:

- *Uncertainty* (Settles, Active Learning Literature Survey, 2009): where the model doubts the names of the vertebrae or
  the places of their corners, a correction changes it most.
- *Diversity*: k-center greedy, the core-set of Sener and Savarese (ICLR 2018): take the image that is furthest, in the
  encoder's features, from everything that has been taken, so that no region of the pool is left without a neighbour.
- *Hybrid*: the product of the two, so that neither ten pictures of one difficulty nor one easy picture of everything
  is taken.

Picks are greedy and each one depends on those before it alone: one request for ten images and ten requests for one get
the same images.

*Refused images* (`vertenet.reading.Quality.typical` False) are a stratum of their own with proportional allocation:
they are taken as often as they occur in the pool, never more, and ordered among themselves by the same gain. Without it
a folder with a few hands and chests in it would offer those first, because nothing is as uncertain or as far from the
rest; leaving them out instead would hide a scanner that the model does not know yet, the very images it should learn
from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import rankdata

Criterion = Literal["uncertainty", "diversity", "hybrid"]
CRITERIA: tuple[Criterion, ...] = ("uncertainty", "diversity", "hybrid")
#: Taken images whose distances are held in memory at once.
BLOCK = 256


@dataclass(frozen=True, eq=False)
class Pool:
    """Images that one model has looked at; those to choose from and those already taken.

    Attributes
    ----------
    features : (n, c) float array
        Pooled deepest features of each image, in the model's own units. Without any (c = 0) diversity has no say.
    doubt : (n,) float array
        Probability that the levels are named wrongly, 0 to 1, see `level_doubt`; NaN where nobody estimated it.
    dispersion : (n,) float array
        Expected error of a corner, vertebral depths; NaN where nobody estimated it.
    refused : (n,) bool array
        The model refused to read the image.
    taken : (n,) bool array
        Labelled, on somebody's desk or put aside: not to be picked, but its region of the features is covered.

    Raises
    ------
    ValueError
        The arrays are not of one length, or features are not finite.
    """

    features: np.ndarray
    doubt: np.ndarray
    dispersion: np.ndarray
    refused: np.ndarray
    taken: np.ndarray

    def __post_init__(self) -> None:
        kinds = {"features": float, "doubt": float, "dispersion": float, "refused": bool, "taken": bool}
        for name, kind in kinds.items():
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=kind))
        lengths = {len(getattr(self, name)) for name in kinds}
        if len(lengths) != 1 or self.features.ndim != 2:
            raise ValueError(f"features have shape {self.features.shape}, the other arrays lengths {sorted(lengths)}")
        if not np.isfinite(self.features).all():
            raise ValueError("features are not finite")

    def __len__(self) -> int:
        return len(self.features)


def level_doubt(margin: np.ndarray) -> np.ndarray:
    """Probability that the second-best naming of the levels is the right one, 0 to 0.5.

    ``margin`` is the difference of the two namings' log-probabilities, as in `vertenet.reading.Levels`; infinite where
    there is no second one, NaN where nobody estimated it (and so is the doubt).
    """
    with np.errstate(invalid="ignore"):
        return np.exp(-np.logaddexp(0.0, np.asarray(margin, dtype=float)))


def uncertainty(doubt: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    """How uncertain each image is among the others, (n,) in (0, 1]: its mean rank by doubt and by dispersion.

    Ranks, because a probability and a length have no common unit and their spreads change with every model. Equal
    values share the mean of their ranks. An image of which only one is known counts by that one, one without either is
    in the middle.
    """
    ranks = np.stack([_ranks(doubt), _ranks(dispersion)])
    known = np.isfinite(ranks)
    total = np.where(known, ranks, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), 0.5)


def pick(pool: Pool, k: int, criterion: Criterion = "hybrid") -> list[int]:
    """Indices of the ``k`` images to take next, the most wanted first; fewer where fewer are left.

    Parameters
    ----------
    pool : Pool
        Images that are alike are taken in the pool's order.
    k : int
    criterion : {"uncertainty", "diversity", "hybrid"}

    Raises
    ------
    ValueError
        There is no such criterion.
    """
    if criterion not in CRITERIA:
        raise ValueError(f"there is no criterion {criterion!r}")
    free = ~pool.taken
    steps = min(k, int(free.sum()))
    if steps <= 0:
        return []
    weight = np.ones(len(pool)) if criterion == "diversity" else uncertainty(pool.doubt, pool.dispersion)
    points = standardised(pool.features)
    alone = criterion == "uncertainty" or not pool.features.shape[1]
    distance = None if alone else _distance_to_taken(points, pool.taken)
    fair = _Allocation(pool.refused, pool.taken)
    picked: list[int] = []
    for _ in range(steps):
        gain = weight if distance is None else weight * distance
        best = int(np.argmax(np.where(free & fair.due(free), gain, -np.inf)))
        picked.append(best)
        free[best] = False
        fair.count(best)
        if distance is not None:
            to_best = np.linalg.norm(points - points[best], axis=1)
            distance = to_best if len(picked) == 1 and not pool.taken.any() else np.minimum(distance, to_best)
    return picked


def standardised(features: np.ndarray) -> np.ndarray:
    """(n, c) features with mean 0 and standard deviation 1 over the pool; a constant one becomes 0."""
    spread = features.std(axis=0)
    return (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


class _Allocation:
    """Whose turn it is, refused or read: the taken images of each kind follow their shares of the pool by rounding."""

    def __init__(self, refused: np.ndarray, taken: np.ndarray) -> None:
        self.refused = refused
        self.share = refused.mean()
        self.taken, self.taken_refused = int(taken.sum()), int((taken & refused).sum())

    def due(self, free: np.ndarray) -> np.ndarray:
        """(n,) bool: the images of the kind that is due; of the other where none of that kind is free."""
        behind = self.share * (self.taken + 1) - self.taken_refused >= 0.5
        kind = self.refused if behind else ~self.refused
        return kind if (kind & free).any() else ~kind

    def count(self, index: int) -> None:
        self.taken += 1
        self.taken_refused += int(self.refused[index])


def _distance_to_taken(points: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """(n,) distance to the nearest taken image; where none is, nearness to the middle of the pool stands for it."""
    if not taken.any():
        off_middle = np.linalg.norm(points, axis=1)  # standardised points have their mean at 0
        return off_middle.max() - off_middle
    squares = (points**2).sum(axis=1)
    nearest = np.full(len(points), np.inf)
    centres = np.flatnonzero(taken)
    for start in range(0, len(centres), BLOCK):
        block = centres[start : start + BLOCK]
        # |a - b|² = |a|² + |b|² - 2ab: one matrix product instead of a loop; rounding can leave it below 0.
        squared = squares[:, None] + squares[block] - 2.0 * points @ points[block].T
        np.minimum(nearest, squared.min(axis=1), out=nearest)
    nearest[taken] = 0.0
    return np.sqrt(np.maximum(nearest, 0.0))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks over n, (0, 1], of the values that are known; NaN stays NaN."""
    values = np.asarray(values, dtype=float)
    known = np.isfinite(values)
    ranks = np.full(len(values), np.nan)
    if known.any():
        ranks[known] = rankdata(values[known]) / known.sum()
    return ranks
