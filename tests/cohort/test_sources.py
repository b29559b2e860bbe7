"""Issue 16, item 1: a cohort is found whole, each image once, and no name in it leads out of where it lies."""

from __future__ import annotations

import os
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.cohort.boxes import dcm, png
from vertenet import archives
from vertenet.cohort.items import FileItem
from vertenet.cohort.names import result_places, safe_name, safe_place
from vertenet.cohort.sources import find_items
from vertenet.errors import ImageReadError, OptionError
from vertenet.imaging import read


def paths(*inputs, **options) -> list[str]:
    return [item.path for item in find_items(inputs, **options).items]


def test_a_folder_is_listed_with_all_in_it_and_without_what_is_no_image(tmp_path):
    made = [png(tmp_path / "a" / "scan.png"), png(tmp_path / "b" / "c" / "scan.png"), dcm(tmp_path / "1.2.840.55.1")]
    for other in ("notes.txt", ".hidden.png", "a/.DS_Store", "b/x.overlay.png", "x.json", "DICOMDIR"):
        (tmp_path / other).write_bytes(b"no image")
    png(tmp_path / "out" / "readings" / "scan.thumbnail.png")
    found = find_items([tmp_path], besides=tmp_path / "out")
    assert sorted(item.path for item in found.items) == sorted(map(str, made))
    assert found.passed_over == {".txt": 1, ".json": 1, ".png": 1, "DICOMDIR": 1}
    assert len(set(result_places(found.items))) == 3


def test_two_images_of_one_name_keep_places_of_their_own():
    items = [
        FileItem("/a/scan.png", "a"),
        FileItem("/b/scan.png", "b"),
        FileItem("/c/scan.png"),
        FileItem("/d/scan.png"),
    ]
    items += [FileItem("/e/SCAN.dcm"), FileItem("/e/1.2.840.55.1"), FileItem("/e/1.2.840.55.2.dcm")]
    places = result_places(items)
    assert len({place.casefold() for place in places}) == len(items)
    assert places[:2] == ["a/scan", "b/scan"]
    assert places[-2:] == ["1.2.840.55.1", "1.2.840.55.2"]
    later = result_places([FileItem("/0/scan.png"), *items], {item.path: place for item, place in zip(items, places)})
    assert later[1:] == places
    assert later[0] not in places


@pytest.mark.parametrize("name", ["../../etc", "..", "a" * 300, "x\0y", "con:1", "né " * 100])
def test_a_place_is_safe_whatever_the_name(name):
    assert len(safe_name(name).encode()) <= 200
    assert "/" not in safe_name(name)
    assert safe_name(name) not in ("", ".", "..")
    assert ".." not in Path(safe_place(f"../{name}/..")).parts


def test_a_list_names_images_folders_and_what_is_not_there(tmp_path):
    png(tmp_path / "in" / "a.png")
    png(tmp_path / "more" / "b.png")
    (tmp_path / "list.txt").write_text(f"# a comment\nin/a.png\n\n{tmp_path}/more\nin/gone.png\nin/a.png\n")
    names = [tmp_path / "in" / "a.png", tmp_path / "more" / "b.png", tmp_path / "in" / "gone.png"]
    assert paths(tmp_path / "list.txt") == [str(name) for name in names]
    (tmp_path / "other.txt").write_text("list.txt\n")
    with pytest.raises(OptionError, match=r"other\.txt: a list in a list"):
        paths(tmp_path / "other.txt")


