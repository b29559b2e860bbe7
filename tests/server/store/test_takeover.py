"""What was there before: a stock datastore's folder, and landmark files of other programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from monailabel.datastore.local import LocalDatastore

from vertenet import annotation
from vertenet.annotation import Annotation
from vertenet.errors import AnnotationError, SchemaError
from vertenet.server.store import INDEX, RadiographStore
from vertenet.spine import STANDARD_LEVELS

from .scenes import DOTTED, PLAIN, drawn, label_text, make_store, moved, submit, truth, write_images

EXTENSIONS = ["*.dcm", "*.png", "*.mrk.json"]


@pytest.fixture
def stock(tmp_path):
    """A folder in which MONAI Label's own store has worked: a good label, and one that is none."""
    studies = write_images(tmp_path / "studies")
    helper = make_store(tmp_path / "helper")
    for image_id in (DOTTED, PLAIN):
        (tmp_path / f"{image_id}.mrk.json").write_text(label_text(helper, image_id))
    (tmp_path / "empty.mrk.json").write_text("{}")
    store = LocalDatastore(str(studies), extensions=EXTENSIONS)
    store.set_name("ward 3")
    store.save_label(PLAIN, str(tmp_path / f"{PLAIN}.mrk.json"), "final", {"client_id": "anna"})
    store.save_label(PLAIN, str(tmp_path / "empty.mrk.json"), "original", {})
    store.update_image_info(PLAIN, {"strategy": {"first": {"ts": 7}}})
    return studies


def test_the_labels_and_notes_of_a_stock_datastore_are_taken_over(stock):
    old = json.loads((stock / INDEX).read_text())["objects"][PLAIN]
    store = RadiographStore(str(stock))
    assert store.name() == "ward 3"
    (revision,) = store.revisions(PLAIN)
    assert (revision.annotator, revision.action, revision.tag) == ("anna", "taken over", "final")
    assert revision.timestamp == old["labels"]["final"]["info"]["ts"]
    np.testing.assert_allclose(
        store.spine_of(revision).to_array(STANDARD_LEVELS), truth(PLAIN).to_array(STANDARD_LEVELS), atol=1e-6
    )
    assert store.get_image_info(PLAIN)["strategy"] == {"first": {"ts": 7}}
    assert store.get_labeled_images() == [PLAIN]
    assert (stock / "labels" / "original" / f"{PLAIN}.mrk.json").read_text() == "{}"  # no label, and left alone
    assert json.loads((stock / INDEX).read_text())["objects"][PLAIN] == old


def test_taking_over_happens_once(stock):
    first = RadiographStore(str(stock))
    first.update_image_info(PLAIN, {"strategy": {}})
    first.remove_label(PLAIN, "final")
    again = RadiographStore(str(stock))
    assert again.get_image_info(PLAIN)["strategy"] == {}
    assert again.get_labeled_images() == []
    assert len(again.revisions(PLAIN)) == 2


def test_an_interrupted_takeover_is_done_again_without_doubling_anything(stock):
    store = RadiographStore(str(stock))
    store._database.set_value("taken over", "")
    assert len(RadiographStore(str(stock)).revisions(PLAIN)) == 1


@pytest.mark.parametrize(
    "text", ['{"name": ', "[]", '{"objects": {"a": 5}}', '{"objects": {"a": {"image": {}}}}', '{"name": "x"}']
)
def test_a_damaged_index_is_named_in_a_sentence(tmp_path, text):
    (tmp_path / INDEX).write_text(text)
    with pytest.raises(SchemaError, match=INDEX):
        RadiographStore(str(tmp_path))


def test_an_index_that_names_files_elsewhere_is_not_followed(tmp_path):
    write_images(tmp_path / "studies")
    (tmp_path / "secret.png").write_bytes(b"x")
    entry = {"image": {"ext": ".png", "info": {}}, "labels": {}}
    (tmp_path / "studies" / INDEX).write_text(json.dumps({"objects": {"../secret": entry, "gone": entry}}))
    assert sorted(RadiographStore(str(tmp_path / "studies")).list_images()) == [DOTTED, PLAIN]


