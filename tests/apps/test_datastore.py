from __future__ import annotations

import json
from pathlib import Path

import pytest
from monailabel.tasks.activelearning.first import First

from labelapp.datastore import INDEX, RadiographStore
from labelapp.strategy import LeastRecentlyOffered
from vertenet.errors import SchemaError


def make_store(folder: Path, *names: str) -> RadiographStore:
    for name in names:
        (folder / name).write_bytes(name.encode())
    return RadiographStore(str(folder), auto_reload=False)


def test_images_are_listed_and_what_lies_beside_them_is_not(tmp_path):
    images = ["a.dcm", "b.png", "c.jpg", "d.jpeg", "e.tif", "f.tiff", "g.nii", "h.nii.gz", "i.nrrd", "j.mha"]
    others = ["a.truth.json", "a.mrk.json", "a.reading.json", "README.md", "notes.csv"]
    store = make_store(tmp_path, *images, *others)
    assert sorted(store.list_images()) == list("abcdefghij")
    RadiographStore(str(tmp_path), auto_reload=False)  # the index that the first one wrote is there now
    assert sorted(RadiographStore(str(tmp_path), auto_reload=False).list_images()) == list("abcdefghij")


@pytest.mark.parametrize("name", ["1.2.840.113.dcm", "scan.v2.nii.gz", "SCAN.DCM", "x.png.old.png", "a b.Jpeg"])
def test_an_id_leads_back_to_the_very_file(tmp_path, name):
    store = make_store(tmp_path, name)
    (image_id,) = store.list_images()
    assert name.startswith(image_id)
    assert Path(store.get_image_uri(image_id)).read_bytes() == name.encode()


def test_files_that_share_a_stem_are_all_listed(tmp_path):
    store = make_store(tmp_path, "a.png", "a.dcm", "a.nii.gz")
    assert len(store.list_images()) == 3
    contents = {Path(store.get_image_uri(i)).read_bytes() for i in store.list_images()}
    assert contents == {b"a.png", b"a.dcm", b"a.nii.gz"}
    again = RadiographStore(str(tmp_path), auto_reload=False)
    assert sorted(again.list_images()) == sorted(store.list_images())


def test_a_label_of_an_image_with_dots_keeps_one_name(tmp_path):
    store = make_store(tmp_path, "1.2.840.113.dcm")
    # MONAI Label gives an upload every suffix of its name.
    label = tmp_path / "tmpabc.2.840.113.mrk.json"
    label.write_text("{}")
    store.save_label("1.2.840.113", str(label), "final", {})
    assert [p.name for p in (tmp_path / "labels" / "final").iterdir()] == ["1.2.840.113.mrk.json"]
    assert Path(store.get_label_uri("1.2.840.113", "final")).read_text() == "{}"
    reopened = RadiographStore(str(tmp_path), auto_reload=False)
    assert reopened.get_labeled_images() == ["1.2.840.113"]


def test_a_damaged_index_is_named_in_a_sentence(tmp_path):
    (tmp_path / INDEX).write_text('{"name": ')
    with pytest.raises(SchemaError, match=INDEX):
        RadiographStore(str(tmp_path), auto_reload=False)


def test_the_index_on_disk_is_what_monai_label_reads(tmp_path):
    make_store(tmp_path, "a.png")
    assert json.loads((tmp_path / INDEX).read_text())["objects"]["a"]["image"]["ext"] == ".png"


def test_the_next_image_can_be_asked_for_twice_within_a_second(tmp_path):
    store = make_store(tmp_path, "a.png")
    for _ in range(3):
        sample = LeastRecentlyOffered()({"strategy": "random"}, store)
        assert sample["id"] == "a"
        store.update_image_info("a", {"strategy": {"random": {"ts": 4_000_000_000}}})  # offered just now, or later


def test_an_image_offered_a_moment_ago_is_rarely_offered_again(tmp_path):
    store = make_store(tmp_path, "a.png", "b.png")
    store.update_image_info("a", {"strategy": {"random": {"ts": 4_000_000_000}}})
    offers = [LeastRecentlyOffered()({"strategy": "random"}, store)["id"] for _ in range(50)]
    assert offers == ["b"] * 50


def test_labelled_images_are_not_offered(tmp_path):
    store = make_store(tmp_path, "a.png", "b.png")
    label = tmp_path / "x.mrk.json"
    label.write_text("{}")
    store.save_label("a", str(label), "final", {})
    assert First()({"strategy": "first"}, store) == {"id": "b"}
    store.save_label("b", str(label), "final", {})
    assert LeastRecentlyOffered()({"strategy": "random"}, store) is None
