"""A reader's session on real MRML with a real server."""

from __future__ import annotations

import csv
import shutil

import httpx
import numpy as np
import pytest
from VerteNetLib.states import Action, Phase

from vertenet.imaging import read
from vertenet.measure.aac import CELLS, UNREADABLE
from vertenet.radiograph import Spacing, SpacingSource
from vertenet.reading import Reading
from vertenet.spine import Status

from ..conftest import new_image
from ..fault_server import Fault, FaultServer
from .conftest import Remembered, wait
from .steps import begin, history, move, place_truth

SECRET = "s3cret-token"


def test_a_label_arrives_with_what_was_changed_scored_and_written(session, server):
    image_id = begin(session, server, landmarks="model")
    assert session.situation.phase is Phase.EDITING
    move(session, "L2-SA", 3.0)
    for level, wall in CELLS:
        session.set_score(level, wall, 1)
    session.set_score("L4", "posterior", UNREADABLE)
    session.notes = "metal over L3"
    session.submit()
    wait(session)
    revision = history(server, image_id)[-1]
    assert revision["annotator"] == session.reader
    assert revision["model_sha256"] == session.info.sha256
    assert [(change["point"], change["dx"]) for change in revision["changed"]] == [
        ("L2-SA", pytest.approx(3.0, abs=1e-3))
    ]
    answer = httpx.get(
        f"{server.url}/datastore/label/reading",
        params={"image": image_id, "number": revision["number"]},
        trust_env=False,
    )
    reading = Reading.from_dict(answer.json())
    assert (reading.aac.total, reading.aac.bounds) == (None, (7, 10))
    assert (reading.reader, reading.notes) == (session.reader, "metal over L3")
    assert session.statistics.labelled == 1
    assert session.statistics.minutes_per_image > 0
    assert session.drafts() == []
    assert session.unsent == 0


def test_work_survives_a_crash_and_the_draft_goes_when_its_label_arrives(session, open_session, server, mrml):
    image_id = begin(session, server, landmarks="model")
    move(session, "L1-SP", -2.0)
    session.set_score("L1", "anterior", 3)
    session.notes = "half done"
    session.jobs.wait(5, until=lambda: session.drafts())
    left = session.stage.landmarks.spine()
    session.stage.release()  # what a new process finds: an empty scene, and the files of the old one

    again = open_session()
    (draft,) = again.drafts()
    assert draft.image_name == image_id
    again.restore_draft(draft.key)
    assert again.situation.phase is Phase.EDITING
    np.testing.assert_allclose(again.stage.landmarks.spine().to_array(), left.to_array(), atol=1e-6)
    assert (again.aac.grade("L1", "anterior"), again.notes) == (3, "half done")
    assert again.proposal.reading.spine == session.proposal.reading.spine if session.proposal else again.proposal
    again.connect(server.url)
    wait(again)
    again.submit()
    wait(again)
    assert again.drafts() == []
    assert history(server, image_id)[-1]["changed"]


def test_closing_the_scene_loses_nothing_either(session, server, mrml):
    begin(session, server)
    move(session, "L3-IA", 4.0)
    left = session.stage.landmarks.spine()
    mrml.scene.Clear(False)
    assert session.situation.phase is Phase.NO_IMAGE
    assert session.put_away()
    (draft,) = session.drafts()
    session.restore_draft(draft.key)
    np.testing.assert_allclose(session.stage.landmarks.spine().to_array(), left.to_array(), atol=1e-6)


def test_an_image_seen_again_brings_its_work_back_by_itself(session, server, stage):
    begin(session, server)
    volume = stage.image.volume_id
    session.notes = "look again"
    session.use_volume(volume)
    assert session.notes == "look again"
    assert session.sample is not None, "it came from the server"
    assert "taken up again" in session.message.text


def test_offline_a_label_waits_and_is_sent_when_the_server_is_there_again(session, server):
    with FaultServer(server.url) as door:
        image_id = begin(session, server, url=door.url)
        before = len(history(server, image_id))
        door.fault = Fault(drop=True, after=True)  # carried out, but the answer is lost
        session.submit()
        session.jobs.wait(10, until=lambda: not session.jobs.busy)
        assert session.message.kind == "error"
        assert not session.situation.online
        assert session.unsent == 1
        assert session.allows(Action.EDIT)
        move(session, "L3-SA", 1.0)
        session.submit()
        assert session.unsent == 2
        door.fault = None
        session.jobs.wait(20, until=lambda: session.unsent == 0 and session.jobs.idle)
        assert session.situation.online
        assert len(history(server, image_id)) == before + 2
        assert session.statistics.labelled == 1


