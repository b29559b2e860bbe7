"""Images of the scene and of files; spacing with its source; consent before anything leaves the computer."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLineEdit, QMessageBox, QPushButton

from tests.slicer_module import mrml_scene  # noqa: F401 (puts the module on the path)

from .conftest import DICOM, PNG, answer, choose, consent, truth


def test_a_volume_of_the_scene_is_chosen_and_used_and_nothing_is_removed(place, mrml):
    before = mrml.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    place.load(PNG, landmarks=False)
    volume = mrml.scene.GetNodeByID(place.stage.image.volume_id)
    place.load(DICOM, landmarks=False)
    ui = place.panel.image.ui
    assert not ui.useVolumeButton.enabled
    assert "Choose a volume first." in ui.useVolumeButton.toolTip
    ui.volumeSelector.setCurrentNode(volume)
    place.settle()
    place.press(ui.useVolumeButton)
    assert place.stage.image.volume_id == volume.GetID()
    assert ui.imageLabel.text.startswith(f"{PNG.stem}, 378 × 1104 pixels")
    assert mrml.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == before + 2


@pytest.mark.parametrize("image", [DICOM, PNG], ids=["DICOM", "PNG"])
def test_a_file_is_chosen_and_opened(place, mrml, image):
    titles = choose(image)
    place.press(place.panel.image.ui.openFileButton)
    assert titles == ["Open an image"]
    assert place.panel.image.ui.imageLabel.text.startswith(f"{image.stem}, ")
    assert mrml.scene.GetNodeByID(place.stage.image.volume_id).GetName() == image.stem
    assert place.session.situation.phase == "image"


def test_a_dicom_file_without_an_ending_is_opened(place, tmp_path):
    path = tmp_path / "IM000001"
    path.write_bytes(DICOM.read_bytes())
    choose(path)
    place.press(place.panel.image.ui.openFileButton)
    assert place.panel.image.ui.imageLabel.text.startswith("IM000001, ")
    assert "PixelSpacing" in place.panel.image.ui.spacingLabel.text


def test_a_file_that_is_no_image_leaves_the_present_image_and_the_work_on_it(place, tmp_path):
    place.load(DICOM)
    place.session.set_score("L2", "posterior", 2)
    before = place.stage.image
    broken = tmp_path / "broken.png"
    broken.write_bytes(PNG.read_bytes()[:500])
    choose(broken)
    place.press(place.panel.image.ui.openFileButton)
    assert place.message[0] == "✖"
    assert place.stage.image == before
    assert place.session.aac.grade("L2", "posterior") == 2
    assert place.panel.levels.ui.shiftUpButton.enabled


def test_the_landmarks_of_the_image_before_are_kept_when_a_file_is_opened(place):
    place.load(PNG)
    left = place.stage.landmarks.spine()
    choose(DICOM)
    place.press(place.panel.image.ui.openFileButton)
    assert place.stage.landmarks.spine() is None
    place.press(place.panel.image.ui.restoreDraftButton)
    assert place.stage.image.name == PNG.stem
    np.testing.assert_allclose(place.stage.landmarks.spine().to_array(), left.to_array(), atol=0.01)


def test_an_image_that_is_deleted_from_the_scene_leaves_a_usable_panel_and_keeps_the_work(place, mrml):
    place.load(PNG)
    mrml.scene.RemoveNode(mrml.scene.GetNodeByID(place.stage.image.volume_id))
    place.settle()
    ui = place.panel.image.ui
    assert ui.imageLabel.text == "No image yet."
    assert not place.panel.levels.ui.shiftUpButton.enabled
    place.load(PNG, landmarks=False)
    np.testing.assert_allclose(place.stage.landmarks.spine().to_array(), truth(PNG).to_array(), atol=0.01)


def test_the_size_of_a_pixel_is_shown_with_its_source(place):
    place.load(DICOM, landmarks=False)
    ui = place.panel.image.ui
    spacing = place.stage.image.spacing
    assert f"{spacing.column:.4g} × {spacing.row:.4g} mm a pixel" in ui.spacingLabel.text
    assert "PixelSpacing" in ui.spacingLabel.text
    assert ui.columnSpacingSpin.value == pytest.approx(spacing.column, abs=1e-4)


def test_an_unknown_size_is_warned_of_and_can_be_given_and_taken_back(place):
    place.load(PNG)
    ui, heights = place.panel.image.ui, place.panel.measures.ui.morphometryTitle
    assert "unknown" in ui.spacingLabel.text
    assert "⚠" in ui.spacingLabel.text
    assert heights.text == "Heights of the vertebrae, pixels"
    assert not ui.setSpacingButton.enabled
    before = place.stage.landmarks.spine()
    ui.columnSpacingSpin.value, ui.rowSpacingSpin.value = 0.36, 0.38
    place.press(ui.setSpacingButton)
    assert place.stage.image.spacing.row == 0.38
    assert ui.spacingLabel.text == "0.36 × 0.38 mm a pixel, given by you."
    assert heights.text == "Heights of the vertebrae, mm"
    assert place.stage.landmarks.spine() == before
    place.press(ui.clearSpacingButton)
    assert place.stage.image.spacing is None
    assert heights.text == "Heights of the vertebrae, pixels"


def test_what_is_typed_is_not_overwritten_by_a_refresh(place):
    place.load(PNG, landmarks=False)
    place.panel.image.ui.columnSpacingSpin.value = 0.5
    place.panel.refresh()
    assert place.panel.image.ui.columnSpacingSpin.value == 0.5


def test_the_view_is_flipped_and_back(place):
    place.load(DICOM)
    button = place.panel.image.ui.flipButton
    place.press(button)
    assert place.stage.view.is_flipped()
    assert button.checked
    place.press(button)
    assert not place.stage.view.is_flipped()


def test_each_preset_changes_what_is_seen(place, mrml):
    place.load(DICOM)
    combo, seen = place.panel.image.ui.presetCombo, set()
    for choice in range(combo.count):
        combo.setCurrentIndex(choice)
        combo.activated.emit(choice)
        display = mrml.scene.GetNodeByID(place.stage.image.volume_id).GetDisplayNode()
        seen.add((display.GetWindow(), display.GetLevel(), display.GetColorNodeID()))
    assert len(seen) == 3


def test_consent_needs_both_statements(place):
    from VerteNetLib.widgets import dialogs

    may_send = consent("consentBox", "burnedInBox", press="sendButton")
    assert dialogs.ask_consent(place.panel.root, "image", "server")
    assert may_send == [False, False, True]
    consent("consentBox", "burnedInBox", press="keepButton")
    assert not dialogs.ask_consent(place.panel.root, "image", "server")


def test_where_slicer_tests_itself_nothing_is_asked_and_nothing_agreed_to(place, monkeypatch):
    from VerteNetLib.widgets import dialogs

    monkeypatch.setattr(slicer.app, "testing", True)
    root = place.panel.root
    assert not dialogs.confirm(root, "Go on?", "Yes")
    assert dialogs.ask_side(root) is None
    assert not dialogs.ask_consent(root, "image", "server")
    assert dialogs.ask_reason(root) is None
    assert dialogs.choose_file(root, "File", "*") == dialogs.choose_folder(root, "Folder", "") == ""


def test_a_question_that_was_answered_is_gone(place):
    from VerteNetLib.widgets import dialogs

    answer("Cancel")
    assert not dialogs.confirm(place.panel.root, "Go on?", "Yes")
    consent(press="keepButton")
    assert not dialogs.ask_consent(place.panel.root, "image", "server")
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    kept = [*place.panel.root.findChildren(QMessageBox), *place.panel.root.findChildren(QDialog)]
    assert kept == []


def test_a_reason_to_skip_is_chosen_or_written(place):
    from VerteNetLib.widgets import dialogs

    answer("Put aside")
    assert dialogs.ask_reason(place.panel.root) == "metal over the spine"
    answer("Go on with it")
    assert dialogs.ask_reason(place.panel.root) is None

    def write() -> None:
        dialog = QApplication.activeModalWidget()
        combo = dialog.findChild(QComboBox, "reasonCombo")
        QComboBox.setCurrentIndex(combo, QComboBox.findData(combo, "other"))
        put_aside = dialog.findChild(QPushButton, "putAsideButton")
        assert not put_aside.isEnabled()
        dialog.findChild(QLineEdit, "reasonEdit").setText("the cat walked over it")
        put_aside.click()

    QTimer.singleShot(0, write)
    assert dialogs.ask_reason(place.panel.root) == "the cat walked over it"


def test_work_on_another_image_that_was_kept_is_offered(place):
    place.load(PNG)
    place.session.set_score("L2", "posterior", 2)
    place.load(DICOM)
    ui = place.panel.image.ui
    assert ui.draftFrame.isVisibleTo(place.panel.image.root)
    assert ui.draftCombo.currentText.startswith(PNG.stem)
    place.press(ui.restoreDraftButton)
    assert place.stage.image.name == PNG.stem
    assert place.session.aac.grade("L2", "posterior") == 2


def picture_in_scene(place, grey: bool):
    """A picture as Slicer itself loads a PNG: a volume of three values a pixel."""
    import slicer
    from PIL import Image
    from vtk.util.numpy_support import numpy_to_vtk

    pixels = np.repeat(np.asarray(Image.open(PNG).convert("L"))[..., None], 3, axis=2).copy()
    if not grey:
        pixels[100:400, 50:200] = (200, 30, 30)
    data = slicer.vtkMRMLVectorVolumeNode().GetImageData() or __import__("vtk").vtkImageData()
    data.SetDimensions(pixels.shape[1], pixels.shape[0], 1)
    data.GetPointData().SetScalars(numpy_to_vtk(pixels.reshape(-1, 3), deep=True))
    volume = place.mrml.scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "picture")
    volume.SetAndObserveImageData(data)
    volume.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)
    return volume


def test_a_picture_that_slicer_loaded_in_colour_can_be_chosen_and_is_worked_on_in_grey(place):
    ui = place.panel.image.ui
    picture = picture_in_scene(place, grey=True)
    for _time in range(2):
        ui.volumeSelector.setCurrentNode(picture)
        place.settle()
        place.press(ui.useVolumeButton)
        assert place.stage.image.name == "picture"
        assert place.stage.radiograph().pixels.shape == (place.stage.image.rows, place.stage.image.columns)
        assert place.stage.image.volume_id != picture.GetID()
    assert len([n for n in place.mrml.nodes("vtkMRMLScalarVolumeNode") if n.GetName() == "picture"]) == 2, "one copy"


def test_a_picture_that_really_has_colours_is_refused_with_a_sentence(place):
    ui = place.panel.image.ui
    ui.volumeSelector.setCurrentNode(picture_in_scene(place, grey=False))
    place.settle()
    place.press(ui.useVolumeButton)
    assert place.message[0] == "✖"
    assert "colour" in place.message[1]
    assert place.stage.image is None
