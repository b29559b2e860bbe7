"""What a reader does to the points, button by button, on real Markups."""

from __future__ import annotations

import numpy as np
import pytest

from tests.slicer_module import mrml_scene  # noqa: F401 (puts the module on the path)
from vertenet.spine import CORNERS, Level, Status, Transition

from .conftest import DICOM, answer, truth


@pytest.fixture
def ui(place):
    place.load(DICOM)
    place.panel.ui.landmarksSection.collapsed = False
    return place.panel.landmarks.ui


def test_levels_are_shifted_by_one_click_and_back_by_one(place, ui):
    before = place.stage.landmarks.spine()
    place.press(place.panel.levels.ui.shiftDownButton)
    after = place.stage.landmarks.spine()
    np.testing.assert_allclose(after[Level.L2].to_array(), before[Level.L1].to_array(), atol=0.01)
    assert after[Level.T12].is_missing
    place.press(ui.undoButton)
    np.testing.assert_allclose(place.stage.landmarks.spine().to_array(), before.to_array(), atol=0.01)
    place.press(ui.redoButton)
    assert place.stage.landmarks.spine()[Level.T12].is_missing


@pytest.mark.parametrize(
    ("button", "status"),
    [
        ("missingButton", Status.MISSING),
        ("outsideButton", Status.OUTSIDE),
        ("unevaluableButton", Status.UNEVALUABLE),
    ],
)
def test_the_selected_point_or_its_whole_vertebra_is_marked(place, ui, button, status):
    assert not getattr(ui, button).enabled
    assert "Click the point" in getattr(ui, button).toolTip
    place.stage.landmarks.select("L3-SA")
    place.settle()
    place.press(getattr(ui, button))
    marked = {name for name, corner in place.stage.landmarks.spine().named_points() if corner.status is status}
    assert marked == {"L3-SA"}
    ui.scopeCombo.setCurrentIndex(ui.scopeCombo.findData("vertebra"))
    place.stage.landmarks.select("L4-IP")
    place.settle()
    place.press(getattr(ui, button))
    marked = {name for name, corner in place.stage.landmarks.spine().named_points() if corner.status is status}
    assert marked == {"L3-SA", *(f"L4-{corner}" for corner in CORNERS)}


def test_the_chosen_point_is_the_selected_one_and_says_what_is_known_of_it(place, ui):
    place.stage.landmarks.select("L3-SA")
    place.settle()
    assert ui.pointCombo.currentText == "L3-SA"
    place.press(ui.outsideButton)
    ui.pointCombo.setCurrentIndex(ui.pointCombo.findData("L3-SA"))
    assert ui.pointCombo.currentText == "L3-SA, outside"
    assert ui.pointsLabel.text == "23 of 24 corners and 12 of 12 mid-endplate points have a position."


def test_the_next_missing_point_can_be_placed_only_where_one_is_missing(place, ui):
    assert not ui.nextMissingButton.enabled
    assert "Every point has a position." in ui.nextMissingButton.toolTip
    place.stage.landmarks.mark(["L1-IA"], Status.MISSING)
    place.settle()
    place.press(ui.nextMissingButton)
    place.stage.landmarks.cancel_placing()
    assert ui.nextMissingButton.enabled


def test_locked_points_stay_and_the_buttons_say_so(place, ui):
    levels = place.panel.levels.ui
    place.press(ui.lockButton)
    assert place.stage.landmarks.is_locked()
    assert ui.lockButton.text == "Unlock"
    for button in (levels.shiftUpButton, levels.shiftDownButton, ui.placeButton, ui.missingButton):
        assert not button.enabled
        assert "locked" in button.toolTip
    place.press(ui.lockButton)
    assert not place.stage.landmarks.is_locked()
    assert levels.shiftUpButton.enabled


def test_a_transitional_vertebra_is_said_and_taken_back(place, ui):
    ui = place.panel.levels.ui
    ui.transitionCombo.setCurrentIndex(ui.transitionCombo.findData(Transition.SACRALISED_L5.value))
    ui.transitionCombo.activated.emit(ui.transitionCombo.currentIndex)
    assert place.stage.landmarks.spine().transition is Transition.SACRALISED_L5


def test_an_impossible_vertebra_is_warned_of(place, ui):
    assert not ui.faultsLabel.isVisible()
    spine = truth(DICOM)
    crossed = spine.map_points(lambda xy: xy)
    array = crossed.to_array()
    array[2, [0, 2]] = array[2, [2, 0]]  # L2: upper and lower front corner exchanged
    place.stage.landmarks.replace(type(spine).from_array(array, anterior=spine.anterior))
    place.settle()
    assert ui.faultsLabel.isVisible()
    assert "L2" in ui.faultsLabel.text
    heights = place.panel.measures.ui.morphometryTable
    assert [heights.item(2, column).text() for column in (0, 6)] == ["–", "not eval."]
    assert heights.item(3, 6).text() != "not eval."
    assert "L2 not evaluable: its corners contradict each other." in place.panel.measures.ui.morphometryLabel.text
    assert place.panel.reading.ui.cropLabel.text.startswith("⚠ Crop could not be assessed")


def test_by_hand_asks_for_the_side_and_gives_24_points_to_place(place):
    place.load(DICOM, landmarks=False)
    ui = place.panel.landmarks.ui
    answer("Right")
    place.press(ui.byHandButton)
    spine = place.stage.landmarks.spine()
    assert spine.anterior == "right"
    assert sum(1 for _point in spine.named_points()) == 24
    assert ui.pointsLabel.text == "0 of 24 corners have a position."


def test_by_hand_does_nothing_without_an_answer(place):
    place.load(DICOM, landmarks=False)
    answer("Cancel")
    place.press(place.panel.landmarks.ui.byHandButton)
    assert place.stage.landmarks.spine() is None
