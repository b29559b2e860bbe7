"""Whatever is wrong with a file, the answer is one sentence that names it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.damaged import KINDS, make_damaged
from tests.imaging.dicom_files import ramp
from vertenet.errors import ImageReadError
from vertenet.imaging import ImageFolder, read


def test_300_damaged_files_each_give_a_sentence_that_names_the_file(tmp_path):
    paths = make_damaged(tmp_path, 300, seed=2024)
    assert len({path.name for path in paths}) == 300
    for path in paths:
        with pytest.raises(ImageReadError) as error:
            read(path)
        sentence = str(error.value)
        assert path.name in sentence
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        assert " at 0x" not in sentence


def test_damaged_files_are_the_same_for_the_same_seed(tmp_path):
    once = make_damaged(tmp_path / "a", len(KINDS), seed=5, folders=False)
    again = make_damaged(tmp_path / "b", len(KINDS), seed=5, folders=False)
    assert [path.name for path in once] == [path.name for path in again]
    assert not any(path.is_dir() for path in once)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ImageReadError, match=r"nothing\.png: there is no such file"):
        read(tmp_path / "nothing.png")


def test_a_healthy_file_under_a_wrong_name_is_read(tmp_path):
    Image.fromarray(ramp(bits=8)).save(tmp_path / "a.png")
    renamed = (tmp_path / "a.png").rename(tmp_path / "a.dcm")
    np.testing.assert_array_equal(read(renamed).pixels, ramp(bits=8))


def test_reading_says_nothing_on_stderr(tmp_path):
    make_damaged(tmp_path, 2 * len(KINDS), seed=1)
    code = (
        "import sys, pathlib\n"
        "from vertenet.errors import ImageReadError\n"
        "from vertenet.imaging import read\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n"
        "    try:\n"
        "        read(path)\n"
        "    except ImageReadError:\n"
        "        print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.count("refused") == 2 * len(KINDS)
    assert done.stderr == ""


def test_importing_the_reader_needs_no_parser():
    code = (
        "import sys, vertenet.imaging; print([n for n in ('pydicom', 'PIL', 'SimpleITK', 'torch') if n in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_folder_of_images_finds_them_by_name_and_by_stem(tmp_path):
    Image.fromarray(ramp(bits=8)).save(tmp_path / "scan.png")
    Image.fromarray(ramp(bits=8)).save(tmp_path / "twin.png")
    Image.fromarray(ramp(bits=8)).save(tmp_path / "twin.jpg")
    (tmp_path / "scan.csv").write_text("no image")
    folder = ImageFolder(tmp_path)
    assert sorted(folder) == ["scan.png", "twin.jpg", "twin.png"]
    assert folder["scan.png"].name == "scan.png"
    assert folder["elsewhere/scan.dcm"].name == "scan.png"
    assert folder["twin.jpg"].name == "twin.jpg"
    with pytest.raises(ImageReadError, match=r"twin\.jpg and twin\.png"):
        folder["twin.dcm"]
    with pytest.raises(KeyError):
        folder["other.png"]
    with pytest.raises(ImageReadError, match="no such folder"):
        ImageFolder(tmp_path / "nothing")
