"""Who did what to a label, when, and from which model's proposal."""

from __future__ import annotations

import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path

import pytest
from monailabel.interfaces.datastore import DefaultLabelTag
from monailabel.interfaces.exception import ImageNotFoundException, LabelNotFoundException

from vertenet.annotation import markups
from vertenet.errors import SchemaError
from vertenet.server.identity import Caller, current_caller
from vertenet.server.state import connect
from vertenet.server.store import RadiographStore
from vertenet.server.store.changes import Change
from vertenet.spine import STANDARD_LEVELS, CornerName, Level, Spine, Vertebra

from .scenes import DOTTED, PLAIN, label_text, make_store, moved, submit, truth, write_images


def dragged(text: str, point: str, dx: float) -> str:
    """The file after somebody dragged a point in a viewer: the position changes, the description stays."""
    data = json.loads(text)
    (found,) = (p for p in data["markups"][0]["controlPoints"] if p["label"] == point)
    found["position"][0] += dx
    return json.dumps(data)


def test_every_submission_is_a_revision_that_stays(tmp_path):
    store = make_store(tmp_path)
    texts = [label_text(store, PLAIN, moved(truth(PLAIN), dx)) for dx in (0, 1, 2)]
    for text in texts:
        store.submit(PLAIN, text.encode(), "final", {"annotator": "anna"})
    history = store.revisions(PLAIN)
    assert [r.number for r in history] == [1, 2, 3]
    assert [store.content_of(PLAIN, r.number).decode() for r in history] == texts
    assert [r.sha256 for r in history] == [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    assert {(r.annotator, r.tag, r.action) for r in history} == {("anna", "final", "submitted")}
    written = [datetime.fromisoformat(r.created) for r in history]
    assert written == sorted(written)
    assert abs((datetime.now(timezone.utc) - written[0]).total_seconds()) < 600
    assert Path(store.get_label_uri(PLAIN, "final")).read_text() == texts[-1]


def test_a_revision_says_which_points_were_moved_since_the_one_before(tmp_path):
    store = make_store(tmp_path)
    text = label_text(store, PLAIN)
    first = store.submit(PLAIN, text.encode())
    assert (first.based_on, first.changed) == (None, ())
    second = store.submit(PLAIN, dragged(text, "L3-SA", 2.5).encode())
    assert second.based_on == "revision 1"
    assert second.changed == (Change("L3-SA", "moved", 2.5, 0.0),)
    without = truth(PLAIN).select(STANDARD_LEVELS[:4])  # T12 to L3
    third = submit(store, who="anonymous", spine=without)
    assert {c.point for c in third.changed if c.kind == "removed"} == {
        f"{level}-{corner}" for level in ("L4", "L5") for corner in CornerName
    }


def test_a_label_names_the_model_whose_proposal_it_started_from(tmp_path):
    store = make_store(tmp_path)
    proposal = label_text(store, PLAIN, moved(truth(PLAIN), 3), midpoints=False)
    other = label_text(store, PLAIN, moved(truth(PLAIN), 4), midpoints=False)
    store.remember_proposal(PLAIN, proposal.encode(), "a" * 64, "v0001")
    store.remember_proposal(PLAIN, other.encode(), "b" * 64)
    corrected = store.submit(PLAIN, dragged(proposal, "T12-IP", -3).encode())
    assert (corrected.model_sha256, corrected.model_version, corrected.based_on) == ("a" * 64, "v0001", "proposal")
    assert corrected.changed == (Change("T12-IP", "moved", -3.0, 0.0),)
    untouched = store.submit(PLAIN, other.encode())
    assert (untouched.model_sha256, untouched.changed) == ("b" * 64, ())


def test_a_label_drawn_by_hand_names_no_model_whatever_was_proposed_or_claimed(tmp_path):
    store = make_store(tmp_path)
    store.remember_proposal(PLAIN, label_text(store, PLAIN, moved(truth(PLAIN), 3)).encode(), "a" * 64)
    claimed = store.submit(PLAIN, label_text(store, PLAIN).encode(), "final", {"model_sha256": "c" * 64})
    assert claimed.model_sha256 is None


def test_an_inference_that_saves_its_label_is_a_proposal_of_that_model(tmp_path):
    store = make_store(tmp_path)
    file = tmp_path / "answer.mrk.json"
    crossed = moved(truth(PLAIN), -1000)  # what a model says is kept as it is
    file.write_text(label_text(store, PLAIN, crossed, midpoints=False))
    answer = {"model": "vertenet", "params": {"model": {"sha256": "d" * 64}, "model_version": "v0002"}}
    assert store.save_label(PLAIN, str(file), DefaultLabelTag.ORIGINAL, answer) == PLAIN
    (revision,) = store.revisions(PLAIN)
    assert (revision.tag, revision.action) == ("original", "proposed")
    assert (revision.model_sha256, revision.model_version) == ("d" * 64, "v0002")
    assert store.get_unlabeled_images() == [DOTTED, PLAIN]
    assert store.get_labeled_images("original") == [PLAIN]
    assert store.get_label_by_image_id(PLAIN, DefaultLabelTag.ORIGINAL) == PLAIN


def test_the_token_s_name_goes_before_what_the_request_claims(tmp_path):
    store = make_store(tmp_path)
    token = current_caller.set(Caller("boris", "annotator"))
    try:
        assert submit(store, who="anna").annotator == "boris"
    finally:
        current_caller.reset(token)
    assert submit(store, who="anna").annotator == "anna"


def test_a_removed_label_is_out_of_use_but_not_forgotten(tmp_path):
    store = make_store(tmp_path)
    submit(store, who="anna")
    submit(store, who="boris")
    store.remove_label(PLAIN, "final")
    assert store.get_labels_by_image_id(PLAIN) == {}
    assert store.get_label_uri(PLAIN, "final") == ""
    assert not (tmp_path / "labels" / "final" / f"{PLAIN}.mrk.json").exists()
    assert [(r.action, r.sha256 is None) for r in store.revisions(PLAIN)][2:] == [("removed", True)] * 2
    with pytest.raises(LabelNotFoundException):
        store.remove_label(PLAIN, "final")
    assert submit(store).number == 5


def test_unknown_images_and_labels_are_told_apart_from_faults(tmp_path):
    store = make_store(tmp_path)
    with pytest.raises(ImageNotFoundException):
        store.submit("nobody", b"{}")
    with pytest.raises(LabelNotFoundException):
        store.update_label_info(PLAIN, "final", {})
    for tag in ("final", "../../etc"):
        assert store.get_label_uri(PLAIN, tag) == ""
    assert (store.get_image_uri("../x"), store.get_image_info("../x")) == ("", {})
    assert store.labels_of("nobody") == []


def test_a_note_beside_a_label_does_not_touch_the_label(tmp_path):
    store = make_store(tmp_path)
    revision = submit(store)
    store.update_label_info(PLAIN, "final", {"comment": "blurred"})
    assert store.get_label_info(PLAIN, "final")["comment"] == "blurred"
    assert store.revisions(PLAIN) == [revision]


def test_a_label_file_that_is_missing_or_older_is_written_anew_at_the_next_start(tmp_path):
    store = make_store(tmp_path)
    submit(store)
    old = Path(store.get_label_uri(PLAIN, "final")).read_bytes()
    submit(store, spine=moved(truth(PLAIN), 1))
    submit(store, DOTTED)
    Path(store.get_label_uri(PLAIN, "final")).write_bytes(old)  # as if the process was killed before it wrote
    Path(store.get_label_uri(DOTTED, "final")).unlink()
    unfinished = tmp_path / "labels" / "final" / f".{PLAIN}.mrk.4711.part.json"
    unfinished.write_text("{")
    again = RadiographStore(str(tmp_path))
    assert Path(again.get_label_uri(PLAIN, "final")).read_bytes() == again.content_of(PLAIN, 2)
    assert Path(again.get_label_uri(DOTTED, "final")).read_bytes() == again.content_of(DOTTED, 1)
    assert not unfinished.exists()
    assert len(again.revisions(PLAIN)) == 2


def test_a_damaged_database_is_named_in_a_sentence(tmp_path):
    write_images(tmp_path)
    (tmp_path / ".vertenet").mkdir()
    (tmp_path / ".vertenet" / "store.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(SchemaError, match=r"store\.sqlite"):
        RadiographStore(str(tmp_path))


def test_a_database_of_a_newer_program_is_left_alone(tmp_path):
    make_store(tmp_path)
    connection = connect(tmp_path / ".vertenet" / "store.sqlite")
    connection.execute("UPDATE store SET value = '999' WHERE key = 'schema_version'")
    connection.close()
    with pytest.raises(SchemaError, match="999"):
        RadiographStore(str(tmp_path))


def test_threads_and_stores_that_submit_at_once_lose_nothing(tmp_path):
    store = make_store(tmp_path)
    stores = [store, RadiographStore(str(tmp_path))]
    texts = {label_text(store, PLAIN, moved(truth(PLAIN), step / 10)) for step in range(40)}
    waiting = list(texts)

    def work(number: int) -> None:
        while waiting:
            try:
                text = waiting.pop()
            except IndexError:
                return
            stores[number % 2].submit(PLAIN, text.encode(), "final", {"annotator": f"a{number}"})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = store.revisions(PLAIN)
    assert [r.number for r in history] == list(range(1, 41))
    assert {store.content_of(PLAIN, r.number).decode() for r in history} == texts
    assert Path(store.get_label_uri(PLAIN, "final")).read_bytes() == store.content_of(PLAIN, 40)


_SUBMITTER = """
import sys
from pathlib import Path
from vertenet.server.store import RadiographStore
store, image = RadiographStore(sys.argv[1]), sys.argv[2]
text = Path(sys.argv[3]).read_text()
for number in range(100000):
    revision = store.submit(image, (text + " " * number).encode(), "final", {"annotator": "anna"})
    print(revision.number, revision.sha256, flush=True)
"""


def test_what_was_acknowledged_before_a_sigkill_is_there_after_it(tmp_path):
    store = make_store(tmp_path / "studies")
    source = tmp_path / "label.mrk.json"
    source.write_text(label_text(store, PLAIN))
    command = [sys.executable, "-c", _SUBMITTER, str(store.folder), PLAIN, str(source)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    acknowledged = [process.stdout.readline().split() for _ in range(25)]
    process.send_signal(signal.SIGKILL)
    acknowledged += [line.split() for line in process.stdout.read().splitlines() if len(line.split()) == 2]
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL

    again = RadiographStore(str(store.folder))
    history = {r.number: r.sha256 for r in again.revisions(PLAIN)}
    # A line may be cut off by the kill; a label may be kept without its answer. Never the other way round.
    assert all(history[int(number)].startswith(sha256) for number, sha256 in acknowledged)
    assert len(acknowledged) <= len(history) <= len(acknowledged) + 1
    newest = again.content_of(PLAIN, max(history))
    assert Path(again.get_label_uri(PLAIN, "final")).read_bytes() == newest
    assert connect(again.folder / ".vertenet" / "store.sqlite").execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    store = make_store(tmp_path)
    connection = connect(tmp_path / ".vertenet" / "store.sqlite")
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("INSERT INTO labels VALUES ('hologic', 'final', 'anna', 99)")  # no such revision
    connection.close()
    assert store.labels_of(PLAIN) == []


def test_a_proposal_without_a_single_point_is_no_proposal(tmp_path):
    store = make_store(tmp_path)
    spine = Spine((Vertebra(Level.L1),))
    store.remember_proposal(PLAIN, markups.dumps(spine).encode(), "a" * 64)
    assert submit(store).model_sha256 is None
