"""A reader's place: the module's panels under shimmed Qt, on real MRML, with the real session."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import slicer
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QCheckBox, QDialog, QFileDialog, QLineEdit, QPushButton

from tests.slicer_module import qt_shim
from tests.slicer_module.conftest import new_image
from tests.slicer_module.fault_server import FaultServer
from tests.slicer_module.mrml_scene import REPOSITORY, MrmlScene
from vertenet.spine import Spine

from VerteNetLib.local_server import PROGRAM_KEY  # isort: skip (mrml_scene puts the module on the path)

SAMPLES = REPOSITORY / "sample_data"
PNG, DICOM = SAMPLES / "05-cropped-black.png", SAMPLES / "02-clean-4500a-dicom.dcm"


def truth(image: Path) -> Spine:
    """The landmarks of a sample."""
    text = image.with_suffix("").with_suffix(".truth.json").read_text(encoding="utf-8")
    return Spine.from_dict(json.loads(text)["spine"])


@pytest.fixture(scope="module")
def mrml() -> Iterator[MrmlScene]:
    with MrmlScene() as made:
        yield made


@pytest.fixture(scope="module")
def door(server) -> Iterator[FaultServer]:
    """A door before the server that misbehaves when told to; three new images lie behind it."""
    for _image in range(3):  # those of other tests are labelled, or on their desks
        new_image(server)
    with FaultServer(server.url) as made:
        yield made


@pytest.fixture
def shim(mrml, tmp_path) -> Iterator[qt_shim.Shim]:
    """Qt under PythonQt's rules; what went wrong in a slot is a failure of the test."""
    with qt_shim.installed(mrml.scene, tmp_path) as installed:
        yield installed
        assert installed.errors == []


@dataclass
class Place:
    """The module's widget as the application opens it, and hands for it."""

    module: Any
    shim: qt_shim.Shim
    mrml: MrmlScene
    #: Divides how long the next connection waits for an answer.
    haste: float = 1.0

    @property
    def panel(self) -> Any:
        return self.module.panel

    @property
    def session(self) -> Any:
        return self.module.session

    @property
    def stage(self) -> Any:
        return self.module.stage

    @property
    def message(self) -> tuple[str, str]:
        """Sign and text of the message line."""
        return self.panel.ui.messageIcon.text, self.panel.ui.messageLabel.text

    def load(self, image: Path, landmarks: bool = True) -> None:
        """Open a file of the samples, with its true landmarks."""
        self.session.open_file(image)
        if landmarks:
            self.session.start_by_hand(truth(image).anterior)
            self.stage.landmarks.replace(truth(image))
        self.settle()

    def settle(self, until: Callable[[], bool] | None = None) -> None:
        """Wait for the background, then show everything."""
        self.module.jobs.wait(240.0, until or (lambda: not self.module.jobs.busy))
        self.panel.refresh()
        self.shim.process_events()

    def press(self, button: Any) -> None:
        """Click a button that can be clicked, and wait for what comes of it."""
        assert button.enabled, f"{button.name}: {button.toolTip}"
        button.click()
        self.settle()


def open_module(shim: qt_shim.Shim, mrml: MrmlScene) -> Place:
    """The module as Slicer opens it, on the scene's one slice view."""
    import VerteNet

    class VerteNetWidget(VerteNet.VerteNetWidget):
        def make_stage(self) -> Any:
            return mrml.stage()

        def make_session(self, settings: Any) -> Any:
            from VerteNetLib.client import Client
            from VerteNetLib.session import Session

            folder = Path(slicer.app.slicerUserSettingsFilePath).parent / "VerteNet"
            settings.set(PROGRAM_KEY, str(Path(sys.executable).with_name("vertenet")))
            return Session(self.stage, settings, self.jobs, folder, lambda to: Client(to, haste=place.haste))

    module = VerteNetWidget()
    place = Place(module, shim, mrml)
    module.setup()
    module.enter()
    # The test decides when the background is looked at.
    module.timer.stop()
    shim.show(module.parent)
    return place


def answer(text: str) -> None:
    """Press a button of the question that is asked next."""

    def press() -> None:
        asked = QApplication.activeModalWidget()
        next(button for button in asked.findChildren(QPushButton) if QPushButton.text(button) == text).click()

    QTimer.singleShot(0, press)


def choose(path: Path) -> list[str]:
    """Choose a file or folder in the file dialog that opens next; the list gets the dialog's title."""
    titles: list[str] = []

    def accept() -> None:
        asked = QApplication.activeModalWidget()
        titles.append(asked.windowTitle())
        asked.findChild(QLineEdit, "fileNameEdit").setText(str(path))
        QFileDialog.accept(asked)

    QTimer.singleShot(0, accept)
    return titles


def decline() -> None:
    """Close the dialog that opens next without an answer."""
    QTimer.singleShot(0, lambda: QDialog.reject(QApplication.activeModalWidget()))


def consent(*ticks: str, press: str) -> list[bool]:
    """Tick boxes of the next question, note whether it may be answered with Send after each, and press a button."""
    may_send: list[bool] = []

    def act() -> None:
        dialog = QApplication.activeModalWidget()
        send = dialog.findChild(QPushButton, "sendButton")
        may_send.append(send.isEnabled())
        for name in ticks:
            dialog.findChild(QCheckBox, name).click()
            may_send.append(send.isEnabled())
        dialog.findChild(QPushButton, press).click()

    QTimer.singleShot(0, act)
    return may_send


@pytest.fixture
def place(shim, mrml) -> Iterator[Place]:
    opened = open_module(shim, mrml)
    yield opened
    opened.module.exit()
    opened.module.cleanup()
    mrml.scene.Clear(False)
