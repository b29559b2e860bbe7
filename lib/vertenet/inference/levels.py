"""From candidates to named vertebrae: the best path over ordered, contiguous levels.

A path belongs to an anatomy (five lumbar vertebrae, four, or six) and gives some candidates a level of it, from the
head down, each level once. Its log-probability, up to a constant of the image, is the sum of

* the prior of the anatomy;
* unary: the network's evidence that a vertebra is there, and (with a level head) which one it is;
* pairwise: how well spacing, change of tilt and ratio of size fit two levels, see `level_statistics`;
* a price for every candidate left unnamed, and for every level that is not found.

So a missed vertebra stays missing and does not rename its neighbours. The distance to the best path that reads T12 to
L5 otherwise is the confidence in the naming; after VERIDAH (2026) and Bromiley's shape graphs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..spine import STANDARD_LEVELS, Level, Transition
from .decode import Candidate
from .level_graph import LevelGraph
from .level_statistics import ANATOMIES, LevelStatistics, superior_lengths
from .level_tables import LEVELS, PLACE

#: Fewer named vertebrae than this are no spine.
MIN_NAMED = 3
#: Whether there is a spine at all is judged by so many of its clearest vertebrae.
CLEAREST = 5
#: Two candidates nearer to each other than this share of their size are one vertebra seen twice.
SAME_PLACE = 0.4
_ANATOMIES = tuple(ANATOMIES)
_IS_STANDARD = np.array([level in STANDARD_LEVELS for level in LEVELS])


@dataclass(frozen=True)
class LevelPath:
    """A naming of candidates.

    Attributes
    ----------
    levels : tuple of (index of candidate, Level), from the head down
    log_probability : float
        Up to a constant of the image.
    anatomy : Transition
        The anatomy that the path assumes.
    transition : Transition
        The same where the image tells: T12 and S1 are named, and no other anatomy is nearly as likely; else unknown.
    """

    levels: tuple[tuple[int, Level], ...]
    log_probability: float
    anatomy: Transition = Transition.NONE
    transition: Transition = Transition.UNKNOWN

    def index_of(self, level: Level) -> int | None:
        return next((i for i, named in self.levels if named is level), None)


@dataclass(frozen=True)
class LevelDecision:
    """The best naming, the best one that disagrees with it, and the distance between them.

    ``margin`` is the difference of their log-probabilities over the statistics' temperature, infinite where nothing
    disagrees. ``is_spine`` is False where so few candidates were named, or the clearest of them are so faint, that
    texture alone explains them. ``supported`` says that something other than the prices of missing levels speaks for
    the naming: level evidence or, for a network without it, all six found; a mean score that texture does not reach;
    and agreement of the looks at the image. ``certain`` is ``supported`` with a margin that reaches the statistics'
    ``certain_margin``.
    """

    best: LevelPath
    alternative: LevelPath | None
    margin: float
    is_spine: bool
    supported: bool
    certain: bool


def name_levels(
    candidates: Sequence[Candidate],
    rows: int,
    statistics: LevelStatistics | None = None,
    agreement: float = 1.0,
) -> LevelDecision:
    """Name candidates with the best path over every anatomy.

    Parameters
    ----------
    candidates : sequence of Candidate
        Sorted from the head down, source pixels, at least one; anterior on the right.
    rows : int
        Height of the image, to tell levels that were missed from levels beyond the field.
    statistics : LevelStatistics, optional
        The default ones when not given.
    agreement : float
        Share of several looks at the image that name alike, see `vertenet.inference.views`.
    """
    statistics = LevelStatistics.default() if statistics is None else statistics
    graph = LevelGraph(candidates, rows, statistics)
    least = statistics.certain_margin * statistics.temperature
    best = _path(graph, np.True_, least)
    alternative = _path(graph, disagreeing(best, candidates), least)
    margin = math.inf
    if alternative is not None:
        margin = (best.log_probability - alternative.log_probability) / statistics.temperature
    named = {level for _, level in best.levels}
    scores = np.sort([candidates[index].score for index, _ in best.levels])
    score = float(np.mean(scores))
    # A radiograph's upper bodies, or those in the pelvis, may hardly show, and still the others are those of a spine.
    is_spine = len(named) >= MIN_NAMED and float(np.mean(scores[-CLEAREST:])) >= statistics.spine_score
    has_evidence = all(candidate.level_scores is not None for candidate in candidates)
    agreed = agreement >= statistics.least_agreement
    supported = (
        is_spine
        and agreed
        and score >= statistics.certain_score
        and (has_evidence or named.issuperset(STANDARD_LEVELS))
    )
    return LevelDecision(
        best, alternative, margin, is_spine, supported, supported and margin >= statistics.certain_margin
    )


def disagreeing(path: LevelPath, candidates: Sequence[Candidate]) -> np.ndarray:
    """(3, n, 9) bool: the states such that a path reads T12 to L5 otherwise just when it passes one of them.

    It does when it names a candidate otherwise and either name is one of T12 to L5; when it finds one of them at
    another place; and when one of the two paths names an L5 that the anatomy of the other lacks. Leaving a vertebra
    unnamed that may as well be there is no disagreement.
    """
    sizes = superior_lengths(np.array([candidate.corners for candidate in candidates]))
    centres = np.array([candidate.centre for candidate in candidates])
    distance = np.linalg.norm(centres[None] - centres[:, None], axis=-1)
    elsewhere = distance > SAME_PLACE * np.sqrt(sizes[:, None] * sizes[None])
    apart = np.zeros((len(candidates), len(LEVELS)), dtype=bool)
    for index, level in path.levels:
        if level in STANDARD_LEVELS:
            apart[index] = True
            apart[:, PLACE[level]] |= elsewhere[index]
        else:
            apart[index] |= _IS_STANDARD
    for index, level in path.levels:
        apart[index, PLACE[level]] = False
    states = np.tile(apart, (len(_ANATOMIES), 1, 1))
    four = _ANATOMIES.index(Transition.SACRALISED_L5)
    if path.anatomy is Transition.SACRALISED_L5:
        states[:, :, PLACE[Level.L5]] = True
    elif path.index_of(Level.L5) is not None:
        states[four] = True
    return states


def _path(graph: LevelGraph, allowed: np.ndarray, least: float) -> LevelPath | None:
    """The best path through ``allowed`` states; its transition needs ``least`` nats over the other anatomies."""
    found = graph.best_through(allowed)
    if found is None:
        return None
    value, anatomy, levels = found
    others = np.delete(graph.through.max(axis=(1, 2)), anatomy)
    shows_both_ends = {Level.T12, Level.S1} <= {level for _, level in levels}
    known = shows_both_ends and value - others.max() >= least
    return LevelPath(levels, value, _ANATOMIES[anatomy], _ANATOMIES[anatomy] if known else Transition.UNKNOWN)
