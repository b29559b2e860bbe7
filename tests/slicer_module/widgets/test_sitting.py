"""One image after the other by keyboard alone: submit and next, fetched ahead, back and forth, and the summary."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator

import httpx
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.slicer_module import qt_shim
from tests.slicer_module.conftest import new_image
from vertenet.measure.aac import CELLS

from .conftest import Place, choose, open_module

CONTROL = Qt.KeyboardModifier.ControlModifier
#: The machine's part of going on to an image that is ready, with room for a machine that has much to do.
PATIENCE_S = 5.0
BUSY_MACHINE_S = 300.0


@pytest.fixture(scope="module")
def reader(server, mrml, tmp_path_factory) -> Iterator[Place]:
    """Connected, with enough images; the tests follow one another as a sitting does."""
    for _image in range(4):
        new_image(server)
    with qt_shim.installed(mrml.scene, tmp_path_factory.mktemp("user")) as shim:
        place = open_module(shim, mrml)
        place.session.reader = "reader of a sitting"
        place.session.connect(server.url)
        wait(place)
        place.panel.image.ui.strategyCombo.setCurrentIndex(place.panel.image.ui.strategyCombo.findData("first"))
        yield place
        place.module.exit()
        place.module.cleanup()
        assert shim.errors == []


def wait(place: Place) -> None:
    place.module.jobs.wait(BUSY_MACHINE_S)
    place.settle()


def type_keys(place: Place, keys: str) -> None:
    for key in keys:
        QTest.keyClick(place.shim.main_window, key)


def submit_and_next(place: Place) -> None:
    QTest.keyClick(place.shim.main_window, Qt.Key.Key_Return, CONTROL)


def labels(server, image_id: str) -> list[dict]:
    asked = httpx.get(f"{server.url}/datastore/label/history", params={"image": image_id}, trust_env=False)
    return asked.raise_for_status().json()["revisions"]


def test_the_first_image_comes_with_its_landmarks_and_the_next_is_fetched_meanwhile(reader):
    QTest.keyClick(reader.shim.main_window, Qt.Key.Key_PageDown)
    wait(reader)
    assert reader.stage.landmarks.spine() is not None
    assert reader.panel.session.ui.caseLabel.text.startswith("Case 1 of ")
    assert reader.panel.ui.readPage.isVisible()
    assert not reader.panel.session.ui.previousButton.enabled


def test_one_key_submits_and_shows_the_next_image_at_once(reader, server):
    first = reader.session.sample.image_id
    type_keys(reader, "y01200000")
    reader.settle()
    assert reader.session.questions() == ()
    began = time.monotonic()
    submit_and_next(reader)  # nothing of the background is delivered before the lines below
    took = time.monotonic() - began
    second = reader.session.sample.image_id
    assert second != first
    assert reader.stage.landmarks.spine() is not None
    assert reader.session.aac.is_empty
    assert not reader.session.levels_checked
    assert took < PATIENCE_S
    wait(reader)
    (revision,) = labels(server, first)
    assert (revision["annotator"], revision["tag"]) == ("reader-of-a-sitting", "final")
    assert reader.panel.session.ui.caseLabel.text.startswith("Case 2 of ")
    assert reader.session.statistics.labelled == 1


def test_back_to_the_image_before_with_its_grades_and_forward_again(reader, server):
    second = reader.session.sample.image_id
    type_keys(reader, "y11")
    QTest.keyClick(reader.shim.main_window, Qt.Key.Key_PageUp)
    wait(reader)
    first = reader.session.sample.image_id
    assert first != second
    assert reader.session.aac.grades == (0, 1, 2, 0, 0, 0, 0, 0)
    assert reader.session.levels_checked
    assert reader.panel.session.ui.caseLabel.text.startswith("Case 1 of ")
    table = reader.panel.reading.ui.aacTable
    table.setCurrentCell(0, 0)
    type_keys(reader, "3")
    submit_and_next(reader)
    wait(reader)
    assert reader.session.sample.image_id == second
    assert reader.session.aac.grades[:3] == (1, 1, None), "what was begun is still there"
    assert [revision["number"] for revision in labels(server, first)] == [1, 2]
    asked = {"image": first, "number": 2}
    reading = httpx.get(f"{server.url}/datastore/label/reading", params=asked, trust_env=False).json()
    assert reading["aac"]["total"] == 6


def test_a_third_image_after_a_lost_connection(reader, server):
    """What was fetched ahead is shown without the server; its label waits, and goes when the server is there again."""
    third_ready = reader.session.sample.image_id
    reader.module.jobs.wait(BUSY_MACHINE_S)
    type_keys(reader, "000000")
    reader.session._link.online = False
    submit_and_next(reader)
    reader.settle()
    assert reader.session.sample.image_id != third_ready
    assert reader.stage.landmarks.spine() is not None
    assert reader.session.unsent == 1
    reader.session.refresh()
    wait(reader)
    assert reader.session.unsent == 0
    assert len(labels(server, third_ready)) == 1


def test_the_summary_has_a_row_for_every_image(reader, tmp_path):
    reader.panel.show_tab(1)
    reader.settle()
    choose(tmp_path)
    reader.press(reader.panel.habits.ui.sittingButton)
    (path,) = tmp_path.glob("sitting-*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["result"] for row in rows] == ["submitted", "submitted", "open"]
    assert rows[0]["AAC-24"] == "6"
    assert rows[0]["levels"] == "confirmed"
    assert [rows[1][f"{level} {wall}"] for level, wall in CELLS][:3] == ["1", "1", "0"]
    assert all(float(row["minutes"]) >= 0 for row in rows)
    assert {row["reader"] for row in rows} == {"reader of a sitting"}