def test_a_label_file_that_somebody_puts_there_becomes_a_label(tmp_path):
    store = make_store(tmp_path)
    file = tmp_path / "labels" / "reviewed" / f"{DOTTED}.mrk.json"
    file.parent.mkdir(parents=True)
    file.write_text(label_text(store, DOTTED))
    store.refresh()
    (revision,) = store.labels_of(DOTTED)
    assert (revision.tag, revision.annotator, revision.action) == ("reviewed", "unknown", "taken over")


def test_a_file_in_a_label_s_place_that_is_none_is_set_aside_and_not_lost(tmp_path):
    store = make_store(tmp_path)
    submit(store)
    file = Path(store.get_label_uri(PLAIN, "final"))
    file.write_text('{"notes": "mine"}')
    store.refresh()
    assert file.read_bytes() == store.content_of(PLAIN, 1)
    (aside,) = file.parent.glob("*.refused-*")
    assert json.loads(aside.read_text()) == {"notes": "mine"}


# Import


def annotations() -> list[Annotation]:
    found = []
    for image_id, name in ((DOTTED, f"{DOTTED}.dcm"), (PLAIN, f"{PLAIN}.png")):
        spine = truth(image_id).select(STANDARD_LEVELS)
        rows, columns = drawn(image_id).radiograph.pixels.shape
        found.append(Annotation(spine, name, rows, columns))
    return found


@pytest.mark.parametrize(("kind", "file"), [("makesense", "labels.csv"), ("coco", "labels.json")])
def test_a_file_of_many_images_is_imported(tmp_path, kind, file):
    store = make_store(tmp_path / "studies")
    stranger = Annotation(annotations()[1].spine, "somebody.png", 2000, 2000)
    annotation.save([*annotations(), stranger], tmp_path / file, kind)
    report = store.import_labels(tmp_path / file, info={"annotator": "anna"})
    assert {r.image_id for r in report.taken} == {DOTTED, PLAIN}
    assert (report.unmatched, report.refused) == (("somebody.png",), ())
    for revision in report.taken:
        assert (revision.annotator, revision.action) == ("anna", "imported")
        expected = truth(revision.image_id).to_array(STANDARD_LEVELS)
        np.testing.assert_allclose(store.spine_of(revision).to_array(STANDARD_LEVELS), expected, atol=1e-6)
    again = store.import_labels(tmp_path / file, info={"annotator": "anna"})
    assert (again.taken, set(again.unchanged)) == ((), {DOTTED, PLAIN})


def test_the_authors_mat_files_are_imported_by_the_name_of_their_image(tmp_path):
    store = make_store(tmp_path / "studies")
    annotation.save(annotations()[1:], tmp_path / f"{PLAIN}.mat", "authors-mat")
    (revision,) = store.import_labels(tmp_path / f"{PLAIN}.mat", tag="reviewed").taken
    assert (revision.image_id, revision.tag) == (PLAIN, "reviewed")
    expected = truth(PLAIN).to_array(STANDARD_LEVELS)
    np.testing.assert_allclose(store.spine_of(revision).to_array(STANDARD_LEVELS), expected, atol=1e-6)


def test_what_is_no_landmark_file_is_refused_as_a_whole(tmp_path):
    store = make_store(tmp_path / "studies")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(AnnotationError):
        store.import_labels(tmp_path / "x.csv")
    assert store.get_labeled_images() == []


def test_a_label_of_an_import_that_is_not_valid_is_reported_and_the_others_are_taken(tmp_path):
    store = make_store(tmp_path / "studies")
    good, bad = annotations()
    far = Annotation(moved(bad.spine, 0, 5000), bad.image, bad.rows, bad.columns)
    annotation.save([good, far], tmp_path / "labels.json", "coco")
    report = store.import_labels(tmp_path / "labels.json")
    assert [r.image_id for r in report.taken] == [DOTTED]
    (sentence,) = report.refused
    assert "outside the image" in sentence
