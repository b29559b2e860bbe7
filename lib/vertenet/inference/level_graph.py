"""All namings of one image as paths through a graph, and the best path through every one of its states.

A state is (anatomy, candidate, level). One pass from the head and one from the feet give, for every state, the best
path that goes through it (max-marginals); so the best path of any family that is a union of states is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..spine import STANDARD_LEVELS, Level
from .decode import Candidate
from .level_statistics import ANATOMIES, LevelStatistics, pair_features, superior_lengths
from .level_tables import LEVELS, PLACE, LevelTables, level_tables

EPS = 1e-3
_A, _K = len(ANATOMIES), len(LEVELS)

#: (index of candidate, level)
Named = tuple[int, Level]


class LevelGraph:
    """The graph of ``n`` candidates, sorted from the head down.

    Attributes
    ----------
    opening, closing : (3, n, 9) float64
        Price of starting, and of ending, a path in a state: candidates left unnamed, levels that nobody takes, and the
        anatomy's prior (in ``opening``).
    unary : (n, 9) float64
        The network's evidence.
    step : (3, n, n, 9, 9) float64
        Price of going from candidate i as level m to candidate j as level m', with whatever is left out between.
    through : (3, n, 9) float64
        Log-probability, up to a constant, of the best path through each state; minus infinity where there is none.
    """

    def __init__(self, candidates: Sequence[Candidate], rows: int, statistics: LevelStatistics) -> None:
        tables = level_tables(statistics)
        corners = np.array([candidate.corners for candidate in candidates])
        y = np.array([candidate.centre[1] for candidate in candidates])
        scores = np.clip([candidate.score for candidate in candidates], EPS, 1 - EPS)
        odds = scores / (1 - scores) * (1 - statistics.even_score) / statistics.even_score
        # The strongest half sets the scale: a stray peak's corners mean nothing.
        strong = np.argsort(-scores)[: (len(scores) + 1) // 2]
        scale = float(np.median(superior_lengths(corners)[strong]))

        unnamed = np.concatenate([[0.0], np.cumsum(-np.log1p(odds))])
        # Nothing of the column lies below the sacrum; above T11 it goes on, and whoever sees that names it.
        below = statistics.beneath * (unnamed[-1] - unnamed[1:])[:, None]
        table = _level_evidence(candidates, statistics)
        above = np.tile(unnamed[:-1, None], _K)
        if table.thoracic is None:
            above[:, PLACE[Level.T11]] *= statistics.beyond
        else:
            as_thoracic = -np.log1p(1 / odds) + statistics.level_weight * table.thoracic
            above[:] = np.concatenate([[0.0], np.cumsum(np.maximum(-np.log1p(odds), as_thoracic))])[:-1, None]
        untaken_above, untaken_below = _untaken(y, rows, scale, tables)
        self.opening = tables.prior[:, None, None] + above + untaken_above
        self.closing = below + untaken_below
        self.unary = -np.log1p(1 / odds)[:, None] + statistics.level_weight * table.named
        between = unnamed[None, :-1] - unnamed[1:, None]  # (n, n): candidates after i and before j
        self.step = _pairwise(corners, statistics, tables) + between[:, :, None, None]
        self._before = np.full((_A, len(y), _K), -1)
        self._after = np.full((_A, len(y), _K), -1)
        self.through = self._from_head(tables.exists) + self._from_feet()

    def _from_head(self, exists: np.ndarray) -> np.ndarray:
        """(3, n, 9): the best way to arrive in each state, the state's own evidence included."""
        unary = np.where(exists[:, None], self.unary, -np.inf)
        best = self.opening.copy()
        for j in range(best.shape[1]):
            if j:
                ways = (best[:, :j, :, None] + self.step[:, :j, j]).reshape(_A, j * _K, _K)
                _improve(best[:, j], self._before[:, j], ways, 1, 0)
            best[:, j] += unary[:, j]
        return best

    def _from_feet(self) -> np.ndarray:
        """(3, n, 9): the best way to go on from each state, without its own evidence."""
        best = self.closing.copy()
        n = best.shape[1]
        for i in reversed(range(n - 1)):
            later = (best + self.unary)[:, i + 1 :]
            ways = np.moveaxis(self.step[:, i, i + 1 :] + later[:, :, None], 2, 1).reshape(_A, _K, -1)
            _improve(best[:, i], self._after[:, i], ways, 2, (i + 1) * _K)
        return best

    def best_through(self, allowed: np.ndarray) -> tuple[float, int, tuple[Named, ...]] | None:
        """Log-probability, index of the anatomy, and names of the best path through any ``allowed`` state.

        ``allowed`` broadcasts to (3, n, 9) bool; None where no path passes.
        """
        values = np.where(allowed, self.through, -np.inf)
        a, j, m = (int(index) for index in np.unravel_index(values.argmax(), values.shape))
        if not np.isfinite(values[a, j, m]):
            return None
        path = [(j, LEVELS[m])]
        for links, place in ((self._before, 0), (self._after, None)):
            state = links[a, j, m]
            while state >= 0:
                candidate, level = divmod(int(state), _K)
                path.insert(len(path) if place is None else place, (candidate, LEVELS[level]))
                state = links[a, candidate, level]
        return float(values[a, j, m]), a, tuple(path)


