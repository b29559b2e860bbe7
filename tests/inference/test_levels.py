"""Naming of levels on candidates whose truth is known."""

import numpy as np
import pytest

from vertenet.inference.decode import Candidate
from vertenet.inference.levels import LADDER, name_levels
from vertenet.spine import STANDARD_LEVELS, Level

PITCH, DEPTH, TOP = 100.0, 103.0, 300.0
ROWS = 1100


def candidate(level, *, score=0.9, named=None, sure=0.8, centre=None):
    """A candidate at the place of ``level``; its level evidence says ``named`` (default: the truth)."""
    y = TOP + PITCH * LADDER.index(level)
    centre = np.array([200.0, y]) if centre is None else np.asarray(centre, float)
    half = np.array([[DEPTH / 2, -40], [-DEPTH / 2, -40], [DEPTH / 2, 40], [-DEPTH / 2, 40]])
    scores = dict.fromkeys(LADDER, 0.02)
    scores[named or level] = sure
    return Candidate(score, centre, centre + half, scores)


def without_levels(candidate):
    return Candidate(candidate.score, candidate.centre, candidate.corners, None)


def names(decision):
    return [level for _, level in decision.best.levels]


def test_a_plain_spine_is_named_from_head_to_foot_with_certainty():
    decision = name_levels([candidate(level) for level in STANDARD_LEVELS], ROWS)
    assert names(decision) == list(STANDARD_LEVELS)
    assert decision.certain


@pytest.mark.parametrize("gone", [Level.L1, Level.L2, Level.L3, Level.L4])
@pytest.mark.parametrize("level_head", [True, False])
def test_a_missed_vertebra_stays_missing_and_renames_no_neighbour(gone, level_head):
    found = [candidate(level) for level in STANDARD_LEVELS if level is not gone]
    if not level_head:
        found = [without_levels(c) for c in found]
    decision = name_levels(found, ROWS)
    assert names(decision) == [level for level in STANDARD_LEVELS if level is not gone]


def test_a_weak_extra_peak_between_two_vertebrae_is_left_unnamed():
    found = [candidate(level) for level in STANDARD_LEVELS]
    stray = candidate(Level.L2, score=0.25, centre=[230, TOP + PITCH * 3.5])
    found = sorted([*found, stray], key=lambda c: c.centre[1])
    decision = name_levels(found, ROWS)
    assert names(decision) == list(STANDARD_LEVELS)
    assert found.index(stray) not in dict(decision.best.levels)


def test_one_vertebra_that_looks_like_its_neighbour_is_corrected_by_the_others():
    found = [candidate(level, named=Level.L3 if level is Level.L2 else None) for level in STANDARD_LEVELS]
    assert names(name_levels(found, ROWS)) == list(STANDARD_LEVELS)


def test_neighbours_above_and_below_the_six_are_named_and_do_not_shift_them():
    levels = [Level.T11, *STANDARD_LEVELS, Level.S1]
    assert names(name_levels([candidate(level) for level in levels], ROWS)) == levels


def test_evidence_that_points_to_two_namings_is_uncertain_and_offers_the_other():
    found = []
    for level in (Level.L1, Level.L2, Level.L3, Level.L4):
        below = LADDER[LADDER.index(level) + 1]
        c = candidate(level, sure=0.5)
        found.append(Candidate(c.score, c.centre, c.corners, {**c.level_scores, below: 0.5}))
    decision = name_levels(found, ROWS)
    assert not decision.certain
    shifted = [level for _, level in decision.alternative.levels]
    assert shifted != names(decision)
    ranks = [LADDER.index(level) for level in names(decision)]
    assert {abs(LADDER.index(level) - rank) for level, rank in zip(shifted, ranks)} == {1}


def test_six_evenly_spaced_peaks_of_a_network_without_level_head_are_the_six_levels():
    found = [without_levels(candidate(level)) for level in STANDARD_LEVELS]
    assert names(name_levels(found, ROWS)) == list(STANDARD_LEVELS)


def test_a_single_candidate_is_named_but_never_certain_without_level_evidence():
    decision = name_levels([without_levels(candidate(Level.L3))], ROWS)
    assert len(decision.best.levels) == 1
    assert not decision.certain
    assert not decision.is_spine


def test_faint_candidates_are_no_spine_and_moderate_ones_not_certain():
    faint = name_levels([candidate(level, score=0.3) for level in STANDARD_LEVELS], ROWS)
    assert not faint.is_spine
    moderate = name_levels([candidate(level, score=0.45) for level in STANDARD_LEVELS], ROWS)
    assert moderate.is_spine
    assert not moderate.certain
