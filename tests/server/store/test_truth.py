"""Issue 13, items 2 and 3: which labels may be believed. Of the pixels that are there, by people who may say so."""

from __future__ import annotations

import json
import os
import sqlite3

import pytest
from starlette.exceptions import HTTPException

from vertenet import phantom
from vertenet.annotation import markups
from vertenet.errors import OptionError
from vertenet.imaging.fingerprint import pixels_sha256
from vertenet.learning.cases import annotated_cases
from vertenet.server.identity import Caller, current_caller
from vertenet.server.store import RadiographStore
from vertenet.server.store.enclosures import SubmissionConflictError
from vertenet.server.training.gathering import gather

from .scenes import DOTTED, PLAIN, drawn, label_text, make_store, moved, submit, truth


@pytest.fixture
def store(tmp_path):
    return make_store(tmp_path)


@pytest.fixture
def said_by():
    """Make a token's holder the caller."""
    resets = []

    def say(name, role):
        resets.append(current_caller.set(Caller(name, role)))

    yield say
    for reset in reversed(resets):
        current_caller.reset(reset)


def replace_picture(store, image_id=PLAIN):
    """Another picture of the same size under the same name, and the one that was there."""
    path = store.folder / f"{image_id}.png"
    before, state = path.read_bytes(), path.stat()
    other = drawn(image_id)
    flipped = type(other)(other.radiograph.mirrored(), other.truth)
    phantom.write(flipped, store.folder, name=image_id)
    assert path.read_bytes() != before
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1_000_000_000))
    return path, before


def test_a_label_of_a_picture_that_was_replaced_is_shown_and_never_trained_on(store):
    revision = submit(store)
    other = submit(store, DOTTED)
    assert revision.pixels_sha256 == pixels_sha256(store.folder / f"{PLAIN}.png")
    path, before = replace_picture(store)
    assert store.get_label_info(PLAIN, "final")["image_changed"] is True
    assert store.get_label_info(DOTTED, "final")["image_changed"] is False
    assert store.json()["objects"][PLAIN]["labels"]["final"]["info"]["image_changed"] is True
    assert store.status()["images_changed"] == 1
    assert store.get_unlabeled_images() == [PLAIN]
    assert [label.revision for label in store.final_labels()] == [other.number]
    gathered = gather(store)
    assert [case.name for case in (*gathered.learn, *gathered.held)] == [DOTTED]
    assert any(PLAIN in sentence and "replaced" in sentence for sentence in gathered.problems)
    path.write_bytes(before)
    assert sorted(gather(store).revisions) == sorted((DOTTED, PLAIN))
    assert store.status()["images_changed"] == 0


