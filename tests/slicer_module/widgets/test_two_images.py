"""Two images one after the other, and the keyboard wherever the reader clicked last: nothing is lost or misplaced.

The slice view of the application is not here; a plain widget that takes the focus, as the view does, stands for it.
"""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDockWidget, QWidget

from tests.slicer_module import mrml_scene  # noqa: F401 (puts the module on the path)
from vertenet.measure.aac import UNREADABLE, Aac24

from .conftest import DICOM, PNG

IMAGES = (DICOM, PNG)
PLACES = ("view", "table", "panel")
#: What a reader types, and what must come of it.
TYPED, GRADES = ("0123U012", "21003U10"), ((0, 1, 2, 3, UNREADABLE, 0, 1, 2), (2, 1, 0, 0, 3, UNREADABLE, 1, 0))


@pytest.fixture
def focus(place):
    """Moves the keyboard: into the view, into the table of grades, or onto a button of the panel."""
    view = QWidget()
    view.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    dock = QDockWidget()
    dock.setWidget(view)
    place.shim.main_window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    place.shim.process_events()

    def move(where: str) -> QWidget:
        widgets = {
            "view": view,
            "table": place.panel.reading.ui.aacTable,
            "panel": place.panel.levels.ui.transitionCombo,
        }
        widgets[where].setFocus()
        place.shim.process_events()
        assert QWidget.hasFocus(widgets[where]), where
        return widgets[where]

    return move


@pytest.mark.parametrize("where", PLACES)
def test_eight_keys_fill_the_grid_of_every_image(place, focus, where):
    for image, typed, grades in zip(IMAGES, TYPED, GRADES):
        place.load(image)
        widget = focus(where)
        for key in typed:
            QTest.keyClick(widget, key)
        place.settle()
        assert place.session.aac == Aac24(grades), image.name


def test_the_same_image_again_begins_at_its_first_open_cell(place, focus):
    for _time in range(2):
        place.load(DICOM, landmarks=not place.session.drafts())
        QTest.keyClick(focus("view"), "2")
    place.settle()
    assert place.session.aac.grades[:3] == (2, 2, None)


def test_a_click_into_the_image_between_two_grades_loses_neither(place, focus):
    place.load(DICOM)
    for key, where in zip(TYPED[0], PLACES * 3):
        QTest.keyClick(focus(where), key)
    place.settle()
    assert place.session.aac == Aac24(GRADES[0])


def test_a_key_that_is_held_down_grades_one_cell(place, focus):
    from PySide6.QtGui import QKeyEvent

    place.load(DICOM)
    widget = focus("view")
    QTest.keyPress(widget, Qt.Key.Key_1)
    for _repeat in range(5):
        event = QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_1, Qt.KeyboardModifier.NoModifier, "1", True)
        place.shim.application.sendEvent(widget, event)
    QTest.keyRelease(widget, Qt.Key.Key_1)
    place.settle()
    assert place.session.aac.grades[:2] == (1, None)


@pytest.mark.parametrize("where", PLACES)
def test_every_key_reaches_its_control_once_on_the_first_image_and_on_the_second(place, focus, monkeypatch, where):
    from VerteNetLib.widgets.controls import Controls

    pressed: list[str] = []
    monkeypatch.setattr(Controls, "press", lambda _self, control: pressed.append(control.widget.name))
    place.module.exit()
    place.module.enter()  # the keys are bound to what is above
    controls = [control for panel in place.panel.controls for control in panel.all if control.key]
    for image in IMAGES:
        place.load(image)
        widget = focus(where)
        for control in controls:
            for key in (control.key, *control.more_keys):
                pressed.clear()
                type_key(widget, key)
                assert pressed == [control.widget.name], (image.name, where, key)
    assert len(controls) >= 25


def type_key(widget: QWidget, key: str) -> None:
    from PySide6.QtGui import QKeySequence

    combination = QKeySequence(key)[0]
    QTest.keyClick(widget, combination.key(), combination.keyboardModifiers())


def test_overlay_switches_say_what_is_drawn_on_the_next_image_too(place):
    boxes = place.panel.overlays.boxes
    place.load(DICOM)
    for kind in ("corridor", "labels"):
        place.press(boxes[kind][0])
    place.load(PNG)
    for kind, (box, _key) in boxes.items():
        assert box.checked == place.stage.overlays.is_visible(kind) == drawn(place, kind), kind
    assert not boxes["corridor"][0].checked
    place.press(boxes["corridor"][0])
    place.load(DICOM, landmarks=False)
    for kind, (box, _key) in boxes.items():
        assert box.checked == place.stage.overlays.is_visible(kind) == drawn(place, kind), kind
    assert boxes["corridor"][0].checked


def drawn(place, kind: str) -> bool:
    """Whether the scene shows the layers of a kind over the present image."""
    from VerteNetLib.mrml.overlays import KINDS

    volume = place.stage.image.volume_id
    shown = set()
    for kind_of_node in ("vtkMRMLModelNode", "vtkMRMLMarkupsFiducialNode"):
        for node in place.mrml.nodes(kind_of_node):
            ours = node.GetNodeReferenceID("VerteNet.volume") == volume
            if ours and node.GetAttribute("VerteNet.role") in KINDS[kind]:
                shown.add(bool(node.GetDisplayNode().GetVisibility()))
    (only,) = shown
    return only


def test_the_window_preset_is_carried_over_and_the_list_says_it(place):
    combo = place.panel.image.ui.presetCombo
    place.load(DICOM)
    place.stage.view.set_preset("inverted")
    place.settle()
    assert combo.currentData == "inverted"
    place.load(PNG)
    assert combo.currentData == place.stage.view.preset() == "inverted"
    display = place.mrml.scene.GetNodeByID(place.stage.image.volume_id).GetDisplayNode()
    assert "Inverted" in display.GetColorNodeID()


def test_undo_takes_back_grades_and_corners_in_the_order_in_which_they_were_made(place, focus):
    place.load(DICOM)
    ui, spine = place.panel.landmarks.ui, place.stage.landmarks.spine()
    QTest.keyClick(focus("view"), "2")
    place.press(place.panel.levels.ui.shiftDownButton)
    shifted = place.stage.landmarks.spine()
    QTest.keyClick(focus("view"), "3")
    place.settle()
    seen = []
    for _step in range(3):
        place.press(ui.undoButton)
        seen.append((place.session.aac.grades[:2], place.stage.landmarks.spine() == shifted))
    assert seen == [((2, None), True), ((2, None), False), ((None, None), False)]
    assert place.stage.landmarks.spine() == spine
    for _step in range(3):
        place.press(ui.redoButton)
    assert (place.session.aac.grades[:2], place.stage.landmarks.spine()) == ((2, 3), shifted)
    assert not ui.redoButton.enabled
    place.press(ui.undoButton)
    place.press(place.panel.levels.ui.shiftUpButton)
    assert not ui.redoButton.enabled, "what was undone is not made again after something new"


def test_grades_of_the_image_before_cannot_be_undone_on_the_next(place, focus):
    place.load(DICOM)
    QTest.keyClick(focus("view"), "2")
    place.load(PNG, landmarks=False)
    assert not place.panel.landmarks.ui.undoButton.enabled
