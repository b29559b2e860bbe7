"""A submission is kept once, however often it comes; the reading beside a label is kept with it or refuses it."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import uuid
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from vertenet.assess import assess
from vertenet.errors import AnnotationError, OptionError, SchemaError
from vertenet.files import sha256_of
from vertenet.imaging import read
from vertenet.measure import Aac24
from vertenet.reading import Reading
from vertenet.server.identity import Caller, current_caller
from vertenet.server.state import connect
from vertenet.server.store import RadiographStore
from vertenet.server.store.enclosures import SubmissionConflictError

from .scenes import DOTTED, PLAIN, label_text, make_store, moved, submit, truth

ID = "3f2c1d80-5a1e-4c57-9f1b-0d6a8c1e2b34"


@pytest.fixture
def store(tmp_path):
    return make_store(tmp_path)


def reading_of(store, image_id=PLAIN, spine=None) -> Reading:
    radiograph = read(Path(store.get_image_uri(image_id)))
    reading = assess(radiograph, truth(image_id) if spine is None else spine)
    return replace(reading, aac=Aac24((0, 1, 2, 3, 0, 0, 0, "unreadable")), reader="Anna", notes="Gas before L3.")


def keep(store, image_id=PLAIN, *, submission=ID, who="anna", spine=None, tag="final", reading=None):
    info = {"annotator": who, "submission": submission}
    if reading is not None:
        info["reading"] = reading if isinstance(reading, dict) else reading.to_dict()
    return store.keep(image_id, label_text(store, image_id, spine).encode(), tag, info)


def test_the_same_submission_twice_is_one_revision(store):
    first, second = keep(store), keep(store)
    assert (first.repeated, second.repeated) == (False, True)
    assert second.revision == first.revision
    assert store.revisions(PLAIN) == [first.revision]


def test_another_id_another_annotator_and_another_image_are_other_submissions(store):
    kept = [keep(store), keep(store, submission=str(uuid.uuid4())), keep(store, who="boris"), keep(store, DOTTED)]
    assert [k.repeated for k in kept] == [False] * 4
    assert [r.number for r in store.revisions(PLAIN)] == [1, 2, 3]


def test_the_annotator_is_the_token_s_holder_also_for_submissions(store):
    keep(store, who="boris")
    token = current_caller.set(Caller("boris", "annotator"))
    try:
        assert keep(store, who="anna").repeated
    finally:
        current_caller.reset(token)


def test_a_store_is_known_by_an_identity_that_stays_with_its_database(store, tmp_path):
    assert uuid.UUID(store.identity)
    assert RadiographStore(str(store.folder)).identity == store.identity
    assert make_store(tmp_path / "another").identity != store.identity


def test_a_label_is_refused_where_its_reader_saw_another_image(store):
    path = Path(store.get_image_uri(PLAIN))
    text, info = label_text(store, PLAIN).encode(), {"image_sha256": sha256_of(path), "submission": ID}
    store.keep(PLAIN, text, "final", info)
    with Image.open(path) as image:
        mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored.save(path)  # another patient's under the same name, and of the same size
    with pytest.raises(SubmissionConflictError, match="another image"):
        store.keep(PLAIN, text, "final", {**info, "submission": str(uuid.uuid4())})
    assert len(store.revisions(PLAIN)) == 1
    assert store.keep(PLAIN, text, "final", info).repeated, "what was kept was kept"
    assert "image_sha256" not in store.get_label_info(PLAIN, "final")


@pytest.mark.parametrize("sha256", ["", "ABC", 3, "g" * 64, "A" * 64])
def test_a_hash_that_is_none_is_refused(store, sha256):
    with pytest.raises(OptionError, match="SHA-256"):
        store.keep(PLAIN, label_text(store, PLAIN).encode(), "final", {"image_sha256": sha256})


def test_without_an_id_every_submission_is_a_revision(store):
    submit(store)
    submit(store)
    assert len(store.revisions(PLAIN)) == 2


def test_a_repeated_submission_is_known_after_a_restart_and_after_its_image_is_gone(store):
    first = keep(store)
    submit(store, spine=moved(truth(PLAIN), 1))
    again = RadiographStore(str(store.folder))
    assert keep(again).revision == first.revision
    assert Path(again.get_label_uri(PLAIN, "final")).read_bytes() == again.content_of(PLAIN, 2)
    text = label_text(again, PLAIN).encode()
    again.remove_image(PLAIN)
    assert again.keep(PLAIN, text, "final", {"annotator": "anna", "submission": ID}).repeated


@pytest.mark.parametrize("difference", ["label", "tag", "reading"])
def test_a_used_id_with_something_else_is_a_conflict_and_nothing_is_kept(store, difference):
    keep(store)
    other = {
        "label": {"spine": moved(truth(PLAIN), 1)},
        "tag": {"tag": "reviewed"},
        "reading": {"reading": reading_of(store)},
    }[difference]
    with pytest.raises(SubmissionConflictError, match="revision 1"):
        keep(store, **other)
    assert len(store.revisions(PLAIN)) == 1


def test_of_many_identical_submissions_at_once_one_is_kept(store):
    stores = [store, RadiographStore(str(store.folder))]
    reading, kept, start = reading_of(store), [], threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        kept.append(keep(stores[number % 2], reading=reading))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(k.repeated for k in kept) == [False] + [True] * 7
    assert {k.revision.number for k in kept} == {1}
    assert len(store.revisions(PLAIN)) == 1
    assert store.revisions_with_reading(PLAIN) == {1}


_KILLED = """
import json, os, signal, sys
from pathlib import Path
from vertenet.server.store import RadiographStore
store = RadiographStore(sys.argv[1])
store._files.write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # kept, but neither written out nor answered
store.keep(sys.argv[2], Path(sys.argv[3]).read_bytes(), "final", {"annotator": "anna", "submission": "the-one"})
"""


def test_a_submission_whose_answer_died_with_the_server_arrives_once(store, tmp_path):
    source = tmp_path / "label.txt"
    source.write_text(label_text(store, PLAIN))
    command = [sys.executable, "-c", _KILLED, str(store.folder), PLAIN, str(source)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    again = RadiographStore(str(store.folder))
    kept = again.keep(PLAIN, source.read_bytes(), "final", {"annotator": "anna", "submission": "the-one"})
    assert kept.repeated
    assert len(again.revisions(PLAIN)) == 1
    assert Path(again.get_label_uri(PLAIN, "final")).read_bytes() == source.read_bytes()


@pytest.mark.parametrize("submission", ["", "a b", "../x", "x" * 65, 7, {"a": 1}, ["x"]])
def test_an_id_is_a_plain_word(store, submission):
    with pytest.raises(OptionError, match="is no id"):
        keep(store, submission=submission)
    assert store.revisions(PLAIN) == []


@pytest.mark.parametrize("image_id", [PLAIN, DOTTED])
def test_a_reading_is_kept_with_its_revision(store, image_id):
    reading = reading_of(store, image_id)
    submit(store, image_id)
    kept = keep(store, image_id, reading=reading)
    assert Reading.from_json(store.reading_of(image_id, kept.revision.number)) == reading
    assert store.reading_of(image_id, 1) is None
    assert store.revisions_with_reading(image_id) == {2}
    # What is said beside a label stays small.
    assert "reading" not in store.get_label_info(image_id, "final")


def test_a_reading_of_an_older_schema_is_kept_as_one_of_today(store):
    old = {**reading_of(store).to_dict(), "schema": "vertenet-reading/1.1"}
    for name in ("morphometry", "aac", "reader", "notes"):
        del old[name]
    kept = keep(store, reading=old)
    stored = json.loads(store.reading_of(PLAIN, kept.revision.number))
    assert stored["schema"] == "vertenet-reading/1.3"
    assert stored["aac"] is None


def test_a_reading_that_is_no_reading_refuses_the_label(store):
    data = reading_of(store).to_dict()
    for broken, message in (({}, "schema"), ({**data, "aac": {}}, "aac"), ({**data, "spine": None}, "spine")):
        with pytest.raises(SchemaError, match=f"reading of {PLAIN}.*{message}"):
            keep(store, reading=broken)
    with pytest.raises(OptionError, match="JSON object"):
        store.keep(PLAIN, b"{}", "final", {"reading": "text"})
    assert store.revisions(PLAIN) == []


def test_a_reading_of_another_image_or_other_landmarks_refuses_the_label(store):
    wrong_size = reading_of(store, DOTTED)
    with pytest.raises(AnnotationError, match="pixels, but the image has"):
        keep(store, reading=wrong_size)
    with pytest.raises(AnnotationError, match="T12-SA lies elsewhere"):
        keep(store, reading=reading_of(store, spine=moved(truth(PLAIN), 0.05)))
    with pytest.raises(AnnotationError, match="only the label has T12-SA"):
        keep(store, reading=reading_of(store, spine=truth(PLAIN).select(["L1", "L2", "L3", "L4", "L5"])))
    with pytest.raises(AnnotationError, match="characters"):
        keep(store, reading=replace(reading_of(store), notes="x" * (1 << 19)))
    assert store.revisions(PLAIN) == []
    assert not keep(store, reading=reading_of(store, spine=moved(truth(PLAIN), 0.005))).repeated


def test_the_archive_carries_the_readings_of_the_labels_that_count(store):
    reading = reading_of(store)
    keep(store, reading=reading)
    submit(store, DOTTED)
    with zipfile.ZipFile(store.get_dataset_archive(None)) as archive:
        readings = json.loads(archive.read("readings.json"))
    Path(archive.filename).unlink()
    assert {name: Reading.from_dict(data) for name, data in readings["images"].items()} == {"hologic.png": reading}


def test_a_database_of_version_1_gets_the_new_tables_and_keeps_its_labels(store):
    before = submit(store)
    path = store.folder / ".vertenet" / "store.sqlite"
    with closing(connect(path)) as connection:
        connection.execute("DROP TABLE submissions")
        connection.execute("DROP TABLE readings")
        connection.execute("UPDATE store SET value = '1' WHERE key = 'schema_version'")
    again = RadiographStore(str(store.folder))
    assert again.revisions(PLAIN) == [before]
    keep(again, reading=reading_of(again))
    assert keep(again, reading=reading_of_kept(again)).repeated
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT value FROM store WHERE key = 'schema_version'").fetchone() == ("3",)


def reading_of_kept(store) -> dict:
    """The reading as the client would send it again: the very same text."""
    return json.loads(store.reading_of(PLAIN, 2))