def test_a_label_that_the_server_refuses_stays_with_its_sentence(session, server):
    image_id = begin(session, server)
    before = len(history(server, image_id))
    names = [name for name, _corner in session.stage.landmarks.spine().named_points()]
    session.stage.landmarks.mark(names, Status.MISSING)
    session.submit()
    session.jobs.wait(20)
    assert session.message.kind == "error"
    assert "no vertebra from T12 to L5 has its four corners" in session.message.text
    assert session.unsent == 0
    (sentence,) = session.rejected()
    assert image_id in sentence
    assert len(history(server, image_id)) == before
    session.stage.landmarks.undo()
    session.submit()
    wait(session)
    assert len(history(server, image_id)) == before + 1


def test_a_label_that_contradicts_itself_is_not_sent_and_not_kept(session, server):
    image_id = begin(session, server)
    before = len(history(server, image_id))
    move(session, "L3-SA", -400)
    session.submit()
    wait(session)
    assert session.message.kind == "warning"
    assert "L3-SA" in session.message.text
    assert session.unsent == 0
    assert session.rejected() == ()
    assert len(history(server, image_id)) == before
    session.stage.landmarks.undo()
    session.submit()
    wait(session)
    assert len(history(server, image_id)) == before + 1


def test_the_reading_follows_the_landmarks_and_keeps_the_model_s_identity(session, server):
    begin(session, server, landmarks="model")
    first = session.reading()
    assert first.model.sha256 == session.info.sha256
    assert first.aac is None
    session.stage.landmarks.shift_levels(1)
    shifted = session.reading()
    assert shifted.levels.certain
    assert "T12 was not found" in shifted.warnings
    session.stage.landmarks.undo()
    assert session.reading().warnings == first.warnings


def test_a_spacing_that_the_reader_gives_is_used_and_remembered(session, server):
    begin(session, server, landmarks="none")
    session.set_spacing(Spacing(0.5, 0.5, SpacingSource.USER))
    session.auto_landmark()
    wait(session)
    reading = session.reading()
    assert (reading.image.spacing.row, reading.image.spacing.source) == (0.5, SpacingSource.USER)
    assert reading.morphometry.vertebrae["L2"].mm is not None
    assert session.proposal.reading.image.spacing.row == 0.5


def test_by_hand_without_a_model(session, server, studies, stage):
    image = stage.load(studies / "lateral.png", "lateral")
    session.use_volume(image.volume_id)
    assert session.sample is None
    session.start_by_hand("left")
    spine = stage.landmarks.spine()
    assert spine.anterior == "left"
    assert all(corner.status is Status.MISSING for _name, corner in spine.named_points())
    assert session.reading().model is None
    assert not session.allows(Action.SUBMIT)


def test_an_image_of_this_computer_goes_to_the_server_after_consent_and_without_the_patient(
    session, server, studies, stage
):
    session.connect(server.url)
    wait(session)
    image = stage.load(studies / "1.2.840.1.dcm", "Doe, Jane")
    session.use_volume(image.volume_id)
    session.notes = "of this computer"
    session.jobs.wait(5, until=lambda: session.drafts())
    session.upload(False)
    assert session.message.kind == "warning"
    assert session.sample is None
    session.upload(True)
    wait(session)
    image_id = session.sample.image_id
    assert "Doe" not in image_id
    assert (server.studies / f"{image_id}.dcm").is_file()
    assert len(session.drafts()) == 1
    session.auto_landmark()
    wait(session)
    session.submit()
    wait(session)
    assert len(history(server, image_id)) == 1
    assert [path for path in (session.folder / "uploads").rglob("*") if path.is_file()] == []


def test_a_picture_without_a_patient_goes_as_pixels(session, server, studies, stage):
    session.connect(server.url)
    wait(session)
    image = stage.load(studies / "lateral.png", "lateral")
    session.use_volume(image.volume_id)
    session.upload(True)
    wait(session)
    sent = read(server.studies / f"{session.sample.image_id}.nrrd")
    np.testing.assert_array_equal(sent.pixels, read(studies / "lateral.png").pixels)
    session.auto_landmark()
    wait(session)
    assert session.situation.phase is Phase.EDITING


def test_skipped_images_are_not_offered_again(session, server):
    first = begin(session, server, landmarks="none")
    session.skip("metal over L3")
    wait(session)
    assert session.situation.phase is Phase.NO_IMAGE
    session.next_image("first")
    wait(session)
    assert session.sample is None or session.sample.image_id != first