def test_a_picture_that_was_replaced_behind_the_index_is_not_trained_on(store):
    """Same size, same time stamp, as an archive or ``cp -p`` leaves it."""
    path = store.folder / f"{PLAIN}.png"
    path.write_bytes(path.read_bytes() + bytes(1 << 16))  # room behind the picture, for one that takes more
    submit(store), submit(store, DOTTED)
    store.status()
    state = path.stat()
    replace_picture(store)
    path.write_bytes(path.read_bytes().ljust(state.st_size, b"\0"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert path.stat().st_size == state.st_size
    assert store.status()["images_changed"] == 0
    assert list(gather(store).revisions) == [DOTTED]


def test_a_header_that_is_pseudonymised_is_no_other_picture(store):
    import pydicom

    submit(store, DOTTED)
    path = store.folder / f"{DOTTED}.dcm"
    dataset = pydicom.dcmread(path)
    dataset.PatientID, dataset.StudyDescription = "somebody else", "pseudonymised"
    dataset.save_as(path)
    assert store.get_label_info(DOTTED, "final")["image_changed"] is False
    dataset.PixelData = dataset.PixelData[:-2] + bytes(255 - byte for byte in dataset.PixelData[-2:])
    dataset.save_as(path)
    assert store.get_label_info(DOTTED, "final")["image_changed"] is True


def test_a_label_that_says_it_was_made_on_other_pixels_is_refused(store):
    path = store.folder / f"{PLAIN}.png"
    size = drawn(PLAIN).radiograph.pixels.shape
    stated = markups.dumps(truth(PLAIN), image=path.name, size=size, pixels_sha256=pixels_sha256(path))
    store.submit(PLAIN, stated.encode())
    replace_picture(store)
    with pytest.raises(SubmissionConflictError, match="another image"):
        store.submit(PLAIN, stated.encode(), "final", {"annotator": "boris"})


def test_a_new_label_of_the_new_picture_counts_again(store):
    submit(store, who="anna")
    replace_picture(store)
    again = submit(store, who="boris", spine=truth(PLAIN).mirrored(drawn(PLAIN).radiograph.columns))
    (label,) = store.final_labels()
    assert label.revision == again.number
    assert store.agreement(PLAIN) == []  # anna's is of the other picture


def test_a_database_of_an_older_server_is_opened_and_its_labels_count(tmp_path):
    store = make_store(tmp_path)
    submit(store)
    file = store._database.path
    store._database.close()
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE made_on")
        connection.execute("UPDATE store SET value = '2' WHERE key = 'schema_version'")
    again = RadiographStore(str(tmp_path), auto_reload=False)
    (label,) = again.final_labels()
    assert (label.image_id, label.pixels_sha256) == (PLAIN, None)


def test_the_dataset_says_which_pixels_its_labels_are_of(store, tmp_path_factory, caplog):
    import zipfile

    submit(store), submit(store, DOTTED)
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(store.get_dataset_archive(None)) as archive:
        archive.extractall(folder)
    assert len(annotated_cases(folder)) == 2
    (folder / "hologic.png").write_bytes(replace_picture(store)[0].read_bytes())
    assert [case.name for case in annotated_cases(folder)] == ["1-2-840-113.dcm"]
    assert "hologic.mrk.json" in caplog.text
    assert "other pixels" in caplog.text


def test_nobody_alone_makes_a_consensus(store, said_by):
    submit(store)
    for role in ("annotator", "admin"):
        said_by("mallory", role)
        with pytest.raises(OptionError, match="made by the server"):
            submit(store, tag="consensus", spine=moved(truth(PLAIN), 5))
    (label,) = store.final_labels()
    assert label.annotator == "anna"


def test_an_imported_file_makes_no_consensus(store, tmp_path_factory):
    path = tmp_path_factory.mktemp("import") / f"{PLAIN}.mrk.json"
    path.write_text(label_text(store, PLAIN))
    with pytest.raises(OptionError, match="made by the server"):
        store.import_labels(path, tag="consensus")
    assert store.labels_of(PLAIN) == []


def test_a_review_needs_the_role_of_a_reviewer(store, said_by, tmp_path_factory):
    path = tmp_path_factory.mktemp("import") / f"{PLAIN}.mrk.json"
    path.write_text(label_text(store, PLAIN))
    said_by("anna", "annotator")
    for attempt in (lambda: submit(store, tag="reviewed"), lambda: store.import_labels(path, tag="reviewed")):
        with pytest.raises(HTTPException) as refusal:
            attempt()
        assert (refusal.value.status_code, "reviewer" in refusal.value.detail) == (403, True)
    said_by("ruth", "reviewer")
    assert submit(store, tag="reviewed").annotator == "ruth"


@pytest.mark.parametrize("tag", ["final", "reviewed", "consensus", "original"])
def test_a_models_output_is_original_whatever_was_asked_for(store, tmp_path_factory, tag):
    path = tmp_path_factory.mktemp("model") / "answer.mrk.json"
    path.write_text(label_text(store, PLAIN))
    answer = {"model": "vertenet", "params": {"model": {"sha256": "a" * 64}, "model_version": "v1"}}
    store.save_label(PLAIN, str(path), tag, answer)
    assert [(r.tag, r.action) for r in store.labels_of(PLAIN)] == [("original", "proposed")]
    assert store.final_labels() == store.get_labeled_images() == []
    assert store.get_unlabeled_images() == [DOTTED, PLAIN]


@pytest.mark.parametrize(("tag", "action"), [("final", "proposed"), ("consensus", "submitted")])
def test_what_an_older_server_kept_under_a_tag_of_truth_is_not_believed(tmp_path, tag, action):
    store = make_store(tmp_path)
    good = submit(store, who="anna")
    submit(store, who="mallory", spine=moved(truth(PLAIN), 4))
    with store._database.writing() as connection:
        connection.execute("UPDATE revisions SET tag = ?, action = ? WHERE annotator = 'mallory'", (tag, action))
        connection.execute("UPDATE labels SET tag = ? WHERE annotator = 'mallory'", (tag,))
    (label,) = store.final_labels()
    assert label.revision == good.number
    assert json.loads(label.label_path.read_text())["markups"]
