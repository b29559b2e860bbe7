"""Answers that come too late, buttons pressed twice, images that look alike: nothing is lost, doubled or mixed up."""

from __future__ import annotations

import shutil
import threading

import httpx
import numpy as np
import pytest
from PIL import Image
from VerteNetLib.answers import Submission
from VerteNetLib.client import Client
from VerteNetLib.connection import Connection
from VerteNetLib.failures import FailureKind, ServerError
from VerteNetLib.states import Action, Phase

from vertenet.annotation import markups

from ..conftest import new_image
from ..fault_server import Fault, FaultServer
from .conftest import wait
from .steps import begin, history, move, place_truth


@pytest.fixture
def held(server):
    """A door that holds back the next request to a path, and a way to let it go on."""
    with FaultServer(server.url) as door:
        door.go_on, door.came = threading.Event(), threading.Event()

        def wait_there() -> None:
            door.came.set()
            assert door.go_on.wait(30)

        def hold(path: str) -> None:
            door.only = path
            door.next = [Fault(meanwhile=wait_there, replace=(b"", b""))]

        door.hold = hold
        yield door
        door.go_on.set()


def mirror(server, image_id: str) -> None:
    """Another image in the place of an image: the same name, format and size."""
    path = server.studies / f"{image_id}.png"
    with Image.open(path) as image:
        mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored.save(path)


def next_until(session, image_id: str) -> None:
    """Ask for images, and put others aside, until this one is on the screen."""
    while session.sample is None or session.sample.image_id != image_id:
        if session.sample is not None:
            session.skip("another one is wanted")
            wait(session)
        session.next_image("first")
        wait(session)


def test_a_second_press_of_submit_makes_no_second_label(session, server):
    image_id = begin(session, server)
    session.submit()
    session.submit()
    assert session.message.kind == "warning"
    wait(session)
    session.submit()
    wait(session)
    assert "on the server already" in session.message.text
    assert len(history(server, image_id)) == 1
    session.submit(tag="reviewed")
    wait(session)
    move(session, "L2-SA", 1.0)
    session.submit()
    wait(session)
    assert [revision["tag"] for revision in history(server, image_id)] == ["final", "reviewed", "final"]


def test_a_second_press_of_submit_while_the_label_waits_makes_no_second_label(session, server):
    with FaultServer(server.url) as door:
        image_id = begin(session, server, url=door.url)
        door.fault, door.only = Fault(drop=True, after=True), "/datastore/label"
        for _press in range(2):
            session.submit()
            session.jobs.wait(10, until=lambda: not session.jobs.busy)
            assert session.unsent == 1
        door.fault = None
        session.jobs.wait(20, until=lambda: session.unsent == 0 and session.jobs.idle)
    assert len(history(server, image_id)) == 1


def test_a_submission_that_was_stopped_and_arrived_all_the_same_leaves_no_unfinished_work(session, server, held):
    image_id = begin(session, server, url=held.url)
    held.hold("/datastore/label")
    session.submit()
    assert held.came.wait(20)
    session.cancel()
    assert "can be sent later" in session.message.text
    assert len(session.drafts()) == 1
    held.go_on.set()
    session.jobs.wait(20, until=lambda: session.unsent == 0)
    assert session.drafts() == []
    session.submit()
    wait(session)
    assert len(history(server, image_id)) == 1


def test_each_of_two_images_in_a_row_keeps_its_own(session, server):
    first = begin(session, server)
    move(session, "L3-SA", 5.0)
    session.notes = "of the first"
    session.set_score("L1", "anterior", 3)
    left = session.stage.landmarks.spine()
    second = begin(session, server, landmarks="none")
    assert second != first
    assert (session.notes, session.aac.is_empty, session.proposal) == ("", True, None)
    assert session.situation.phase is Phase.IMAGE
    (draft,) = session.drafts()
    session.restore_draft(draft.key)
    assert (session.sample.image_id, session.notes) == (first, "of the first")
    np.testing.assert_allclose(session.stage.landmarks.spine().to_array(), left.to_array(), atol=1e-9)
    session.submit()
    wait(session)
    assert len(history(server, first)) == 1
    assert history(server, second) == []


def test_an_answer_that_comes_after_the_scene_was_closed_changes_nothing(session, server, held, mrml):
    begin(session, server, landmarks="none", url=held.url)
    held.hold("/infer")
    session.auto_landmark()
    assert held.came.wait(20)
    mrml.scene.Clear(False)
    held.go_on.set()
    session.jobs.wait(30)
    assert session.message.kind == "warning"
    assert "not on the screen any more" in session.message.text
    assert (session.situation.phase, session.proposal) == (Phase.NO_IMAGE, None)
    assert session.stage.landmarks.spine() is None


def test_an_answer_that_comes_after_it_was_stopped_stays_off_the_next_image(session, server, held, studies):
    begin(session, server, landmarks="none", url=held.url)
    held.hold("/infer")
    session.auto_landmark()
    assert held.came.wait(20)
    session.cancel()
    session.open_file(studies / "1.2.840.1.dcm")
    held.go_on.set()
    session.jobs.wait(10)
    for _again in range(50):
        session.jobs.poll()
    assert (session.situation.phase, session.proposal) == (Phase.IMAGE, None)


def test_an_upload_that_ends_after_the_scene_was_closed_gives_nothing_to_the_next_image(
    session, server, held, studies, mrml
):
    session.connect(held.url)
    wait(session)
    session.open_file(studies / "lateral.png")
    held.hold("/datastore/image")
    session.upload(True)
    assert held.came.wait(20)
    mrml.scene.Clear(False)
    held.go_on.set()
    session.jobs.wait(30)
    assert "is on the server" in session.message.text
    session.open_file(studies / "1.2.840.1.dcm")
    assert session.sample is None


