"""What leaves this computer and what is written to it, button by button: consent, upload, export, chosen files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.slicer_module import qt_shim
from vertenet.reading import Reading

from .conftest import DICOM, Place, answer, choose, consent, decline, open_module

#: Letters, since UIDs are full of digits.
PATIENT, PATIENT_ID = "Doe^Jane", "of-the-clinic-4711"


@pytest.fixture(scope="module")
def reader(server, mrml, tmp_path_factory) -> Iterator[Place]:
    """Connected by the button."""
    with qt_shim.installed(mrml.scene, tmp_path_factory.mktemp("user")) as shim:
        place = open_module(shim, mrml)
        place.session.reader = "a reader who sends images"
        place.panel.connection.ui.urlEdit.text = server.url
        place.press(place.panel.connection.ui.connectButton)
        yield place
        place.module.exit()
        place.module.cleanup()
        assert shim.errors == []


@pytest.fixture
def own_image(reader, tmp_path) -> Path:
    """A DICOM file of a patient, opened by the button; the server does not have it."""
    path = tmp_path / "IM01"
    data = dcmread(DICOM)
    data.PatientName, data.PatientID = PATIENT, PATIENT_ID
    data.save_as(path)
    choose(path)
    reader.press(reader.panel.image.ui.openFileButton)
    assert reader.session.sample is None
    assert "send it there first" in reader.panel.landmarks.ui.autoLandmarkButton.toolTip
    return path


def files_of(server) -> set[Path]:
    return {path for path in server.studies.iterdir() if path.is_file()}


def test_an_image_stays_here_until_both_statements_are_ticked_and_send_is_pressed(reader, server, own_image):
    before = files_of(server)
    may_send = consent("consentBox", press="keepButton")
    reader.press(reader.panel.image.ui.uploadButton)
    assert may_send == [False, False]
    assert files_of(server) == before
    assert reader.session.sample is None
    assert reader.panel.image.ui.uploadButton.enabled


def test_an_image_that_was_sent_has_lost_the_patient_and_can_be_landmarked(reader, server, own_image):
    before, panel = files_of(server), reader.panel
    consent("consentBox", "burnedInBox", press="sendButton")
    reader.press(panel.image.ui.uploadButton)
    assert reader.message[0] == "ℹ"
    (sent,) = files_of(server) - before
    assert reader.message[1] == f"The image is on the server as {reader.session.sample.image_id}."
    assert PATIENT.encode() not in sent.read_bytes()
    assert PATIENT_ID.encode() not in sent.read_bytes()
    assert not panel.image.ui.uploadButton.enabled
    assert "has this image already" in panel.image.ui.uploadButton.toolTip
    reader.press(panel.landmarks.ui.autoLandmarkButton)
    assert reader.session.situation.phase == "editing"


def test_a_reading_is_written_to_the_folder_that_is_chosen(reader, own_image, tmp_path):
    answer("Right")
    reader.press(reader.panel.landmarks.ui.byHandButton)
    button, folder = reader.panel.notes.ui.exportButton, tmp_path / "for the report"
    folder.mkdir()
    decline()
    reader.press(button)
    assert list(folder.iterdir()) == []
    titles = choose(folder)
    reader.press(button)
    assert titles == ["Folder for the reading"]
    written = {path.name: path for path in folder.iterdir()}
    assert {"".join(path.suffixes) for path in written.values()} == {".reading.json", ".csv", ".mrk.json", ".png"}
    (reading,) = (path for name, path in written.items() if name.endswith(".reading.json"))
    assert Reading.from_json(reading.read_text(encoding="utf-8")).reader == "a reader who sends images"
    assert "Written to" in reader.message[1]
    assert reader.session.settings.get("export/folder") == str(folder)


def test_the_certificate_and_the_folder_of_a_local_server_are_chosen(place, tmp_path):
    ui, certificate = place.panel.connection.ui, tmp_path / "clinic.pem"
    certificate.touch()
    titles = choose(certificate)
    place.press(ui.certificateButton)
    assert (titles, ui.certificateEdit.text) == (["Certificate of the authority"], str(certificate))
    titles = choose(tmp_path)
    place.press(ui.studiesButton)
    assert (titles, ui.studiesEdit.text) == (["Folder with images"], str(tmp_path))
    decline()
    place.press(ui.certificateButton)
    decline()
    place.press(ui.studiesButton)
    assert (ui.certificateEdit.text, ui.studiesEdit.text) == (str(certificate), str(tmp_path))
