"""Twenty scans in a sitting, by keyboard alone: real MRML, a real server, a scripted radiologist who pans and drags.

How long the machine's part of an image takes is printed (``pytest -s``), by the clock and of the processor; the latter
is bounded: on a machine that does nothing else they are the same.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDockWidget, QWidget

from tests.e2e.conftest import our_server
from vertenet import phantom

from . import qt_shim
from .mrml_scene import MrmlScene
from .widgets.conftest import Place, open_module

CASES = 20
#: Of an image where nothing is wrong: eight grades, levels, submit and next, and one to spare.
MOST_KEYS = 11
#: From the key that submits to the next image on the screen, where it was fetched ahead.
READY_S = 0.5
PATIENCE_S = 180.0


class Radiologist:
    """Types; now and then pans the view, clicks into it or drags a corner. Counts the keys of each image."""

    def __init__(self, place: Place, view: QWidget) -> None:
        self.place, self.view = place, view
        self.keys = 0

    def key(self, key: str | Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.keys += 1
        QTest.keyClick(QWidget.focusWidget(self.place.shim.main_window) or self.view, key, modifier)

    def click_into_view(self) -> None:
        self.view.setFocus()
        self.place.shim.process_events()

    def pan(self) -> None:
        node = self.place.mrml.slice_node
        x, y, z = node.GetXYZOrigin()
        node.SetXYZOrigin(x + 20, y - 10, z)
        self.click_into_view()

    def drag(self, name: str) -> None:
        """A corner two pixels and back again: the landmarks stay right, and are the reader's."""
        mrml, position = self.place.mrml, self.place.stage.landmarks.position(name)
        mrml.render()
        start = mrml.to_display(position)
        if not (0 < start[0] < mrml.width and 0 < start[1] < mrml.height):
            self.place.stage.view.jump_to(name)
            mrml.render()
            start = mrml.to_display(self.place.stage.landmarks.position(name))
        end = start[0] + 3, start[1] + 2
        mrml.drag(start, end)
        mrml.drag(end, start)
        self.click_into_view()

    def read(self, number: int, grades: str) -> None:
        """One image: levels, eight grades, with the mouse in between in ways that differ from image to image."""
        self.keys = 0
        if number % 3 == 1:
            self.pan()
        self.key("y")
        for place, grade in enumerate(grades):
            if (number + place) % 4 == 0:
                self.pan()
            if place == 3 and number % 2:
                self.drag("L3-SA")
            self.key(grade)


def grades_of(number: int) -> str:
    """Differs from image to image, so that a grade in the wrong image or cell is seen."""
    return "".join("0123U"[(number * 7 + place * (3 + number % 4)) % 5] for place in range(8))


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator:
    folder = tmp_path_factory.mktemp("twenty") / "studies"
    for seed in range(CASES):
        drawn = phantom.generate(seed + 100, difficulty="easy", crop=None)
        phantom.write(drawn, folder, format="dicom", name=f"case.{seed:02d}")
    for path in folder.glob("*.truth.json"):
        path.unlink()
    environment = {"MONAI_LABEL_SESSION_PATH": str(tmp_path_factory.mktemp("sessions")), "OMP_WAIT_POLICY": "PASSIVE"}
    with our_server(folder, environment) as running:
        yield running


@pytest.mark.long
def test_a_radiologist_reads_twenty_images_by_keyboard_alone(server, tmp_path):
    with MrmlScene() as mrml, qt_shim.installed(mrml.scene, tmp_path) as shim:
        place = open_module(shim, mrml)
        try:
            sitting(place, server, tmp_path)
        finally:
            place.module.exit()
            place.module.cleanup()
        assert shim.errors == []


def sitting(place: Place, server, folder: Path) -> None:
    radiologist = Radiologist(place, view_beside(place))
    place.session.reader = "scripted"
    place.session.connect(server.url)
    place.module.jobs.wait(PATIENCE_S)
    place.settle()
    combo = place.panel.image.ui.strategyCombo
    combo.setCurrentIndex(combo.findData("first"))
    radiologist.click_into_view()
    QTest.keyClick(radiologist.view, Qt.Key.Key_PageDown)
    place.module.jobs.wait(PATIENCE_S)
    place.settle()
    read, keys, ahead = {}, [], 0
    machine, ready = Watch(), Watch()
    for number in range(CASES):
        image = place.session.sample.image_id
        assert image not in read
        grades = grades_of(number)
        with machine:
            radiologist.read(number, grades)
            place.panel.tick()
        read[image] = grades
        open_ends = place.session.questions()
        assert open_ends == (), "nobody is there to answer"
        place.module.jobs.wait(PATIENCE_S)  # a reader takes longer than the machine to fetch the next image
        is_ahead = place.session._prefetch.peek(place.panel.wish()) is not None
        with ready if is_ahead else Watch():
            radiologist.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
            place.mrml.render()
        if number + 1 < CASES:
            if is_ahead:
                assert place.session.sample.image_id != image, "at once, before anything of the background came"
                ahead += 1
            place.module.jobs.wait(PATIENCE_S, until=lambda image=image: place.session.sample.image_id != image)
        keys.append(radiologist.keys)
        place.settle()
    place.module.jobs.wait(PATIENCE_S)
    place.settle()
    report(keys, machine, ready, ahead)
    assert_labels(server, read)
    assert max(keys) <= MOST_KEYS
    assert place.session.write_sitting(folder / "sitting.csv")
    assert len((folder / "sitting.csv").read_text(encoding="utf-8").splitlines()) == CASES + 1
    assert ahead == CASES - 1
    assert statistics.median(ready.processor) < READY_S


def view_beside(place: Place) -> QWidget:
    """Stands for the slice view: a widget that takes the keyboard when it is clicked."""
    view = QWidget()
    view.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    dock = QDockWidget()
    dock.setWidget(view)
    place.shim.main_window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    place.shim.process_events()
    return view


class Watch:
    """Times of a part of the work, by the clock and of the processor, seconds."""

    def __init__(self) -> None:
        self.clock: list[float] = []
        self.processor: list[float] = []

    def __enter__(self) -> None:
        self._began = time.monotonic(), time.process_time()

    def __exit__(self, *_error: object) -> None:
        self.clock.append(time.monotonic() - self._began[0])
        self.processor.append(time.process_time() - self._began[1])


def report(keys: list[int], machine: Watch, ready: Watch, ahead: int) -> None:
    print(f"\n{CASES} images: keys an image median {statistics.median(keys):.0f}, most {max(keys)}")
    for words, watch in (("reading, the machine's part", machine), ("submit to next image shown", ready)):
        for kind, times in (("clock", watch.clock), ("processor", watch.processor)):
            ordered = sorted(times)
            p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
            print(f"{words}, {kind}: median {statistics.median(ordered):.2f} s, p95 {p95:.2f} s")
    print(f"fetched ahead in time: {ahead} of {CASES - 1}")


def assert_labels(server, read: dict[str, str]) -> None:
    """Every image has one label, with the grades that were typed, cell by cell."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as http:
        for image, grades in read.items():
            history = http.get("/datastore/label/history", params={"image": image}).raise_for_status().json()
            (revision,) = [each for each in history["revisions"] if each["tag"] == "final"]
            asked = {"image": image, "number": revision["number"]}
            reading = http.get("/datastore/label/reading", params=asked).raise_for_status().json()
            kept = [
                reading["aac"]["grades"][level][wall]
                for level in ("L1", "L2", "L3", "L4")
                for wall in ("anterior", "posterior")
            ]
            assert kept == ["unreadable" if grade == "U" else int(grade) for grade in grades], image
    assert len(read) == CASES
