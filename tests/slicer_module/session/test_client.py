"""The client against a real server, and the parts of it that no server is needed for."""

from __future__ import annotations

import uuid

import pytest
from VerteNetLib.answers import Submission
from VerteNetLib.client import Client, file_stem
from VerteNetLib.connection import Connection
from VerteNetLib.failures import FailureKind, ServerError
from VerteNetLib.jobs import CancelledError

from vertenet.annotation import markups
from vertenet.imaging import read

from ..conftest import new_image


class Told:
    """A progress that remembers, and stops after so many words."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.shares, self.stop_after = [], stop_after

    def report(self, _sentence, fraction=None):
        self.shares.append(fraction)
        self.check()

    def check(self):
        if len(self.shares) >= self.stop_after:
            raise CancelledError


def test_it_tells_who_answers(client):
    info = client.info()
    assert (info.name, info.total >= 2, info.trains, info.complete) == ("VerteNet", True, True, True)
    assert "hybrid" in info.strategies
    assert len(info.sha256) == 64
    assert info.synthetic_only
    assert [version.name for version in client.versions() if version.served] == [info.model_version]
    assert client.training().state in ("none", "failed", "done", "killed")


def test_an_image_is_offered_fetched_whole_and_read_by_the_model(client, server, tmp_path):
    new_image(server)
    sample = client.next_sample("first")
    told = Told()
    path = client.fetch_image(sample.image_id, tmp_path, told)
    (original,) = (p for p in server.studies.glob(f"{sample.image_id}.*"))
    assert path.name == original.name
    assert path.read_bytes() == original.read_bytes()
    assert told.shares[-1] == 1.0
    pixels = read(path).pixels
    proposal = client.infer(sample.image_id, {"anterior": "file"}, pixels.shape)
    assert proposal.reading.model.sha256 == client.info().sha256
    assert "path" not in sample.scores


def test_a_stopped_download_leaves_nothing(client, tmp_path):
    with pytest.raises(CancelledError):
        client.fetch_image("1.2.840.1", tmp_path, Told(stop_after=2))
    assert list(tmp_path.iterdir()) == []


def test_an_upload_arrives_byte_by_byte_and_can_be_stopped(client, server, studies):
    source, image_id = studies / "lateral.png", f"upload-{uuid.uuid4().hex[:8]}"
    with pytest.raises(CancelledError):
        client.upload(source, image_id, Told(stop_after=2))
    told = Told()
    assert client.upload(source, image_id, told) == image_id
    assert told.shares[-1] == 1.0
    assert (server.studies / f"{image_id}.png").read_bytes() == source.read_bytes()


def test_a_submission_sent_twice_is_one_revision(client, server):
    image = read(server.studies / "lateral.png")
    spine = client.infer("lateral", {}).reading.spine
    text = markups.dumps(spine, image.geometry, image="lateral", size=image.pixels.shape)
    submission = Submission(str(uuid.uuid4()), "lateral", "final", text, None, "bert")
    before = len(client.history("lateral"))
    first, second = client.submit(submission), client.submit(submission)
    assert (first.repeated, second.repeated) == (False, True)
    assert first.revision == second.revision
    assert len(client.history("lateral")) == before + 1


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda client: client.next_sample("luck"), FailureKind.NOT_FOUND),
        (lambda client: client.history("nobody"), FailureKind.NOT_FOUND),
        (lambda client: client.infer("nobody", {}), FailureKind.NOT_FOUND),
        (lambda client: client.infer("lateral", {"anterior": "up"}), FailureKind.REJECTED),
        (lambda client: client.infer("lateral", {}, (3, 4)), FailureKind.WRONG_IMAGE),
        (lambda client: client.skip("lateral", ""), FailureKind.REJECTED),
        (lambda client: client.rollback("v9999"), FailureKind.NOT_FOUND),
        (lambda client: client.submit(Submission("s", "lateral", "final", "{}", None)), FailureKind.REJECTED),
    ],
)
def test_the_server_s_own_sentence_is_passed_on(client, ask, kind):
    with pytest.raises(ServerError) as caught:
        ask(client)
    assert caught.value.kind is kind
    assert caught.value.sentence.endswith(".")


def test_the_token_is_sent_and_kept_out_of_every_message(server):
    from ..fault_server import FaultServer, problem

    with FaultServer(server.url) as door:
        asked = Client(Connection(door.url, "s3cret"))
        asked.info()
        assert {headers["Authorization"] for _m, _p, headers in door.seen} == {"Bearer s3cret"}
        door.fault = problem(401, "No.")
        with pytest.raises(ServerError) as caught:
            asked.info()
    assert "s3cret" not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize("image_id", ["../../x", "/etc/passwd", "..", "a\\b", "a/b", "\x00", "." * 5, "x" * 300])
def test_no_id_leads_out_of_the_folder(image_id, tmp_path):
    path = tmp_path / f"{file_stem(image_id)}.png"
    assert path.resolve().parent == tmp_path.resolve()
    path.write_bytes(b"")
