"""A reader's round with a real server, button by button: connect, next, landmarks, grades, submit, offline."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtTest import QTest

from tests.slicer_module import qt_shim
from tests.slicer_module.fault_server import Fault

from .conftest import Place, open_module


@pytest.fixture(scope="module")
def reader(door, mrml, tmp_path_factory) -> Iterator[Place]:
    """Connected by the button; the tests follow one another as a reader's day does."""
    with qt_shim.installed(mrml.scene, tmp_path_factory.mktemp("user")) as shim:
        place = open_module(shim, mrml)
        place.session.reader = "a reader of panels"
        place.panel.connection.ui.urlEdit.text = door.url
        place.press(place.panel.connection.ui.connectButton)
        place.module.jobs.wait()
        place.settle()
        yield place
        place.module.exit()
        place.module.cleanup()
        assert shim.errors == []


def test_a_connection_shows_who_answers_and_makes_room(reader):
    ui = reader.panel.connection.ui
    assert ui.connectionStateLabel.text.startswith("● Connected to VerteNet")
    assert reader.panel.ui.connectionSection.collapsed
    identity = reader.panel.ui.identityLabel.text
    assert reader.session.info.sha256[:12] in identity
    assert "Trained on synthetic images only." in identity
    assert "Research use only." in identity
    assert reader.panel.image.ui.strategyCombo.currentData == "hybrid"


def test_the_versions_of_the_model_are_listed_and_the_served_one_is_not_served_again(reader):
    ui = reader.panel.training.ui
    assert "(served)" in ui.versionsTable.item(0, 0).text()
    assert "Select a version" in ui.rollBackButton.toolTip
    ui.versionsTable.setCurrentCell(0, 0)
    reader.shim.process_events()
    assert not ui.rollBackButton.enabled
    assert "served already" in ui.rollBackButton.toolTip


def test_from_image_to_submitted_label(reader):
    panel = reader.panel
    reader.press(panel.image.ui.nextImageButton)
    assert reader.session.sample.image_id in panel.image.ui.imageLabel.text
    reader.press(panel.landmarks.ui.autoLandmarkButton)
    placed = panel.landmarks.ui.pointsLabel.text.removesuffix(" have a position.")
    assert placed.startswith("24 of 24 corners")
    assert f"The model placed {placed}." in reader.message[1]
    assert panel.measures.ui.morphometryTable.rowCount == 6
    assert panel.reading.ui.cropLabel.isVisible()
    assert not panel.landmarks.ui.byHandButton.enabled
    panel.reading.ui.aacTable.setFocus()
    for key in "01230123":
        QTest.keyClick(panel.reading.ui.aacTable, key)
    reader.settle()
    assert "AAC-24: 12 of 24. Risk class: high." in panel.reading.ui.aacTotalLabel.text
    reader.press(panel.session.ui.submitButton)
    reader.module.jobs.wait()
    reader.settle()
    assert reader.message[0] == "ℹ"
    assert "is on the server" in reader.message[1]
    assert panel.session.ui.statisticsLabel.text.startswith("1 labelled in this session")
    assert panel.session.ui.unsentLabel.text == ""
    assert not panel.session.ui.sendUnsentButton.enabled


def test_a_lost_connection_keeps_the_label_and_the_button_sends_it_later(reader, door):
    panel = reader.panel
    reader.press(panel.levels.ui.shiftDownButton)
    reader.press(panel.landmarks.ui.undoButton)
    panel.notes.ui.notesEdit.plainText = "looked at again"
    door.fault = Fault(drop=True)
    reader.press(panel.session.ui.submitButton)
    assert panel.session.ui.unsentLabel.text == "⚠ Labels that wait on this computer: 1."
    assert reader.message[0] in "⚠✖"
    assert panel.connection.ui.connectionStateLabel.text.startswith("○ Not connected")
    assert not panel.ui.connectionSection.collapsed
    assert panel.levels.ui.shiftUpButton.enabled
    assert panel.notes.ui.exportButton.enabled
    door.fault = None
    reader.press(panel.connection.ui.connectButton)
    reader.module.jobs.wait()
    reader.settle()
    assert panel.session.ui.unsentLabel.text == ""


def test_cancel_gives_the_panel_back_at_once(reader, door):
    door.fault = Fault(silent_s=5.0)
    panel = reader.panel
    panel.session.ui.nextButton.click()
    reader.panel.refresh()
    assert panel.ui.progressFrame.isVisible()
    assert not panel.connection.ui.connectButton.enabled
    assert "Wait until the request" in panel.connection.ui.connectButton.toolTip
    panel.ui.cancelButton.click()
    reader.panel.refresh()
    door.fault = None
    assert not panel.ui.progressFrame.isVisible()
    assert panel.connection.ui.connectButton.enabled
    assert reader.stage.landmarks.spine() is not None