def test_an_export_is_four_files_and_the_table_gives_reasons(session, server, tmp_path):
    begin(session, server, landmarks="model")
    session.set_score("L1", "anterior", 2)
    paths = session.export(tmp_path / "out")
    assert [path.name.rpartition(session.sample.image_id)[2] for path in paths] == [
        ".reading.json",
        ".mrk.json",
        ".csv",
        ".png",
    ]
    assert Reading.load(paths[0]).aac.grade("L1", "anterior") == 2
    assert paths[3].read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(paths[2].read_text(encoding="utf-8").splitlines()))
    found = {(row["quantity"], row["level"]): row for row in rows}
    assert found["AAC-24", ""]["value"] == ""
    assert "between 2 and 23" in found["AAC-24", ""]["remark"]
    assert "Research use only" in found["notice", ""]["value"]
    assert found["model", ""]["remark"].startswith(f"SHA-256 {session.info.sha256}")
    assert found["anterior height", "L2"]["unit"] in ("mm", "px")


def test_a_training_is_started_watched_and_stopped_and_another_version_served(session, server):
    session.connect(server.url)
    wait(session)
    session.train({"steps": 1, "nonsense": 1})
    session.jobs.wait(20, until=lambda: not session.jobs.busy)
    assert session.message.kind == "error"
    assert "nonsense" in session.message.text
    session.train({"minutes": 30})
    wait(session)
    assert session.situation.training
    assert not session.allows(Action.ROLL_BACK)
    session.stop_training()
    session.jobs.wait(60, until=lambda: not session.situation.training)
    assert session.message.kind == "warning"
    assert "The served model stays as it is." in session.message.text
    session.roll_back("v0000")
    session.jobs.wait(20, until=lambda: not session.jobs.busy)
    assert session.message.text == "The server uses v0000 now."
    session.jobs.wait(20)
    assert [version.name for version in session.versions] == ["v0000"]


def test_a_server_of_this_computer_is_started_and_stopped(session, studies, tmp_path):
    folder = shutil.copytree(studies, tmp_path / "own")
    assert session.situation.local_server is False
    session.start_local_server(folder)
    wait(session)
    assert session.situation.local_server is True
    assert session.situation.online
    assert session.connection.store == f"folder:{folder}"
    url = session.connection.url
    session.stop_local_server()
    wait(session)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/info/", trust_env=False)
    assert session.situation.local_server is False
    assert not session.situation.online


def test_a_local_server_that_cannot_start_says_why(session, settings, tmp_path):
    session.start_local_server(tmp_path / "no such folder")
    session.jobs.wait(60)
    assert session.message.kind == "error"
    assert "no such folder" in session.message.text
    assert session.situation.local_server is False
    settings.set("local_server/program", str(tmp_path / "nothing"))
    assert session.situation.local_server is None


def test_the_token_is_in_the_settings_and_in_no_file(session, server, settings):
    with FaultServer(server.url) as door:
        new_image(server)
        session.connect(door.url, SECRET)
        wait(session)
        session.next_image("first")
        wait(session)
        place_truth(session)
        session.notes = "x"
        session.submit()
        wait(session)
        session.notes = "y"
        session.jobs.wait(5, until=lambda: session.drafts())
    assert settings.get("server/token") == SECRET
    kept = [path for path in session.folder.rglob("*") if path.is_file()]
    assert kept
    assert all(SECRET.encode() not in path.read_bytes() for path in kept)
    assert SECRET not in str(session.message)


def test_a_stopped_request_leaves_a_usable_session(session, server):
    with FaultServer(server.url) as door:
        new_image(server)
        session.connect(door.url)
        wait(session)
        door.fault, door.only = Fault(silent_s=2.0), "/activelearning"
        session.next_image("first")
        assert session.situation.busy
        assert session.allows(Action.CANCEL)
        session.cancel()
        assert not session.situation.busy
        assert session.message.text == "Stopped."
        door.fault = None
        session.next_image("first")
        wait(session)
        assert session.situation.phase is Phase.IMAGE


def test_a_busy_server_is_waited_for(session, server):
    with FaultServer(server.url) as door:
        new_image(server)
        session.connect(door.url)
        wait(session)
        door.fault, door.times = Fault(429, b"", {"Retry-After": "1"}), 1
        said = []
        session.subscribe(lambda: said.append(session.progress))
        session.next_image("first")
        wait(session)
        assert session.situation.phase is Phase.IMAGE
        assert any(progress and "busy" in progress[0] for progress in said)


def test_readers_without_a_name_have_one_of_their_installation():
    from VerteNetLib.identity import annotator_name

    first, second = Remembered(), Remembered()
    assert annotator_name(first) == annotator_name(first) != annotator_name(second)
    first.set("reader", "Dr. Anna Müller")
    assert annotator_name(first) == "Dr.-Anna-Muller"


def test_what_is_not_possible_says_so_and_does_nothing(session):
    for act in (session.submit, session.next_image, session.auto_landmark, session.swap, session.train):
        act()
        assert session.message.kind == "warning"
    assert session.export(session.folder) == ()
