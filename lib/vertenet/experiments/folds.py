"""Fair splits: a person's scans stay together, and every scanner is spread evenly over the folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import OptionError
from .data import Entry

#: Share of the training images, and number at most, that watch a training run from outside it.
VALIDATION_SHARE, GREATEST_VALIDATION = 0.1, 24


@dataclass(frozen=True, eq=False)
class Split:
    """Positions of the cases to test on, to train on, and to watch the training with; no person is in two of them."""

    test: np.ndarray
    training: np.ndarray
    validation: np.ndarray


def make_folds(cases: Sequence[Entry], k: int, seed: int = 0) -> np.ndarray:
    """(n,) int: the fold, 0 to ``k - 1``, that each case is tested in.

    Persons with many scans come first, else in an order drawn by ``seed``; each goes where their scanners are fewest,
    measured by the growth of the sum of squares, and of equal folds to the smallest. As long as nobody was scanned on
    two scanners, folds differ in a scanner's scans by no more than the most that one person has of it.
    (`sklearn.model_selection.StratifiedGroupKFold` refuses cohorts whose every scanner has fewer scans than folds.)

    Raises
    ------
    OptionError
        Fewer than 2 folds, or fewer persons than folds.
    """
    persons = sorted({case.person for case in cases})
    if not 2 <= k <= len(persons):
        raise OptionError(f"{k} folds are asked for, but it takes at least 2, and {len(persons)} persons allow no more")
    np.random.default_rng(seed).shuffle(persons)
    scans = {person: Counter() for person in persons}
    for case in cases:
        scans[case.person][case.scanner] += 1
    load = [Counter() for _ in range(k)]
    home = {}
    for person in sorted(persons, key=lambda name: -sum(scans[name].values())):
        mine = scans[person]
        growth = [(sum(n * (2 * held[s] + n) for s, n in mine.items()), sum(held.values())) for held in load]
        home[person] = growth.index(min(growth))
        load[home[person]].update(mine)
    return np.array([home[case.person] for case in cases])


def scanner_folds(cases: Sequence[Entry]) -> np.ndarray:
    """(n,) int: a fold a scanner, in the order of their names, to test on a scanner that training never saw.

    Raises
    ------
    OptionError
        There is only one scanner.
    """
    scanners = sorted({case.scanner for case in cases})
    if len(scanners) < 2:
        raise OptionError(f"a scanner can only be left out where there are two, but all images are of {scanners[0]!r}")
    return np.array([scanners.index(case.scanner) for case in cases])


def split(cases: Sequence[Entry], folds: np.ndarray, fold: int, seed: int = 0) -> Split:
    """The cases to test on in ``fold``; the rest, without the persons among them, for training and validation.

    Raises
    ------
    OptionError
        Nobody is left to train on.
    """
    persons = np.array([case.person for case in cases])
    test = folds == fold
    others = np.flatnonzero(~np.isin(persons, persons[test]))
    order = np.unique(persons[others])
    if len(order) < 2:
        raise OptionError(f"fold {fold} leaves fewer than two persons to train on")
    np.random.default_rng([seed, fold]).shuffle(order)
    wanted = max(1, min(GREATEST_VALIDATION, round(VALIDATION_SHARE * len(others))))
    counts = np.array([(persons[others] == person).sum() for person in order])
    # At least one person watches and one trains.
    watching = min(int(np.searchsorted(np.cumsum(counts), wanted)) + 1, len(order) - 1)
    watches = np.isin(persons[others], order[:watching])
    return Split(np.flatnonzero(test), others[~watches], others[watches])
