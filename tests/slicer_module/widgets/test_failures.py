"""Whatever a server does, the panel says a sentence and stays usable: every failure, met by every button that asks."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.slicer_module import qt_shim
from tests.slicer_module.fault_server import Fault, problem

from .conftest import Place, answer, open_module

SAID = "This is what the server says of it."
#: Name to (fault, words of the sentence).
FAILURES = {
    "refused": (Fault(drop=True), "cannot be reached"),
    "timeout": (Fault(silent_s=9.0), "in time"),
    "401": (problem(401, SAID), SAID[:-1]),
    "403": (problem(403, SAID), SAID[:-1]),
    "404": (problem(404, SAID), SAID[:-1]),
    "409": (problem(409, SAID), SAID[:-1]),
    "413": (Fault(413), "too large"),
    "422": (problem(422, SAID), SAID[:-1]),
    "429": (problem(429, SAID, **{"Retry-After": "3600"}), SAID[:-1]),
    "500": (problem(500, SAID), SAID[:-1]),
    "503": (problem(503, SAID), SAID[:-1]),
    "no JSON": (Fault(200, b"<html>Welcome</html>", {"Content-Type": "text/html"}), ""),
    "cut answer": (Fault(200, b'{"models": {}}', {"Content-Type": "application/json"}, cut=5), ""),
    "elsewhere": (Fault(307, headers={"Location": "http://elsewhere.example/"}), "elsewhere.example"),
}


@pytest.fixture(scope="module")
def working(door, mrml, tmp_path_factory) -> Iterator[Place]:
    """Connected, with an image of the server and landmarks on it."""
    with qt_shim.installed(mrml.scene, tmp_path_factory.mktemp("user")) as shim:
        place = open_module(shim, mrml)
        place.panel.connection.ui.urlEdit.text = door.url
        place.press(place.panel.connection.ui.connectButton)
        place.press(place.panel.image.ui.nextImageButton)
        place.press(place.panel.landmarks.ui.autoLandmarkButton)
        yield place
        place.module.exit()
        place.module.cleanup()


def press_skip(place: Place) -> None:
    answer("Put aside")
    place.press(place.panel.session.ui.skipButton)


def press_auto(place: Place) -> None:
    answer("Replace")
    place.press(place.panel.landmarks.ui.autoLandmarkButton)


def press_submit(place: Place) -> None:
    place.session.notes = uuid.uuid4().hex  # the same label twice would not be sent
    answer("Submit all the same")
    place.press(place.panel.session.ui.submitButton)


BUTTONS = {
    "connect": lambda place: place.press(place.panel.connection.ui.connectButton),
    "next": lambda place: place.press(place.panel.image.ui.nextImageButton),
    "auto-landmark": press_auto,
    "submit": press_submit,
    "skip": press_skip,
    "train": lambda place: place.press(place.panel.training.ui.trainButton),
}


def reconnect(place: Place, haste: float) -> None:
    """Connect anew; in haste that takes another try where the machine has much to do."""
    place.haste = haste
    for _try in range(10):
        place.press(place.panel.connection.ui.connectButton)
        place.module.jobs.wait()  # what waited to be sent is on its way quietly
        if place.session.situation.online:
            return
    raise AssertionError(place.message)


@pytest.fixture
def fresh(working, door) -> Iterator[Place]:
    """Connected again, whatever the test before has done."""
    door.fault = None
    reconnect(working, haste=1.0)
    yield working
    door.fault = None
    assert working.shim.errors == []


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("button", BUTTONS)
def test_every_failure_ends_in_a_sentence_and_a_usable_panel(fresh, door, button, failure):
    if failure == "timeout":
        reconnect(fresh, haste=50.0)
    door.fault, words = FAILURES[failure]
    before = fresh.session.statistics.labelled
    BUTTONS[button](fresh)
    sign, text = fresh.message
    assert sign in ("✖", "⚠"), text
    assert words in text
    assert text.endswith(".")
    assert "Traceback" not in text
    situation = fresh.session.situation
    assert not situation.busy
    assert not fresh.panel.ui.progressFrame.isVisible()
    assert fresh.panel.connection.ui.connectButton.enabled
    assert fresh.panel.levels.ui.shiftUpButton.enabled
    assert fresh.panel.session.ui.submitButton.enabled
    assert fresh.stage.landmarks.spine() is not None
    if button == "submit":
        assert situation.unsent or fresh.session.rejected()
    assert fresh.session.statistics.labelled == before


def test_an_answer_about_another_image_is_not_shown(fresh, door):
    before = fresh.stage.landmarks.spine()
    door.fault = Fault(replace=(b'"rows":', b'"rows":1'))
    press_auto(fresh)
    assert fresh.message[0] == "✖"
    assert fresh.stage.landmarks.spine() == before