def test_work_is_not_taken_up_while_a_request_is_under_way(session, server, held):
    begin(session, server, url=held.url)
    session.notes = "x"
    session.jobs.wait(5, until=lambda: session.drafts())
    (draft,) = session.drafts()
    held.hold("/activelearning")
    session.next_image("first")
    assert held.came.wait(20)
    assert not session.allows(Action.RESTORE_DRAFT)
    session.restore_draft(draft.key)
    assert session.message.kind == "warning"
    held.go_on.set()
    wait(session)


def test_an_image_that_was_exchanged_on_the_server_gets_neither_landmarks_nor_label_of_the_other(session, server):
    image_id = new_image(server)
    session.connect(server.url)
    wait(session)
    next_until(session, image_id)
    place_truth(session)
    move(session, "L3-SA", 2.0)
    session.notes = "of the first image"
    mirror(server, image_id)
    session.auto_landmark()
    session.jobs.wait(30)
    assert session.message.kind == "error"
    assert "another image" in session.message.text
    session.submit()
    session.jobs.wait(30)
    assert "another image than the one that has this id here" in session.message.text
    assert history(server, image_id) == []
    (refused,) = session.rejected()
    assert image_id in refused

    (draft,) = session.drafts()
    shutil.rmtree(session.folder / "images")
    session.restore_draft(draft.key)
    wait(session)
    assert "has another image as" in session.message.text
    session.open_file(server.studies / "lateral.png")
    next_until(session, image_id)
    assert (session.notes, session.situation.phase) == ("", Phase.IMAGE), "the work on the first image is not for it"
    place_truth(session)
    session.submit()
    wait(session)
    assert len(history(server, image_id)) == 1


def test_unfinished_work_goes_back_to_its_own_file_only(session, server, studies, tmp_path):
    ours, theirs = tmp_path / "ours" / "scan.png", tmp_path / "theirs" / "scan.png"
    for path in (ours, theirs):
        path.parent.mkdir()
        shutil.copyfile(studies / "lateral.png", path)
    with Image.open(theirs) as image:
        mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored.save(theirs)
    session.open_file(ours)
    session.start_by_hand("left")
    session.notes = "of ours"
    session.open_file(theirs)
    assert (session.notes, session.situation.phase) == ("", Phase.IMAGE)
    session.open_file(ours)
    assert (session.notes, session.situation.phase) == ("of ours", Phase.EDITING)


def test_a_disk_that_takes_no_label_is_a_sentence_and_loses_nothing(session, server):
    image_id = begin(session, server)
    move(session, "L3-SA", 2.0)
    folder = session.folder / "outbox"
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("in the way")
    session.submit()
    assert session.message.kind == "error"
    assert str(folder) in session.message.text
    assert session.message.text.endswith("try again.")
    assert session.situation.phase is Phase.EDITING
    folder.unlink()
    session.submit()
    wait(session)
    assert len(history(server, image_id)) == 1


def test_a_disk_that_takes_no_draft_keeps_the_image_on_the_screen(session, server, studies):
    begin(session, server)
    folder = session.folder / "drafts"
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("in the way")
    move(session, "L3-SA", 2.0)
    before = session.stage.image
    session.open_file(studies / "lateral.png")
    assert session.message.kind == "error"
    assert session.stage.image.volume_id == before.volume_id
    session.submit()  # the label does not need the draft
    wait(session)
    assert session.unsent == 0
    folder.unlink()


def test_no_digit_of_a_point_is_lost_on_the_way(session, server):
    image_id = begin(session, server)
    move(session, "L2-SA", 1.0 / 3.0)
    shown = session.stage.landmarks.spine()
    session.submit()
    wait(session)
    query = {"image": image_id, "number": history(server, image_id)[-1]["number"]}
    answer = httpx.get(f"{server.url}/datastore/label/revision", params=query, trust_env=False)
    np.testing.assert_allclose(markups.loads(answer.text).to_array(), shown.to_array(), rtol=0, atol=1e-9)


def test_a_server_that_tells_nothing_of_its_store_is_used_as_before(session, server):
    with FaultServer(server.url) as door:
        door.fault, door.only = Fault(replace=(b'"store":', b'"other":')), "/info/"
        image_id = begin(session, server, url=door.url)
        assert session.info.store == ""
        session.submit()
        wait(session)
        assert len(history(server, image_id)) == 1
        assert not any("VerteNet-Store" in headers for _method, _path, headers in door.seen)


@pytest.mark.parametrize(
    "request_to", [("GET", "/info/"), ("GET", "/datastore/image?image=lateral"), ("POST", "/activelearning/first")]
)
def test_a_request_that_is_meant_for_another_store_is_refused_and_does_nothing(server, request_to):
    own = Client(Connection(server.url)).info().store
    ask = dict(zip(("method", "url"), (request_to[0], server.url + request_to[1])))
    with httpx.Client(trust_env=False, timeout=30) as http:
        assert http.request(**ask, headers={"VerteNet-Store": own}).status_code == 200
        refused = http.request(**ask, headers={"VerteNet-Store": "3f2c1d80-5a1e-4c57-9f1b-0d6a8c1e2b34"})
    assert refused.status_code == 421
    assert refused.json()["detail"].startswith("Another folder of images is served here now")


def test_a_label_of_another_image_is_a_conflict_over_http(server):
    client = Client(Connection(server.url, annotator="carl"))
    client.info()
    with pytest.raises(ServerError) as caught:
        client.submit(Submission("other", "lateral", "final", "{}", None, "carl", image_sha256="ab" * 32))
    assert caught.value.kind is FailureKind.CONFLICT
    assert "another image" in caught.value.sentence
