"""AAC-24 with the keyboard, and with the mouse alone."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.slicer_module import mrml_scene  # noqa: F401 (puts the module on the path)
from vertenet.measure.aac import CELLS, UNREADABLE, Aac24

from .conftest import DICOM


@pytest.fixture
def table(place):
    """The grid, with an image to score and the keyboard."""
    place.load(DICOM)
    grid = place.panel.reading.ui.aacTable
    grid.setFocus()
    place.shim.process_events()
    assert grid.hasFocus()
    return grid


def texts(table) -> list[str]:
    return [table.item(place // 2, place % 2).text() for place in range(len(CELLS))]


def test_eight_keys_fill_the_grid(place, table):
    for key in "0123U012":
        QTest.keyClick(table, key)
    place.settle()
    assert place.session.aac == Aac24((0, 1, 2, 3, UNREADABLE, 0, 1, 2))
    assert texts(table) == ["0", "1", "2", "3", "U", "0", "1", "2"]


def test_arrows_and_tab_go_to_another_cell_and_a_grade_stays_in_its_own(place, table):
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Right)
    QTest.keyClick(table, "2")  # L2 posterior, and on to L3 anterior
    QTest.keyClick(table, Qt.Key.Key_Tab)
    QTest.keyClick(table, "3")  # L3 posterior
    place.settle()
    assert place.session.aac.grades == (None, None, None, 2, None, 3, None, None)


def test_tab_passes_over_the_sums(place, table):
    for _step in range(3):
        QTest.keyClick(table, Qt.Key.Key_Tab)
    assert (table.currentRow(), table.currentColumn()) == (1, 1)


def test_delete_takes_a_grade_back_and_stays(place, table):
    QTest.keyClick(table, "2")
    QTest.keyClick(table, Qt.Key.Key_Left)
    QTest.keyClick(table, Qt.Key.Key_Delete)
    place.settle()
    assert place.session.aac.is_empty
    assert (table.currentRow(), table.currentColumn()) == (0, 0)


def test_other_keys_score_nothing(place, table):
    for key in "4x9-":
        QTest.keyClick(table, key)
    place.settle()
    assert place.session.aac.is_empty


def test_the_last_cell_keeps_the_keyboard(place, table):
    for _key in range(9):
        QTest.keyClick(table, "1")
    place.settle()
    assert place.session.aac.total == 8
    assert table.hasFocus()


def test_total_bounds_and_risk_follow_every_grade(place, table):
    label = place.panel.reading.ui.aacTotalLabel
    assert label.text.startswith("Not scored yet")
    QTest.keyClick(table, "3")
    place.settle()
    assert label.text == (
        "AAC-24: between 3 and 24 of 24. Risk class open: moderate to high. Incomplete: 7 of 8 cells are not scored."
    )
    for key in "3000000":
        QTest.keyClick(table, key)
    place.settle()
    assert label.text == "AAC-24: 6 of 24. Risk class: high."
    assert table.item(0, 2).text() == "6"


def test_unreadable_is_no_zero(place, table):
    for key in "0000000U":
        QTest.keyClick(table, key)
    place.settle()
    text = place.panel.reading.ui.aacTotalLabel.text
    assert text == "AAC-24: between 0 and 3 of 24. Risk class open: low to moderate. 1 unreadable."
    assert table.item(3, 2).text() == "–"


def test_the_buttons_score_the_chosen_cell_and_give_the_keyboard_back(place, table):
    ui = place.panel.reading.ui
    table.setCurrentCell(3, 1)
    place.press(ui.unreadableButton)
    table.setCurrentCell(0, 0)
    place.press(ui.grade2Button)
    assert place.session.aac.grades == (2, *[None] * 6, UNREADABLE)
    assert table.hasFocus()


def test_digits_typed_into_the_notes_are_notes(place, table):
    notes = place.panel.notes.ui.notesEdit
    notes.setFocus()
    QTest.keyClicks(notes, "L2 3 mm, NAME")
    place.settle()
    assert place.session.notes == "L2 3 mm, NAME"
    assert place.session.aac.is_empty


def test_grades_of_one_image_are_not_those_of_the_next(place, table):
    from .conftest import PNG

    QTest.keyClick(table, "3")
    place.load(PNG)
    cropped = [level.value in place.stage.overlays.crop().segments for level, _wall in CELLS]
    assert texts(table) == ["U ?" if lost else "" for lost in cropped]
    assert any(cropped)
    assert place.panel.reading.ui.aacTotalLabel.text.startswith("Not scored yet")