def _improve(best: np.ndarray, links: np.ndarray, ways: np.ndarray, axis: int, offset: int) -> None:
    """Take the best of ``ways`` along ``axis`` wherever it beats ``best``, and remember which it was."""
    choice = ways.argmax(axis=axis)
    value = np.take_along_axis(ways, np.expand_dims(choice, axis), axis=axis).squeeze(axis)
    better = value > best
    links[better] = choice[better] + offset
    best[better] = value[better]


def _pairwise(corners: np.ndarray, s: LevelStatistics, tables: LevelTables) -> np.ndarray:
    """(3, n, n, 9, 9): log-likelihood ratio of j being level m' and i level m, against a pair with a stray in it."""
    difference = pair_features(corners)[:, :, None] - tables.means
    standard = (tables.whitening @ difference[..., None])[..., 0]
    log_density = tables.log_peak - 0.5 * (standard**2).sum(axis=-1)
    # Heavy tails: a mixture with pairs that may look like anything.
    ratio = np.logaddexp(np.log1p(-s.outliers) - np.log(s.reference) + log_density, np.log(s.outliers))
    values = s.pair_weight * ratio + tables.price
    impossible = np.full((*values.shape[:2], 1), -np.inf)  # where ``tables.pair`` is -1, the last
    return np.moveaxis(np.concatenate([values, impossible], axis=-1)[:, :, tables.pair], 2, 0)


def _untaken(y: np.ndarray, rows: int, scale: float, tables: LevelTables) -> tuple[np.ndarray, np.ndarray]:
    """Two (3, n, 9): price of the levels above, and below, the first and the last named one."""
    reach, height = tables.reach[:, None] * scale, y[:, None, None]
    above = np.where(height - reach >= 0, tables.absent, tables.outside)
    below = np.where(height + reach < rows, tables.absent, tables.outside)
    is_below = tables.pair[:, None] >= 0
    is_above = np.swapaxes(is_below, -1, -2)
    return (above * is_above).sum(axis=-1), (below * is_below).sum(axis=-1)


class _Evidence(NamedTuple):
    """Log-probabilities of levels: ``named`` (n, 9), and ``thoracic`` (n,) of a body above T11, None where the network
    was not taught such bodies."""

    named: np.ndarray
    thoracic: np.ndarray | None


def _level_evidence(candidates: Sequence[Candidate], s: LevelStatistics) -> _Evidence:
    table = np.empty((len(candidates), _K))
    thoracic = np.full(len(candidates), np.nan)
    for i, candidate in enumerate(candidates):
        if candidate.level_scores is None:
            # Such a network looks for T12 to L5 only; the rest is possible, not expected.
            table[i] = [np.log(1 / 6) if level in STANDARD_LEVELS else np.log(EPS) for level in LEVELS]
            continue
        scores = {level: candidate.level_scores.get(level, 0.0) + s.level_floor for level in LEVELS}
        above = candidate.level_scores.get(Level.T10, None)
        # No network was taught an L6: it looks like its neighbours.
        scores[Level.L6] = (scores[Level.L5] + scores[Level.S1]) / 2
        total = sum(scores.values()) - scores[Level.L6]
        if above is not None:
            total += above + s.level_floor
            thoracic[i] = np.log((above + s.level_floor) / total)
        table[i] = [np.log(scores[level] / total) for level in LEVELS]
    return _Evidence(table, thoracic if np.isfinite(thoracic).all() else None)
