from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from monailabel.interfaces.exception import ImageNotFoundException

from vertenet.errors import ImageReadError, OptionError
from vertenet.server.store import RadiographStore

from .scenes import DOTTED, PLAIN, label_text, make_store, submit, write_images


def listing(folder: Path, *names: str, auto_reload: bool = False) -> RadiographStore:
    for name in names:
        (folder / name).write_bytes(name.encode())
    return RadiographStore(str(folder), auto_reload=auto_reload)


def dicom_like(name: str) -> bytes:
    return bytes(128) + b"DICM" + name.encode()


def test_images_are_listed_and_what_lies_beside_them_is_not(tmp_path):
    images = ["a.dcm", "b.png", "c.jpg", "d.jpeg", "e.tif", "f.tiff", "g.nii", "h.nii.gz", "i.nrrd", "j.mha"]
    others = ["a.truth.json", "a.mrk.json", "a.reading.json", "README.md", "notes.csv", ".hidden.png"]
    store = listing(tmp_path, *images, *others)
    assert sorted(store.list_images()) == list("abcdefghij")
    assert sorted(RadiographStore(str(tmp_path), auto_reload=False).list_images()) == list("abcdefghij")


@pytest.mark.parametrize("name", ["1.2.840.113.dcm", "scan.v2.nii.gz", "SCAN.DCM", "x.png.old.png", "a b.Jpeg"])
def test_an_id_leads_back_to_the_very_file(tmp_path, name):
    store = listing(tmp_path, name)
    (image_id,) = store.list_images()
    assert name.startswith(image_id)
    assert Path(store.get_image_uri(image_id)).read_bytes() == name.encode()
    assert store.get_image(image_id).read() == name.encode()


def test_files_that_share_a_stem_are_all_listed_and_keep_their_ids(tmp_path):
    store = listing(tmp_path, "a.png", "a.dcm", "a.nii.gz")
    contents = {i: Path(store.get_image_uri(i)).read_bytes() for i in store.list_images()}
    assert set(contents.values()) == {b"a.png", b"a.dcm", b"a.nii.gz"}
    (owner,) = (name for name in ("a.png", "a.dcm", "a.nii.gz") if contents["a"] == name.encode())
    (tmp_path / owner).unlink()
    left = RadiographStore(str(tmp_path), auto_reload=False)
    assert {i: Path(left.get_image_uri(i)).read_bytes() for i in left.list_images()} == {
        i: content for i, content in contents.items() if i != "a"
    }


def test_dicom_files_without_an_ending_are_listed(tmp_path):
    for name in ("IM0001", "1.2.840.113619.2", "REPORT"):
        (tmp_path / name).write_bytes(dicom_like(name) if name != "REPORT" else b"text")
    assert sorted(RadiographStore(str(tmp_path), auto_reload=False).list_images()) == ["1.2.840.113619.2", "IM0001"]


def test_new_and_vanished_files_are_noticed_without_a_restart(tmp_path):
    store = listing(tmp_path, "a.png", auto_reload=True)
    (tmp_path / "b.png").write_bytes(b"b")
    os.utime(tmp_path, ns=(1, 1))  # a coarse clock would stamp both changes alike
    assert store.list_images() == ["a", "b"]
    (tmp_path / "a.png").unlink()
    os.utime(tmp_path, ns=(2, 2))
    assert store.list_images() == ["b"]
    assert store.get_image_uri("a") == ""


def test_the_state_folder_is_no_image_and_can_lie_elsewhere(tmp_path):
    (tmp_path / "studies").mkdir()
    listing(tmp_path / "studies", "a.png")
    assert (tmp_path / "studies" / ".vertenet" / "store.sqlite").is_file()
    RadiographStore(str(tmp_path / "studies"), conf={"state": str(tmp_path / "elsewhere")})
    assert (tmp_path / "elsewhere" / "store.sqlite").is_file()


def test_notes_on_an_image_are_merged_and_not_replaced(tmp_path):
    store = listing(tmp_path, "a.png")
    other = RadiographStore(str(tmp_path), auto_reload=False)  # a scoring process has a store of its own
    store.update_image_info("a", {"strategy": {"first": {"ts": 1}}})
    other.update_image_info("a", {"score": 0.5})
    assert {"strategy", "score", "ts", "name", "path"} == set(store.get_image_info("a"))
    with pytest.raises(ImageNotFoundException):
        store.update_image_info("b", {})


# Uploads


def test_an_upload_keeps_the_name_its_owner_gave_it(tmp_path):
    source = write_images(tmp_path / "source") / f"{DOTTED}.dcm"
    store = make_store(tmp_path / "studies")
    assert store.add_image_file(None, source, "1.2.840.999.dcm", {}) == "1.2.840.999"
    assert store.add_image_file("renamed", source, "1.2.840.999.dcm", {"from": "ward 3"}) == "renamed"
    assert store.add_image_file(None, source, "IM0001", {}) == "IM0001"
    assert {p.name for p in store.folder.glob("*.dcm")} >= {"1.2.840.999.dcm", "renamed.dcm", "IM0001.dcm"}
    assert store.get_image_info("renamed")["from"] == "ward 3"
    assert RadiographStore(str(store.folder)).list_images() == store.list_images()


@pytest.mark.parametrize(
    "image_id", ["../x", "..", ".hidden", "a/b", "a\\b", "/etc/x", "a\0b", "a\nb", "-rf", "a.", "x" * 200, "~"]
)
def test_an_id_that_is_a_path_or_no_name_is_refused_and_nothing_is_written(tmp_path, image_id):
    source = write_images(tmp_path / "source") / f"{PLAIN}.png"
    store = make_store(tmp_path / "studies")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OptionError, match="cannot be a file's name"):
        store.add_image(image_id, str(source), {})
    assert sorted(tmp_path.rglob("*")) == before


