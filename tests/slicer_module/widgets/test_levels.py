"""Levels that the model is not sure of: both namings side by side, and two keys that decide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtTest import QTest

from tests.slicer_module import mrml_scene  # noqa: F401 (puts the module on the path)
from vertenet.spine import Transition

from .conftest import DICOM, Place

from VerteNetLib.answers import Proposal  # isort: skip


@pytest.fixture
def unsure(place) -> Place:
    """An image of which the model names the vertebrae, and sees a second naming one level further down."""
    place.load(DICOM)
    made = place.session.reading()
    levels = replace(made.levels, certain=False, alternative=made.spine.shifted(1))
    place.session._proposed(Proposal(replace(made, levels=levels), "v0000"))
    place.settle()
    assert place.session.levels_open
    return place


def key(place: Place, name: str) -> None:
    QTest.keyClick(place.shim.main_window, name)
    place.settle()


def other_names(place: Place) -> list[str]:
    volume = place.stage.image.volume_id
    for node in place.mrml.nodes("vtkMRMLMarkupsFiducialNode", "other names"):
        if node.GetNodeReferenceID("VerteNet.volume") == volume:
            return [node.GetNthControlPointLabel(n) for n in range(node.GetNumberOfControlPoints())]
    return []


def test_both_namings_stand_side_by_side_in_the_panel_and_in_the_image(unsure):
    ui, levels = unsure.panel.levels.ui, unsure.stage.landmarks.spine().levels
    assert ui.uncertainFrame.isVisible()
    assert "Y: as shown. S: the other." in ui.uncertainLabel.text
    columns = range(ui.namingTable.columnCount)
    now = [ui.namingTable.item(0, column).text() for column in columns]
    other = [ui.namingTable.item(1, column).text() for column in columns]
    assert set(now) - {"–"} <= {level.value for level in levels}
    assert now != other
    assert [f"({name})" for name in other if name != "–"] == other_names(unsure)


def test_grades_wait_until_the_levels_are_decided(unsure):
    key(unsure, "2")
    assert unsure.session.aac.is_empty
    assert unsure.message == ("⚠", "Levels first: Y confirms the names that are shown, S takes the other ones.")
    assert unsure.panel.reading.aac.place() == 0, "a grade that was not taken moves nothing on"
    assert unsure.session.questions()[0] == "The levels are uncertain, and were not confirmed."


def test_two_keys_take_the_other_naming_and_confirm_it(unsure):
    before = unsure.stage.landmarks.spine()
    other = unsure.session.alternative
    key(unsure, "s")
    assert unsure.stage.landmarks.spine() == other
    assert unsure.session.alternative == before
    key(unsure, "y")
    assert not unsure.session.levels_open
    assert not unsure.panel.levels.ui.uncertainFrame.isVisible()
    assert other_names(unsure) == []
    assert unsure.session.reading().levels.certain, "the naming is the reader's now"
    key(unsure, "2")
    assert unsure.session.aac.grades[0] == 2


def test_a_shift_asks_again(unsure):
    key(unsure, "y")
    unsure.session.shift_levels(1)
    unsure.settle()
    assert unsure.session.levels_open
    assert unsure.panel.levels.ui.levelsLabel.text == "? not confirmed yet"


def test_undoing_a_naming_asks_again_and_offers_the_right_other_one(unsure):
    first, second = unsure.stage.landmarks.spine(), unsure.session.alternative
    key(unsure, "s")
    key(unsure, "y")
    assert unsure.session.levels_checked
    unsure.session.undo()
    unsure.settle()
    assert unsure.stage.landmarks.spine() == first
    assert not unsure.session.levels_checked, "these names were never confirmed"
    assert unsure.session.alternative == second
    key(unsure, "y")
    key(unsure, "2")
    unsure.session.undo()
    assert unsure.session.levels_checked, "a grade that is taken back names nothing"


def test_without_a_second_naming_the_reader_counts_and_confirms(place):
    place.load(DICOM)
    made = place.session.reading()
    place.session._proposed(Proposal(replace(made, levels=replace(made.levels, certain=False)), "v0000"))
    place.settle()
    ui = place.panel.levels.ui
    assert "count the vertebrae" in ui.uncertainLabel.text
    assert not ui.swapButton.isVisible()
    key(place, "y")
    assert not ui.uncertainFrame.isVisible()


def test_the_key_for_transitional_anatomy_goes_through_the_choices(place):
    place.load(DICOM)
    seen, before = [], place.stage.landmarks.spine().transition
    for _press in range(4):
        key(place, "x")
        seen.append(place.stage.landmarks.spine().transition)
    assert sorted(seen) == sorted(Transition)
    assert seen[-1] is before
