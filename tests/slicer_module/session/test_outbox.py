"""Labels on their way: on the disk until the server has them, whatever happens."""

from __future__ import annotations

import json
import time

import pytest
from VerteNetLib.answers import Origin, Receipt, Submission
from VerteNetLib.drafts import Drafts
from VerteNetLib.failures import FailureKind, ServerError
from VerteNetLib.outbox import Outbox
from VerteNetLib.work import Work

STORE = "http://127.0.0.1:8000"


class Silent:
    def report(self, *_words):
        pass

    def check(self):
        pass


class Answers:
    """A server that gives the next of these answers to each submission; it remembers what came."""

    is_the_one_of_before = True

    def __init__(self, *answers) -> None:
        self.answers, self.came = list(answers), []

    def info(self):
        if not self.is_the_one_of_before:
            raise ServerError(FailureKind.MISDIRECTED, "It is another store")

    def submit(self, submission):
        self.came.append(submission.submission_id)
        answer = self.answers.pop(0) if self.answers else Receipt(submission.image_id, 1)
        if isinstance(answer, FailureKind):
            raise ServerError(answer, f"It is {answer}")
        return answer


def label(name: str) -> Submission:
    return Submission(name, f"image-{name}", "final", '{"markups": []}', {"aac": None}, "anna")


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path / "outbox")


def names(entries):
    return [entry.submission.submission_id for entry in entries]


def test_labels_leave_in_their_order_after_the_server_has_them(outbox):
    for name in "abc":
        outbox.add(label(name), STORE)
    server = Answers()
    sent = outbox.send(server, STORE, Silent())
    assert server.came == ["a", "b", "c"]
    assert [submission for submission, _receipt in sent.accepted] == [label(name) for name in "abc"]
    assert outbox.waiting() == []


@pytest.mark.parametrize(
    "kind",
    [kind for kind in FailureKind if kind not in (FailureKind.REJECTED, FailureKind.CONFLICT, FailureKind.TOO_LARGE)],
)
def test_whatever_may_pass_leaves_the_label_waiting(outbox, kind):
    outbox.add(label("a"), STORE)
    sent = outbox.send(Answers(kind), STORE, Silent())
    assert sent.failure.kind is kind
    assert names(outbox.waiting()) == ["a"]
    assert len(outbox.send(Answers(), STORE, Silent()).accepted) == 1


@pytest.mark.parametrize("kind", [FailureKind.REJECTED, FailureKind.CONFLICT, FailureKind.TOO_LARGE])
def test_what_the_server_refuses_is_kept_with_its_sentence_and_not_sent_again(outbox, kind):
    for name in "ab":
        outbox.add(label(name), STORE)
    sent = outbox.send(Answers(kind), STORE, Silent())
    assert names(sent.refused) == ["a"]
    assert [submission.submission_id for submission, _receipt in sent.accepted] == ["b"]
    (kept,) = outbox.refused()
    assert kept.problem == f"It is {kind}."
    assert kept.submission == label("a")
    server = Answers()
    outbox.send(server, STORE, Silent())
    assert server.came == []


def test_a_label_goes_to_the_server_of_its_image_only(outbox):
    outbox.add(label("a"), STORE)
    outbox.add(label("b"), "https://clinic.example")
    server = Answers()
    outbox.send(server, STORE, Silent())
    assert server.came == ["a"]
    assert (outbox.count(), outbox.count(STORE), outbox.count("https://clinic.example")) == (1, 0, 1)


def test_what_waits_for_one_store_is_not_offered_to_another_at_its_address(outbox):
    outbox.add(label("a"), STORE)
    replaced = Answers()
    replaced.is_the_one_of_before = False
    sent = outbox.send(replaced, STORE, Silent())
    assert sent.failure.kind is FailureKind.MISDIRECTED
    assert (replaced.came, names(outbox.waiting()), outbox.refused()) == ([], ["a"], [])


def test_labels_keep_their_order_when_the_clock_is_put_back(outbox, monkeypatch):
    outbox.add(label("first"), STORE)
    monkeypatch.setattr(time, "time_ns", lambda: 10**18)  # 2001
    outbox.add(label("second"), STORE)
    outbox.add(label("third"), STORE)
    server = Answers()
    outbox.send(server, STORE, Silent())
    assert server.came == ["first", "second", "third"]


def test_a_label_is_here_until_it_has_arrived(outbox):
    for name in ("waiting-1", "refused-1", "damaged-1", "sent-1"):
        outbox.add(label(name), STORE)
    outbox.send(Answers(FailureKind.BUSY), STORE, Silent())  # nothing goes
    (damaged,) = (path for path in outbox.folder.iterdir() if "damaged-1" in path.name)
    damaged.write_text("{")
    outbox.send(Answers(FailureKind.NOT_FOUND, FailureKind.REJECTED), STORE, Silent())
    assert outbox.holds("waiting-1")
    assert outbox.holds("refused-1")
    assert outbox.holds("damaged-1")
    assert not outbox.holds("sent-1")


def test_two_instances_share_the_folder_without_losing_or_stumbling(outbox, tmp_path):
    other = Outbox(tmp_path / "outbox")
    for name in "abcd":
        outbox.add(label(name), STORE)

    class SlowTwin(Answers):
        def submit(self, submission):
            if submission.submission_id == "b":
                other.send(Answers(), STORE, Silent())  # the other instance is quicker with the rest
            return super().submit(submission)

    sent = outbox.send(SlowTwin(), STORE, Silent())
    assert len(sent.accepted) == 4  # a repeated submission is one revision on the server
    assert outbox.waiting() == other.waiting() == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"store": 3}', '{"store": "x", "problem": "", "submission": {}}'])
def test_a_damaged_file_is_set_aside_and_holds_up_nobody(outbox, tmp_path, content):
    outbox.add(label("a"), STORE)
    (tmp_path / "outbox" / "0-damaged.json").write_text(content)
    assert names(outbox.waiting()) == ["a"]
    (aside,) = outbox.damaged
    assert aside.read_text() == content
    assert len(outbox.send(Answers(), STORE, Silent()).accepted) == 1


def test_a_write_that_was_interrupted_is_no_label(outbox, tmp_path):
    outbox.add(label("a"), STORE)
    (tmp_path / "outbox" / ".0-half.1.part.json").write_text("{")
    assert names(outbox.waiting()) == ["a"]
    assert outbox.damaged == []


def test_works_on_images_that_look_alike_are_kept_apart():
    here = Work("scan", (20, 10), pixels_sha256="ab" * 32)
    there = Work("scan", (20, 10), Origin(STORE, "scan", "ab" * 32))
    other_pixels = Work("scan", (20, 10), pixels_sha256="cd" * 32)
    other_file = Work("scan", (20, 10), Origin(STORE, "scan", "cd" * 32))
    other_store = Work("scan", (20, 10), Origin("another", "scan", "ab" * 32))
    assert len({work.key for work in (here, there, other_pixels, other_file, other_store)}) == 5


def test_drafts_come_back_and_damaged_ones_are_set_aside(tmp_path):
    drafts = Drafts(tmp_path)
    work = Work("scan", (20, 10), Origin(STORE, "scan", "ab" * 32, STORE), notes="metal over L3", minutes=1.5)
    drafts.save(work)
    assert drafts.get(work.key) == work
    assert [draft.image_name for draft in drafts.all()] == ["scan"]
    (tmp_path / f"{work.key}.json").write_text(json.dumps({**work.to_dict(), "aac": {"grades": 3}}))
    assert drafts.get(work.key) is None
    assert [path.parent.name for path in drafts.damaged] == ["damaged"]
    assert drafts.all() == []
