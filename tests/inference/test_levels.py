"""Naming of levels on candidates whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from vertenet.inference.decode import Candidate
from vertenet.inference.level_statistics import LevelStatistics
from vertenet.inference.level_tables import LEVELS
from vertenet.inference.levels import name_levels
from vertenet.spine import LADDER, STANDARD_LEVELS, Level, Transition

PITCH, DEPTH, TOP = 100.0, 103.0, 300.0
ROWS = 1100
#: Usual tilt of each level, degrees, anterior end up.
TILT = dict(zip(LEVELS, (12, 12, 12, 11, 6, -2, -13, -20, -31)))
FOUR = tuple(level for level in LADDER if level is not Level.L5)


def candidate(level, *, score=0.9, named=None, sure=0.8, centre=None, place=None, tilt=None):
    """A candidate at the ``place`` of ``level`` in the column; its evidence says ``named`` (default: the truth)."""
    y = TOP + PITCH * (LADDER.index(level) if place is None else place)
    centre = np.array([200.0, y]) if centre is None else np.asarray(centre, float)
    turn = -np.radians(TILT[level] if tilt is None else tilt)
    half = np.array([[DEPTH / 2, -40], [-DEPTH / 2, -40], [DEPTH / 2, 40], [-DEPTH / 2, 40]])
    half = half @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
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


def column(anatomy, **special):
    """Candidates of an anatomy from T11 down, each one place below the last; ``special`` by name of the level."""
    return [candidate(level, place=i, **special.get(level.value, {})) for i, level in enumerate(anatomy)]


def doubtful(found, index, levels):
    """``found`` with equal evidence for each of ``levels`` at ``index``."""
    scores = {**dict.fromkeys(LADDER, 0.02), **dict.fromkeys(levels, 0.4)}
    found[index] = replace(found[index], level_scores=scores)
    return found


def test_the_sacrum_below_a_fourth_lumbar_vertebra_is_not_called_l5():
    found = doubtful(column(FOUR, S1={"tilt": -38}), 6, (Level.L5, Level.S1))
    decision = name_levels(found, ROWS)
    assert names(decision) == list(FOUR)
    assert decision.best.anatomy is Transition.SACRALISED_L5


def test_the_same_evidence_on_a_block_that_lies_like_l5_is_called_l5():
    found = doubtful(column(FOUR, S1={"tilt": TILT[Level.L5]}), 6, (Level.L5, Level.S1))
    decision = name_levels(found, ROWS)
    assert names(decision)[-1] is Level.L5
    assert decision.best.anatomy is Transition.NONE


def test_whether_the_lowest_block_is_l5_or_sacrum_is_a_question_of_levels():
    found = doubtful(column(FOUR, S1={"tilt": -26}), 6, (Level.L5, Level.S1))
    decision = name_levels(found, ROWS)
    assert not decision.certain
    lowest = {decision.best.levels[-1], decision.alternative.levels[-1]}
    assert lowest == {(6, Level.L5), (6, Level.S1)}


def test_a_sixth_lumbar_vertebra_is_named_and_renames_none_above_it():
    found = column(LEVELS, L6={"named": Level.L5})
    decision = name_levels(found, ROWS + 200)
    assert names(decision) == list(LEVELS)
    assert decision.best.transition is Transition.LUMBARISED_S1


@pytest.mark.parametrize(
    ("anatomy", "transition"), [(LADDER, Transition.NONE), (FOUR, Transition.SACRALISED_L5)], ids=["five", "four"]
)
def test_the_transition_is_told_only_where_both_ends_are_seen(anatomy, transition):
    found = column(anatomy)
    assert name_levels(found, ROWS).best.transition is transition
    assert name_levels(found[:-1], ROWS).best.transition is Transition.UNKNOWN
    assert name_levels(found[2:], ROWS).best.transition is Transition.UNKNOWN


def test_a_crushed_body_keeps_its_name_and_its_neighbours_theirs():
    found = column(LADDER)
    crushed = found[3]
    corners = crushed.centre + (crushed.corners - crushed.centre) * [1.0, 0.35] + [[0, 18], [0, 0], [0, 0], [0, 0]]
    found[3] = replace(crushed, corners=corners)
    # What is above sinks by half of what the body lost.
    above = [c.mapped(lambda p: p + np.array([0, 30])) for c in found[:3]]
    decision = name_levels([*above, *found[3:]], ROWS)
    assert names(decision) == list(LADDER)
    assert decision.certain


def test_a_body_whose_corners_are_nonsense_costs_but_forbids_nothing():
    found = column(LADDER)
    away = found[4].corners - found[4].centre
    found[4] = replace(found[4], corners=found[4].centre + away @ [[0, 1.0], [-1.0, 0]])
    assert names(name_levels(found, ROWS)) == list(LADDER)


def test_a_vertebra_seen_twice_makes_no_doubt_of_levels():
    found = column(LADDER)
    twin = replace(found[3], score=0.85).mapped(lambda p: p + np.array([6, 5]))
    decision = name_levels([*found[:4], twin, *found[4:]], ROWS)
    assert [level for _, level in decision.best.levels] == list(LADDER)
    assert decision.certain


def test_temperature_scales_the_margin_and_changes_no_name():
    found = column(LADDER)
    plain = name_levels(found, ROWS)
    hot = name_levels(found, ROWS, replace(LevelStatistics.default(), temperature=4.0))
    assert hot.best.levels == plain.best.levels
    assert hot.margin == pytest.approx(plain.margin / 4)


def test_levels_are_certain_from_the_threshold_on():
    found = column(LADDER)
    margin = name_levels(found, ROWS).margin
    statistics = LevelStatistics.default()
    assert name_levels(found, ROWS, replace(statistics, certain_margin=margin - 1e-6)).certain
    assert not name_levels(found, ROWS, replace(statistics, certain_margin=margin + 1e-6)).certain