def test_nothing_to_read_is_a_sentence(tmp_path):
    with pytest.raises(OptionError, match="no image to read"):
        paths(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_fails_with_its_reason(tmp_path):
    png(tmp_path / "a.png")
    (tmp_path / "closed").mkdir(mode=0)
    closed = [item for item in find_items([tmp_path]).items if item.path.endswith("closed")]
    with pytest.raises(ImageReadError, match="cannot be listed"), closed[0].file(None):
        pass


def test_images_of_a_zip_are_read_one_at_a_time_and_lead_nowhere(tmp_path):
    first, second = png(tmp_path / "a.png", 1), dcm(tmp_path / "b", 2)
    with zipfile.ZipFile(tmp_path / "scans.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.write(first, "x/scan.png")
        file.write(second, "../../1.2.840.1")
        file.writestr("x/notes.txt", "no image")
        file.writestr("x/broken.png", b"\x89PNG\r\n\x1a\n")
    items = find_items([tmp_path / "scans.zip"]).items
    assert [item.path for item in items] == [
        f"{tmp_path}/scans.zip/{name}" for name in ("x/scan.png", "../../1.2.840.1", "x/broken.png")
    ]
    assert result_places(items) == ["x/scan", "1.2.840.1", "x/broken"]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for item, original in zip(items, (first, second)):
        with item.file(scratch) as path:
            assert scratch in path.parents
            assert (read(path).pixels == read(original).pixels).all()
    assert not list(scratch.iterdir())


def test_a_zip_that_is_a_bomb_is_refused_whole_and_a_damaged_member_alone(tmp_path, monkeypatch):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("a.dcm", "w", force_zip64=True) as member:
        for _ in range(100):
            member.write(bytes(1 << 20))
    with pytest.raises(ImageReadError, match=r"bomb\.zip: .*100 MiB.*times its own size"):
        paths(path)
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as file:
        file.writestr("a.png", os.urandom(4000))
        file.write(png(tmp_path / "b.png"), "b.png")
    content = bytearray((tmp_path / "some.zip").read_bytes())
    content[1000] ^= 0xFF
    (tmp_path / "some.zip").write_bytes(content)
    damaged, whole = find_items([tmp_path / "some.zip"]).items
    with pytest.raises(ImageReadError, match=r"some\.zip/a\.png: .*cannot be unpacked"), damaged.file(None):
        pass
    with whole.file(None) as unpacked:
        assert read(unpacked).rows == 160
    monkeypatch.setattr(archives, "MOST_FILES", 1)
    with pytest.raises(ImageReadError, match="2 files"):
        paths(tmp_path / "some.zip")


def dicomdir(folder: Path, files: list[list[str]]) -> Path:
    """A DICOMDIR whose image records name these files."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    ds.is_little_endian, ds.is_implicit_VR = True, False
    records = []
    for kind, parts in [("PATIENT", None), *(("IMAGE", parts) for parts in files)]:
        record = Dataset()
        record.DirectoryRecordType = kind
        if parts:
            record.ReferencedFileID = parts
        records.append(record)
    ds.DirectoryRecordSequence = records
    ds.save_as(folder / "DICOMDIR", write_like_original=False)
    return folder / "DICOMDIR"


def test_a_dicomdir_gives_its_images_and_none_outside_its_folder(tmp_path):
    cd = tmp_path / "cd"
    dcm(cd / "IMAGES" / "IM000001", 1)
    dcm(cd / "images2" / "im000002", 2)
    dcm(tmp_path / "secret", 3)
    listed = dicomdir(cd, [["IMAGES", "IM000001"], ["IMAGES2", "IM000002"], ["..", "secret"]])
    items = find_items([listed]).items
    assert [item.path for item in items[:2]] == [str(cd / "IMAGES" / "IM000001"), str(cd / "images2" / "im000002")]
    with pytest.raises(ImageReadError, match="outside its own folder"), items[2].file(None):
        pass
    listed.write_bytes(b"\0" * 128 + b"DICM\x02\x00\x00")
    with pytest.raises(ImageReadError, match="DICOMDIR cannot be read"):
        paths(listed)


class Pacs(BaseHTTPRequestHandler):
    """One study with a radiograph's series and one of CT; answers QIDO-RS pages and WADO-RS."""

    file: Path
    asked: list[str]

    def do_GET(self):
        type(self).asked.append(self.path)
        where = self.path.partition("?")[0]
        if "offset=0" not in self.path and "offset" in self.path:
            self._json([])
        elif where.endswith("/studies"):
            self._json([{"0020000D": {"vr": "UI", "Value": ["1.5"]}}])
        elif where.endswith("/series"):
            series = [("1.5.1", "CR"), ("1.5.2", "CT")]
            self._json(
                [
                    {"0020000E": {"vr": "UI", "Value": [uid]}, "00080060": {"vr": "CS", "Value": [m]}}
                    for uid, m in series
                ]
            )
        elif where.endswith("/instances"):
            self._json(
                [{"00080018": {"vr": "UI", "Value": ["1.5.1.1"]}}, {"00080018": {"vr": "UI", "Value": ["1.5.9"]}}]
            )
        elif where.endswith("/instances/1.5.1.1"):
            body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + self.file.read_bytes() + b"\r\n--b--\r\n"
            self._answer(200, 'multipart/related; type="application/dicom"; boundary=b', body)
        else:
            self._answer(404, "text/plain", b"")

    def _json(self, found):
        import json

        self._answer(200, "application/dicom+json", json.dumps(found).encode())

    def _answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def test_a_dicomweb_query_gives_radiographs_and_fetches_each_when_it_is_read(tmp_path):
    kind = type("Served", (Pacs,), {"file": dcm(tmp_path / "a", 5), "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}/dicom-web"
    try:
        items = find_items([f"{root}/studies?StudyDate=20240101-20241231"]).items
        assert [item.path for item in items] == [
            f"{root}/studies/1.5/series/1.5.1/instances/{number}" for number in ("1.5.1.1", "1.5.9")
        ]
        assert any("StudyDate=20240101-20241231" in asked for asked in kind.asked)
        assert not any("1.5.2/instances" in asked for asked in kind.asked)
        with items[0].file(tmp_path) as path:
            assert (read(path).pixels == read(kind.file).pixels).all()
        with pytest.raises(ImageReadError, match=r"1\.5\.9: .*it answers 404"), items[1].file(tmp_path):
            pass
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(ImageReadError, match="does not answer"):
        paths(root)
    with pytest.raises(OptionError, match=r"~/\.netrc"):
        paths(root.replace("127", "anna:secret@127"))


def test_a_hundred_thousand_names_are_no_square_of_comparisons():
    """Four times the names take about four times as long, not sixteen; the benchmark lists real files."""
    import time

    def spent(count: int) -> float:
        items = [FileItem(f"/a/{i % 50}/scan{i // 2}.{'png' if i % 2 else 'dcm'}", "same") for i in range(count)]
        began = time.process_time()
        assert len(set(result_places(items))) == count
        return time.process_time() - began

    spent(1000)
    assert spent(40_000) < 10 * spent(10_000)
