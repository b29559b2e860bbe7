from __future__ import annotations

import os
import shutil
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from vertenet import archives
from vertenet.errors import AnnotationError
from vertenet.learning import archive
from vertenet.learning.archive import unpacked


def written_by(path: Path) -> list[Path]:
    return sorted(path.glob("vertenet-dataset-*"))


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(archive.tempfile, "tempdir", str(folder))
    return folder


def test_a_zip_becomes_a_folder_of_its_members(tmp_path, scratch):
    noise = os.urandom(100_000)
    folder = unpacked(packed(tmp_path / "a.zip", {"a.dcm": noise, "sub/b.csv": b"x,y\n" * 1000}))
    assert (folder / "a.dcm").read_bytes() == noise
    assert (folder / "sub" / "b.csv").stat().st_size == 4000
    assert unpacked(tmp_path) == tmp_path


def test_11_a_small_zip_is_not_unpacked_to_a_large_one(tmp_path, scratch):
    path = tmp_path / "a.zip"
    zeros = bytes(1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("a.dcm", "w", force_zip64=True) as member:
        for _ in range(300):
            member.write(zeros)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(AnnotationError, match=r"a\.zip: .*300 MiB.*times its own size"):
        unpacked(path)
    assert written_by(scratch) == []


def test_11_nor_one_of_more_files_than_anybody_has_images(tmp_path, scratch, monkeypatch):
    monkeypatch.setattr(archives, "MOST_FILES", 50)
    with pytest.raises(AnnotationError, match="51 files"):
        unpacked(packed(tmp_path / "a.zip", {f"{i}.txt": b"" for i in range(51)}))
    assert written_by(scratch) == []


def test_11_nor_one_that_the_disk_has_no_room_for(tmp_path, scratch, monkeypatch):
    path = packed(tmp_path / "a.zip", {"a.dcm": os.urandom(5000)})
    usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10**9, 10**9 - 4000, 4000))
    with pytest.raises(AnnotationError, match="no room"):
        unpacked(path)
    assert written_by(scratch) == []


def test_what_a_damaged_zip_left_is_removed_at_once(tmp_path, scratch):
    path = packed(tmp_path / "a.zip", {"a.dcm": os.urandom(5000)})
    content = bytearray(path.read_bytes())
    content[1000] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(AnnotationError, match="cannot be unpacked"):
        unpacked(path)
    assert written_by(scratch) == []
