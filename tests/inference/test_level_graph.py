"""The best and the second-best path against every path there is, on problems small enough to list them."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertenet.inference.decode import Candidate
from vertenet.inference.level_graph import LevelGraph
from vertenet.inference.level_statistics import ANATOMIES, LevelStatistics, superior_lengths
from vertenet.inference.level_tables import PLACE
from vertenet.inference.levels import SAME_PLACE, name_levels
from vertenet.spine import LADDER, STANDARD_LEVELS, Level, Transition

ROWS = 500


@st.composite
def problems(draw):
    """One to four candidates anywhere, of any shape, with any evidence or none."""
    number = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    heights = np.sort(rng.uniform(0, ROWS, number))
    level_head = draw(st.booleans())
    known = (Level.T10, *LADDER) if draw(st.booleans()) else LADDER
    found = []
    for y in heights:
        centre = np.array([rng.uniform(80, 120), y])
        corners = centre + np.array([[50, -35], [-50, -35], [50, 35], [-50, 35]]) * rng.uniform(0.6, 1.4, (4, 2))
        scores = dict(zip(known, rng.dirichlet(np.full(len(known), 0.4)))) if level_head else None
        found.append(Candidate(float(rng.uniform(0.05, 0.95)), centre, corners, scores))
    return found


def every_path(candidates, statistics):
    """(log-probability, anatomy, names) of all paths, from the graph's prices."""
    graph = LevelGraph(candidates, ROWS, statistics)
    for a, (anatomy, ladder) in enumerate(ANATOMIES.items()):
        for size in range(1, len(candidates) + 1):
            for chosen in combinations(range(len(candidates)), size):
                for levels in combinations(ladder, size):
                    states = [(i, PLACE[level]) for i, level in zip(chosen, levels)]
                    value = graph.opening[(a, *states[0])] + graph.closing[(a, *states[-1])]
                    value += sum(graph.unary[state] for state in states)
                    for (i, upper), (j, lower) in zip(states, states[1:]):
                        value += graph.step[a, i, j, upper, lower]
                    yield float(value), anatomy, tuple(zip(chosen, levels))


def reads_otherwise(ours, our_anatomy, theirs, their_anatomy, candidates):
    """Do two paths disagree about T12 to L5? Said of paths, not of states."""
    a, b = dict(ours), dict(theirs)
    for index in a.keys() & b.keys():
        if a[index] is not b[index] and {a[index], b[index]} & set(STANDARD_LEVELS):
            return True
    sizes = superior_lengths(np.array([candidate.corners for candidate in candidates]))
    where_a, where_b = ({level: index for index, level in path} for path in (ours, theirs))
    for level in set(STANDARD_LEVELS) & where_a.keys() & where_b.keys():
        i, j = where_a[level], where_b[level]
        apart = np.linalg.norm(candidates[i].centre - candidates[j].centre)
        if apart > SAME_PLACE * np.sqrt(sizes[i] * sizes[j]):
            return True
    four = Transition.SACRALISED_L5
    return (Level.L5 in where_a and their_anatomy is four) or (Level.L5 in where_b and our_anatomy is four)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_the_best_path_and_the_best_that_disagrees_are_exact(candidates):
    statistics = LevelStatistics.default()
    decision = name_levels(candidates, ROWS, statistics)
    paths = list(every_path(candidates, statistics))
    best = max(paths, key=lambda path: path[0])
    assert decision.best.log_probability == pytest.approx(best[0])
    ours = (decision.best.log_probability, decision.best.anatomy, decision.best.levels)
    assert any(path[1:] == ours[1:] and path[0] == pytest.approx(ours[0]) for path in paths)

    rivals = [p for p in paths if reads_otherwise(ours[2], ours[1], p[2], p[1], candidates)]
    if not rivals:
        assert decision.alternative is None
        return
    assert decision.alternative.log_probability == pytest.approx(max(value for value, *_ in rivals))
    other = decision.alternative
    assert reads_otherwise(ours[2], ours[1], other.levels, other.anatomy, candidates)
    assert decision.margin == pytest.approx(ours[0] - other.log_probability)


@settings(max_examples=30, deadline=None)
@given(problems(), st.floats(0.2, 5), st.floats(-300, 300))
def test_neither_zoom_nor_shift_along_the_image_renames_a_vertebra(candidates, zoom, shift):
    moved = [candidate.mapped(lambda p: p * zoom + [shift, 0]) for candidate in candidates]
    ours, theirs = name_levels(candidates, ROWS), name_levels(moved, ROWS * zoom)
    assert theirs.best.log_probability == pytest.approx(ours.best.log_probability)
    assert theirs.margin == pytest.approx(ours.margin)
