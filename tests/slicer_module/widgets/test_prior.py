"""The prior scan beside: its picture in a window, and what changed since, in numbers."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel

from tests.slicer_module import mrml_scene  # noqa: F401 (puts the module on the path)
from vertenet.radiograph import Spacing, SpacingSource

from .conftest import DICOM, PNG, choose

SPACING = Spacing(0.5, 0.5, SpacingSource.USER)


@pytest.fixture
def exported(place, tmp_path):
    """A reading of the image as it was: graded 0, healthy L2."""
    place.load(DICOM)
    place.session.set_spacing(SPACING)
    for level in ("L1", "L2", "L3", "L4"):
        for wall in ("anterior", "posterior"):
            place.session.set_score(level, wall, 0)
    return place.session.export(tmp_path)[0]


def test_what_changed_is_said_and_the_picture_stands_beside(place, exported):
    ui, spine = place.panel.notes.ui, place.stage.landmarks.spine()
    array = spine.to_array()
    array[2, 0, 1] += 0.3 * (array[2, 2, 1] - array[2, 0, 1])  # L2: its front has lost 30 %
    place.stage.landmarks.replace(type(spine).from_array(array, anterior=spine.anterior))
    place.session.set_score("L3", "anterior", 2)
    place.settle()
    choose(exported)
    place.press(ui.priorButton)
    lines = ui.priorLabel.text.split("\n")
    assert lines[0] == f"Since {place.stage.image.name}:"
    assert "AAC-24: 0 before, 2 now." in lines
    assert "L3 anterior wall: 0 before, 2 now." in lines
    (loss,) = [line for line in lines if line.startswith("L2: anterior height")]
    assert "(-3" in loss or "(-2" in loss
    window = next(label for label in ui.priorButton.parent().findChildren(QLabel) if QLabel.isWindow(label))
    assert QLabel.isVisible(window)
    assert not QLabel.pixmap(window).isNull()
    place.load(PNG)
    assert not ui.priorLabel.isVisibleTo(place.panel.notes.root)
    assert not QLabel.isVisible(window)


def test_the_same_scan_has_not_changed(place, exported):
    from VerteNetLib.prior import changes, load_prior

    found = changes(load_prior(exported), place.session.reading())
    assert "AAC-24: 0 before, 0 now." in found
    assert all("+0%" in line or "AAC" in line for line in found)


def test_another_file_is_refused_with_a_sentence(place, tmp_path):
    place.load(DICOM)
    path = tmp_path / "other.reading.json"
    path.write_text("{}", encoding="utf-8")
    choose(path)
    place.press(place.panel.notes.ui.priorButton)
    assert place.message[0] == "✖"
    assert "no exported reading" in place.message[1]
