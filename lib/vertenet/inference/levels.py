"""From candidates to named vertebrae: the best path over ordered, contiguous levels.

A path gives some candidates a level, from the head down, each level once. Its log-probability has three parts:

* unary: the network's evidence that a vertebra is there, and (with a level head) which one it is;
* pairwise: neighbouring levels lie about 0.97 vertebral depths apart (1,755 radiographs: centroid spacing .93 to .985,
  SD .08 to .11); a level left out between two others must leave a gap of its size;
* a price for every candidate left unnamed, and for every level of T12 to L5 that is not found although its place lies
  inside the image.

So a missed vertebra stays missing and does not rename its neighbours. The distance to the best path that names any
vertebra differently is the confidence in the naming; after VERIDAH (2026) and Bromiley's shape graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..spine import LADDER, STANDARD_LEVELS, Level
from .decode import Candidate

PITCH = 0.97  # centre to centre, in median vertebral depths
PITCH_SD = 0.16  # wider than the anatomical .11: predicted centres and fractured bodies vary more
LOG_MISSING = np.log(0.03)  # a level inside the image that was not found
LOG_OUTSIDE = np.log(0.15)  # a level whose place lies beyond the image
LOG_ABSENT = np.log(0.01)  # anatomy lacks a level (four lumbar vertebrae): neighbours without a gap
#: The score at which a candidate is taken to be as likely a vertebra as not. Focal losses push scores down: on films,
#: vertebrae that are plainly there score 0.2 to 0.7.
EVEN_SCORE = 0.15
EPS = 1e-3
#: Below this margin (nats) the naming is called uncertain and both readings are offered. Chosen on phantoms of the
#: validation seeds; on 200 hard ones of the test seeds 12 % are then uncertain, both shifted ones among them.
CERTAIN_MARGIN = 3.0
#: Fewer named vertebrae than this are no spine.
MIN_NAMED = 3
#: Mean score of the named vertebrae below which they are no spine, and below which their naming is not certain. With
#: the starter weights noise and smooth texture reach 0.16 to 0.42, phantoms 0.53 and more (hard ones from 0.32).
SPINE_SCORE, CERTAIN_SCORE = 0.38, 0.5


@dataclass(frozen=True)
class LevelPath:
    """A naming of candidates.

    Attributes
    ----------
    levels : tuple of (index of candidate, Level), from the head down
    log_probability : float
        Up to a constant of the image.
    """

    levels: tuple[tuple[int, Level], ...]
    log_probability: float

    def index_of(self, level: Level) -> int | None:
        return next((i for i, named in self.levels if named is level), None)


@dataclass(frozen=True)
class LevelDecision:
    """The best naming, the best one that disagrees with it, and the distance between them in nats.

    ``is_spine`` is False where so few or so faint candidates were named that texture alone explains them. ``supported``
    says that something other than the prices of missing levels speaks for the naming: level evidence or, for a network
    without it, all six found; and a mean score that texture does not reach. Without that no margin makes it certain.
    """

    best: LevelPath
    alternative: LevelPath | None
    margin: float
    is_spine: bool
    supported: bool

    @property
    def certain(self) -> bool:
        return self.supported and self.margin >= CERTAIN_MARGIN


def name_levels(candidates: Sequence[Candidate], rows: int) -> LevelDecision:
    """Name candidates with the best path over `LADDER`; an L6 shows as a double gap before S1.

    Parameters
    ----------
    candidates : sequence of Candidate
        Sorted from the head down, source pixels, at least one.
    rows : int
        Height of the image, to tell levels that were missed from levels beyond the field.
    """
    problem = _Problem(candidates, rows)
    best = problem.solve()
    rivals = []
    for index, level in best.levels:
        rival = problem.solve(barred=(index, level))
        if rival is not None and _disagree(best, rival):
            rivals.append(rival)
    alternative = max(rivals, key=lambda path: path.log_probability, default=None)
    margin = float("inf") if alternative is None else best.log_probability - alternative.log_probability
    named = {level for _, level in best.levels}
    has_evidence = all(candidate.level_scores is not None for candidate in candidates)
    score = float(np.mean([candidates[index].score for index, _ in best.levels]))
    is_spine = len(named) >= MIN_NAMED and score >= SPINE_SCORE
    supported = is_spine and score >= CERTAIN_SCORE and (has_evidence or named.issuperset(STANDARD_LEVELS))
    return LevelDecision(best, alternative, margin, is_spine, supported)


def _disagree(a: LevelPath, b: LevelPath) -> bool:
    named = dict(b.levels)
    return any(index in named and named[index] is not level for index, level in a.levels)


class _Problem:
    """The dynamic programme of one image: states are (candidate, level)."""

    def __init__(self, candidates: Sequence[Candidate], rows: int) -> None:
        self.candidates = candidates
        self.rows = rows
        scores = _calibrated(np.clip([c.score for c in candidates], EPS, 1 - EPS))
        self.centres = np.array([c.centre for c in candidates])
        depths = [np.linalg.norm((c.corners[0] + c.corners[2] - c.corners[1] - c.corners[3]) / 2) for c in candidates]
        # The strongest half sets the scale: a stray peak's corners mean nothing.
        strong = np.argsort(-scores)[: max(1, (len(scores) + 1) // 2)]
        self.pitch = PITCH * max(float(np.median(np.array(depths)[strong])), 1.0)
        self.unary = np.log(scores)[:, None] + self._level_log_probability()
        skipped = np.log(1 - scores)
        self.skipped_before = np.concatenate([[0.0], np.cumsum(skipped)])
        self.transition = self._transitions()
        self.start = np.array([[self._ends(i, m, up=True) for m in range(len(LADDER))] for i in range(len(scores))])
        self.finish = np.array([[self._ends(i, m, up=False) for m in range(len(LADDER))] for i in range(len(scores))])

    def _level_log_probability(self) -> np.ndarray:
        table = np.zeros((len(self.candidates), len(LADDER)))
        for i, candidate in enumerate(self.candidates):
            if candidate.level_scores is None:
                # Such a network looks for T12 to L5 only; the rest is possible, not expected.
                table[i] = [np.log(1 / 6) if level in STANDARD_LEVELS else np.log(EPS) for level in LADDER]
                continue
            scores = np.array([candidate.level_scores.get(level, 0.0) for level in LADDER]) + 0.01
            table[i] = np.log(scores / scores.sum())
        return table

    def _transitions(self) -> np.ndarray:
        """(n, n, steps): log-probability that candidate j lies ``steps`` levels below candidate i."""
        n, k = len(self.candidates), len(LADDER)
        distance = np.linalg.norm(self.centres[None] - self.centres[:, None], axis=-1) / self.pitch
        table = np.full((n, n, k), -np.inf)
        for steps in range(1, k):
            fit = _log_normal(distance, steps) + (steps - 1) * LOG_MISSING
            if steps == 2:
                fit = np.maximum(fit, _log_normal(distance, 1) + LOG_ABSENT)
            table[:, :, steps] = fit
        return table

    def _ends(self, i: int, m: int, up: bool) -> float:
        """Price of the standard levels above (``up``) or below candidate ``i`` named LADDER[m] that no one takes."""
        beyond = LADDER[:m] if up else LADDER[m + 1 :]
        total = 0.0
        for level in beyond:
            if level not in STANDARD_LEVELS:
                continue
            steps = abs(LADDER.index(level) - m)
            y = self.centres[i, 1] + (-steps if up else steps) * self.pitch
            total += LOG_MISSING if 0 <= y < self.rows else LOG_OUTSIDE
        return total

    def solve(self, barred: tuple[int, Level] | None = None) -> LevelPath | None:
        """The best path; with ``barred`` the best in which that candidate is named, but not so."""
        n, k = len(self.candidates), len(LADDER)
        unary = self.unary.copy()
        must = None
        if barred is not None:
            must = barred[0]
            unary[must, LADDER.index(barred[1])] = -np.inf
        best = np.full((n, k), -np.inf)
        back: dict[tuple[int, int], tuple[int, int] | None] = {}
        for j in range(n):
            for m in range(k):
                may_start = must is None or j <= must
                options = [(self.skipped_before[j] + self.start[j, m], None)] if may_start else []
                for i in range(j):
                    if must is not None and i < must < j:
                        continue  # would skip the candidate that must be named
                    skipped = self.skipped_before[j] - self.skipped_before[i + 1]
                    values = best[i, :m] + self.transition[i, j, m - np.arange(m)] + skipped
                    if m:
                        previous = int(np.argmax(values))
                        options.append((float(values[previous]), (i, previous)))
                value, origin = max(options, key=lambda o: o[0], default=(-np.inf, None))
                best[j, m] = value + unary[j, m]
                back[j, m] = origin
        after = self.skipped_before[-1] - self.skipped_before[1:]
        total = best + self.finish + after[:, None]
        if must is not None:
            total[:must] = -np.inf
        j, m = np.unravel_index(int(np.argmax(total)), total.shape)
        if not np.isfinite(total[j, m]):
            return None
        value, state, path = float(total[j, m]), (int(j), int(m)), []
        while state is not None:
            path.append((state[0], LADDER[state[1]]))
            state = back[state]
        return LevelPath(tuple(reversed(path)), value)


def _calibrated(scores: np.ndarray) -> np.ndarray:
    """Scores with their odds divided by those of `EVEN_SCORE`."""
    odds = scores / (1 - scores) * (1 - EVEN_SCORE) / EVEN_SCORE
    return odds / (1 + odds)


def _log_normal(distance: np.ndarray, steps: int) -> np.ndarray:
    """Log-density, relative to its peak, of a distance of ``steps`` pitches."""
    sd = PITCH_SD * np.sqrt(steps)
    # Heavy tails: a wrong scale or a crushed body must cost, not forbid.
    return np.logaddexp(-0.5 * ((distance - steps) / sd) ** 2, np.log(1e-4))