def test_an_image_is_never_replaced_by_another_one_under_its_id(tmp_path):
    source = write_images(tmp_path / "source")
    store = make_store(tmp_path / "studies")
    assert store.add_image(PLAIN, str(source / f"{PLAIN}.png"), {}) == PLAIN  # the same file again: nothing to do
    with pytest.raises(OptionError, match="another image is called"):
        store.add_image(PLAIN, str(source / f"{DOTTED}.dcm"), {})
    assert Path(store.get_image_uri(PLAIN)).read_bytes() == (source / f"{PLAIN}.png").read_bytes()


def test_a_damaged_image_is_refused_under_its_own_name(tmp_path):
    (tmp_path / "tmp123.png").write_bytes(b"broken")
    store = make_store(tmp_path / "studies")
    with pytest.raises(ImageReadError, match=r"^ward\.png: "):
        store.add_image_file(None, tmp_path / "tmp123.png", "ward.png", {})


def test_removing_an_image_keeps_its_history(tmp_path):
    store = make_store(tmp_path)
    submit(store)
    store.remove_image(PLAIN)
    assert store.list_images() == [DOTTED]
    assert not (tmp_path / f"{PLAIN}.png").exists()
    assert not list((tmp_path / "labels").rglob("*.mrk.json"))
    assert [r.action for r in store.revisions(PLAIN)] == ["submitted", "removed"]
    assert store.content_of(PLAIN, 1) is not None


def test_a_read_only_store_accepts_nothing(tmp_path):
    store = make_store(tmp_path)
    locked = RadiographStore(str(tmp_path), read_only=True)
    assert locked.list_images() == store.list_images()
    for attempt in (lambda: submit(locked), lambda: locked.remove_image(PLAIN), lambda: locked.make_consensus(PLAIN)):
        with pytest.raises(OptionError, match="read-only"):
            attempt()


def test_the_listing_has_the_form_of_monai_label_s_index(tmp_path):
    store = make_store(tmp_path)
    submit(store, DOTTED)
    listed = json.loads(json.dumps(store.json()))["objects"][DOTTED]
    assert listed["image"]["ext"] == ".dcm"
    assert listed["labels"]["final"]["ext"] == ".mrk.json"
    assert listed["labels"]["final"]["info"]["annotator"] == "anna"
    expected = {"total": 2, "completed": 1, "label_tags": {"final": 1}, "images_changed": 0}
    assert store.status() == {"store": store.identity, **expected}


# Names that cannot be served

LATIN_1 = os.fsdecode(b"R\xf6ntgen.png")
ODD = ("a\nb.png", "a\tb.png", "a\\b.png", LATIN_1, "x" * 246 + ".png", "\x85next.png")


def test_12_a_name_that_cannot_be_served_is_told_with_its_reason_and_the_others_are_served(tmp_path):
    for name in ODD:
        (tmp_path / name).write_bytes(name.encode("utf-8", "surrogateescape"))
    store = listing(tmp_path, "good.png", "second.png")
    assert store.list_images() == ["good", "second"]
    told = {entry["file"]: entry["reason"] for entry in store.status()["not_served"]}
    assert len(told) == len(ODD)
    assert "UTF-8" in told["R\\xf6ntgen.png"]
    assert "too long" in told["x" * 246 + ".png"]
    assert "control character" in told["a\\x0ab.png"]
    assert "backslash" in told["a\\\\b.png"]
    json.dumps(store.json(), ensure_ascii=False).encode()
    assert store.json()["not_served"] == store.status()["not_served"]
    again = RadiographStore(str(tmp_path), auto_reload=False)
    assert again.list_images() == ["good", "second"]


def test_12_an_image_whose_name_came_to_be_refused_after_it_was_labelled_stops_no_start(tmp_path):
    store = make_store(tmp_path)
    submit(store)
    long = "x" * 246
    with store._database.writing() as connection:
        connection.execute("INSERT INTO images (image_id, file) VALUES (?, ?)", (long, f"{long}.png"))
        connection.execute("INSERT INTO images (image_id, file) VALUES ('a\nb', 'a\nb.png')")
        for table in ("revisions", "labels"):
            columns = [row["name"] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "image_id"]
            for image_id in (long, "a\nb"):
                connection.execute(
                    f"INSERT INTO {table} (image_id, {', '.join(columns)})"
                    f" SELECT ?, {', '.join(columns)} FROM {table} WHERE image_id = ?",
                    (image_id, PLAIN),
                )
    (tmp_path / f"{long}.png").write_bytes(b"x")
    (tmp_path / "labels" / "final" / os.fsdecode(b"R\xf6ntgen.mrk.json")).write_text("{}")
    again = RadiographStore(str(tmp_path), auto_reload=False)
    assert again.list_images() == [DOTTED, PLAIN]
    assert [entry.image_id for entry in again.final_labels()] == [PLAIN]


def test_12_every_image_that_is_listed_can_be_labelled(tmp_path):
    store = make_store(tmp_path)
    longest = "ä" * 100
    (tmp_path / f"{longest}.png").write_bytes((tmp_path / f"{PLAIN}.png").read_bytes())
    store.refresh()
    assert longest in store.list_images()
    text = label_text(store, PLAIN).replace(f"{PLAIN}.png", f"{longest}.png")
    store.submit(longest, text.encode(), "final", {"annotator": "anna"})
    assert store.label_file(longest, "final").is_file()
