"""Double reading on a real server: one reads, another reads blinded, both are compared, and become a consensus."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import httpx
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.e2e.conftest import our_server
from tests.slicer_module import qt_shim

from .conftest import Place, answer, open_module
from .test_sitting import CONTROL, labels, submit_and_next, type_keys, wait

FIRST, SECOND = "12000000", "10000030"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory, studies, server_environment) -> Iterator:
    folder = shutil.copytree(studies, tmp_path_factory.mktemp("double") / "studies")
    with our_server(folder, server_environment) as running:
        yield running


@pytest.fixture(scope="module")
def room(own_server, mrml, tmp_path_factory) -> Iterator[Place]:
    """One place, at which two readers sit one after the other; the tests follow one another."""
    with qt_shim.installed(mrml.scene, tmp_path_factory.mktemp("user")) as shim:
        place = open_module(shim, mrml)
        sit_down(place, own_server, "anna", "")
        yield place
        place.module.exit()
        place.module.cleanup()
        assert shim.errors == []


def sit_down(place: Place, server, name: str, kind: str) -> None:
    """A reader connects under a name, and chooses the kind of readings."""
    place.session.reader = name
    place.session.connect(server.url)
    wait(place)
    combo = place.panel.habits.ui.kindCombo
    combo.setCurrentIndex(combo.findData(kind))
    place.shim.main_window.activateWindow()  # where nothing is on a screen, a closed dialog leaves no window active
    place.shim.process_events()
    place.panel.image.ui.strategyCombo.setCurrentIndex(place.panel.image.ui.strategyCombo.findData("first"))


def go_on(place: Place) -> None:
    QTest.keyClick(place.shim.main_window, Qt.Key.Key_PageDown)
    wait(place)


def test_the_first_reader_reads_both_images(room, own_server):
    go_on(room)
    for grades in (FIRST, "00000000"):
        room.settle()
        type_keys(room, f"y{grades}")
        room.settle()
        submit_and_next(room)
        wait(room)
    assert room.session.info.labelled == 2
    assert "No image is left" in room.message[1]


def test_there_is_no_second_reading_of_ones_own_images(room, own_server):
    sit_down(room, own_server, "anna", "blinded")
    turn = room.session.turn
    go_on(room)
    assert room.session.turn == turn
    assert "No image is left" in room.message[1]


def test_a_blinded_reading_shows_nothing_of_the_first_one(room, own_server):
    sit_down(room, own_server, "ben", "blinded")
    go_on(room)
    assert room.session.second == "blinded"
    assert room.session.aac.is_empty
    assert room.session.comparison is None
    assert room.panel.ui.secondSection.isVisible()
    assert "blinded" in room.panel.second.ui.kindLabel.text
    spine, proposed = room.stage.landmarks.spine(), room.session.proposal.reading.spine
    assert spine == proposed, "the model's landmarks, not the first reader's"
    QTest.keyClick(room.shim.main_window, "k")
    wait(room)
    assert room.message == ("⚠", "This is a blinded reading: submit yours first, then compare.")
    assert room.session.comparison is None


def test_after_the_own_label_both_stand_side_by_side(room, own_server):
    image = room.session.sample.image_id
    type_keys(room, f"y{SECOND}")
    room.settle()
    QTest.keyClick(room.shim.main_window, Qt.Key.Key_Return, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    wait(room)
    tags = {revision["annotator"]: revision["tag"] for revision in labels(own_server, image)}
    assert tags == {"anna": "final", "ben": "reviewed"}
    QTest.keyClick(room.shim.main_window, "k")
    wait(room)
    assert [reading.annotator for reading in room.session.comparison.readings] == ["anna", "ben"]
    ui = room.panel.second.ui
    shown = [[ui.readersTable.item(row, column).text() for row in range(9)] for column in range(2)]
    assert shown == [[*FIRST, "3"], [*SECOND, "4"]]
    signs = [ui.readersTable.verticalHeaderItem(row).text().startswith("≠") for row in range(9)]
    assert signs == [one != other for one, other in zip(*shown)]
    assert "2 of 8 grades differ" in ui.agreementLabel.text
    assert "landmarks 0.0 px apart" in ui.agreementLabel.text
    assert outlines(room) > 0, "the other reader's vertebrae are drawn"


def outlines(place: Place) -> int:
    for node in place.mrml.nodes("vtkMRMLModelNode", "other outlines"):
        if node.GetNodeReferenceID("VerteNet.volume") == place.stage.image.volume_id:
            return node.GetPolyData().GetNumberOfCells()
    return 0


def test_what_was_adjudicated_is_submitted_again_and_the_server_makes_the_consensus(room, own_server):
    image = room.session.sample.image_id
    room.panel.reading.ui.aacTable.setCurrentCell(0, 1)
    type_keys(room, "2")  # ben agrees with anna here
    room.settle()
    QTest.keyClick(room.shim.main_window, Qt.Key.Key_Return, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    wait(room)
    QTest.keyClick(room.shim.main_window, "k")
    wait(room)
    assert "1 of 8 grades differ" in room.panel.second.ui.agreementLabel.text
    answer("Make the consensus")
    room.press(room.panel.second.ui.consensusButton)
    wait(room)
    assert "consensus" in room.message[1]
    last = labels(own_server, image)[-1]
    assert (last["tag"], last["action"]) == ("consensus", "consensus")
    asked = httpx.get(f"{own_server.url}/datastore/agreement", params={"image": image}, trust_env=False).json()
    assert [pair["annotators"] for pair in asked["pairs"]] == [["anna", "ben"]]


def test_a_seen_reading_begins_with_the_first_readers_landmarks_and_without_his_grades(room, own_server):
    settled = room.session.sample.image_id
    sit_down(room, own_server, "cleo", "seen")
    go_on(room)
    assert room.session.sample.image_id != settled, room.message
    assert room.session.second == "seen"
    assert room.session.aac.is_empty
    assert room.stage.landmarks.spine() is not None
    assert "landmarks of anna" in room.message[1]
