"""What edits make of a spine, without a scene."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from VerteNetLib.history import DEPTH, History
from VerteNetLib.mrml import edits

from vertenet.errors import AnnotationError
from vertenet.measure import consistency
from vertenet.spine import STANDARD_LEVELS, Corner, Spine, Status

from .. import mrml_scene  # noqa: F401 (puts the module on the path)
from . import files
from .conftest import sample, truth_of


def test_one_point_is_replaced_and_the_others_stay():
    spine = files.spine()
    changed = edits.with_corner(spine, "L3-SA", Corner(1, 2))
    assert changed["L3"]["SA"] == Corner(1, 2)
    assert edits.with_corner(changed, "L3-SA", spine["L3"]["SA"]) == spine


def test_a_point_of_a_level_or_place_that_was_not_there_is_added():
    spine = edits.with_corner(files.spine(), "S1-SA", Corner(1, 2))
    assert spine["S1"]["SA"] == Corner(1, 2)
    assert spine["S1"]["SP"].status is Status.MISSING
    assert edits.with_corner(spine, "L2-IM", Corner(3, 4))["L2"]["IM"] == Corner(3, 4)


def test_a_name_that_is_none_is_refused():
    with pytest.raises(AnnotationError, match="names no corner"):
        edits.with_corner(files.spine(), "L9-SA", Corner(1, 2))


@pytest.mark.parametrize("status", [Status.MISSING, Status.OUTSIDE, Status.UNEVALUABLE])
def test_marked_points_have_no_position_but_a_reason(status):
    spine = edits.marked(files.spine(), ["T12-SA", "L5-IP"], status)
    for level, name in (("T12", "SA"), ("L5", "IP")):
        assert spine[level][name] == Corner(status=status)
    assert sum(not corner.is_present for _, corner in spine.named_points()) == 2


@given(st.sampled_from([1, -1]))
def test_levels_shift_by_one_and_back_without_loss(steps):
    spine = truth_of(sample(2)).select(STANDARD_LEVELS)
    there = edits.shifted(spine, steps)
    for vertebra in spine:
        place = [*edits.LADDER][edits.LADDER.index(vertebra.level) + steps]
        assert there[place].points == vertebra.points
    assert set(STANDARD_LEVELS) <= set(there.levels)
    assert edits.shifted(there, -steps) == spine


def test_a_spine_of_fewer_levels_is_shifted_too():
    spine = files.spine().select(["L1", "L2"])
    assert edits.shifted(spine, 1)["L3"].points == spine["L2"].points


def with_midpoints() -> Spine:
    spine = files.spine()
    for vertebra in spine:
        for name, ends in consistency.ENDPLATES.items():
            xy = (vertebra[ends[0]].xy + vertebra[ends[1]].xy) / 2
            spine = edits.with_corner(spine, f"{vertebra.level}-{name}", Corner(*xy, confidence=0.8))
    return spine


def test_midpoints_stay_through_small_corrections_and_crushed_endplates():
    spine = with_midpoints()
    assert consistency.without_stray_midpoints(spine) == spine
    corner, middle = spine["L3"]["SA"], spine["L3"]["SM"]
    nudged = edits.with_corner(spine, "L3-SA", Corner(corner.x + 2, corner.y - 2))
    assert consistency.without_stray_midpoints(nudged) == nudged
    sunken = edits.with_corner(spine, "L3-SM", Corner(middle.x, middle.y + 0.3 * (corner.x - middle.x)))
    assert consistency.without_stray_midpoints(sunken) == sunken


def test_a_midpoint_far_from_its_endplate_becomes_missing_and_no_other():
    spine = with_midpoints()
    for name in ("L3-SA", "L3-SP"):
        corner = spine["L3"][name[-2:]]
        spine = edits.with_corner(spine, name, Corner(corner.x, corner.y - 14))
    cleaned = consistency.without_stray_midpoints(spine)
    assert cleaned["L3"]["SM"] == Corner.missing()
    assert [name for name, corner in cleaned.named_points() if not corner.is_present] == ["L3-SM"]


def test_history_goes_back_forward_and_is_cut_by_something_new():
    spines = [edits.shifted(files.spine(), steps) for steps in (0, 1, -1)]
    history = History()
    assert history.back(spines[0]) is None
    assert history.forward(spines[0]) is None
    history.remember(spines[0])
    assert history.back(spines[1]) is spines[0]
    assert history.forward(spines[0]) is spines[1]
    history.back(spines[1])
    history.remember(spines[0])
    assert history.next == 0
    assert history.forward(spines[2]) is None
    for _ in range(DEPTH + 5):
        history.remember(spines[0])
    steps = 0
    while history.back(spines[1]) is not None:
        steps += 1
    assert steps == DEPTH
