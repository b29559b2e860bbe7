"""The crop warning and AAC-24 know each other, and what is incomplete is not sent without a question."""

from __future__ import annotations

import pytest
from PySide6.QtTest import QTest

from tests.slicer_module.conftest import new_image

from .conftest import PNG, Place, answer, open_module


def test_a_grade_in_a_segment_that_is_reported_cropped_is_not_taken_without_a_word(place):
    place.load(PNG)
    cropped = place.stage.overlays.crop().segments
    assert cropped
    place.session.set_score(cropped[0], "anterior", 0)
    place.settle()
    assert place.message[0] == "⚠"
    assert f"may be cropped at {cropped[0]}" in place.message[1]
    assert "U" in place.message[1]
    place.session.set_score(cropped[0], "anterior", "unreadable")
    place.settle()
    assert "cropped at" not in place.message[1]


def test_what_is_open_or_doubtful_is_asked_before_a_label_is_sent(place):
    place.load(PNG)
    assert place.session.questions() == ("AAC-24 is not scored.",)
    cropped = place.stage.overlays.crop().segments
    place.session.set_score(cropped[0], "anterior", 0)
    first, second = place.session.questions()
    assert first.startswith("AAC-24 is incomplete: ")
    assert first.endswith("not scored.")
    assert second.startswith(f"The aorta may be cropped at {cropped[0]}")


@pytest.fixture
def reader(server, shim, mrml):
    new_image(server)
    opened: Place = open_module(shim, mrml)
    opened.session.reader = "asks before sending"
    opened.session.connect(server.url)
    opened.settle()
    opened.session.next_image("first")
    opened.settle()
    spine_of = opened.session.auto_landmark
    spine_of()
    opened.settle()
    yield opened
    opened.module.exit()
    opened.module.cleanup()
    mrml.scene.Clear(False)


def test_an_incomplete_score_is_sent_only_after_a_yes(reader):
    ui, table = reader.panel.session.ui, reader.panel.reading.ui.aacTable
    for key in "0000":
        QTest.keyClick(table, key)
    reader.settle()
    answer("Cancel")
    reader.press(ui.submitButton)
    reader.module.jobs.wait()
    assert reader.session.statistics.labelled == 0
    assert reader.session.unsent == 0
    answer("Submit all the same")
    reader.press(ui.submitButton)
    reader.module.jobs.wait()
    assert reader.session.statistics.labelled == 1
