"""Telling formats apart, and finding the landmarks of an image."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys

import numpy as np
import pytest

from vertenet.annotation import FORMATS, Annotation, convert, detect, load, load_for_image, markups, save
from vertenet.assess import assess
from vertenet.errors import AnnotationError
from vertenet.imaging import ImageFolder
from vertenet.radiograph import Radiograph, ViewerGeometry

SIZE = (1104, 402)


@pytest.fixture
def radiograph() -> Radiograph:
    geometry = ViewerGeometry.identity(0.4, 0.4)
    return Radiograph(np.zeros(SIZE), anterior="right", name="scan.png", geometry=geometry)


@pytest.mark.parametrize("name", [name for name, entry in FORMATS.items() if entry.write])
def test_formats_are_told_from_content_whatever_the_file_is_called(tmp_path, plain, name):
    (path,) = save([Annotation(plain, "scan", *SIZE)], tmp_path / f"scan{FORMATS[name].suffix}", name)
    renamed = path.rename(tmp_path / "scan.unknown")
    assert detect(renamed).name == name


def test_the_landmarks_of_a_reading_are_read(tmp_path, plain, radiograph):
    reading = assess(radiograph, plain)
    (tmp_path / "scan.reading.json").write_text(reading.to_json())
    assert detect(tmp_path / "scan.reading.json").name == "reading"
    assert load(tmp_path / "scan.reading.json") == {"scan.png": Annotation(plain, "scan.png", *SIZE)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"{}",
        b"[1, 2]",
        b"{",
        b"\x00\xff\xfe\x80" * 50,
        b"a,b,c\n1,2,3\n",
        b'{"markups": null}',
        b"{" * 99999,
    ],
)
def test_files_that_hold_no_landmarks_are_refused_by_name(tmp_path, content):
    (tmp_path / "strange.json").write_bytes(content)
    with pytest.raises(AnnotationError, match=r"strange\.json"):
        load(tmp_path / "strange.json")


def test_files_and_folders_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(AnnotationError, match=r"nothing\.csv"):
        load(tmp_path / "nothing.csv")
    with pytest.raises(AnnotationError, match="holds no landmark files"):
        load(tmp_path)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", [name for name, entry in FORMATS.items() if entry.write])
def test_random_damage_never_raises_anything_else(tmp_path, plain, name, seed):
    rng = np.random.default_rng(seed)
    (path,) = save([Annotation(plain, "scan", *SIZE)], tmp_path / f"scan{FORMATS[name].suffix}", name)
    whole = path.read_bytes()
    for _ in range(30):
        damaged = bytearray(whole)
        for _ in range(rng.integers(1, 6)):
            damaged[rng.integers(len(damaged))] = rng.integers(256)
        cut = rng.integers(len(damaged)) if rng.random() < 0.5 else len(damaged)
        path.write_bytes(bytes(damaged[:cut]))
        for format in (None, name):
            with contextlib.suppress(AnnotationError):
                load(path, format, sizes={"scan": SIZE})


@pytest.mark.parametrize("name", [name for name, entry in FORMATS.items() if entry.write])
def test_a_file_of_one_image_serves_for_whatever_image_is_measured(tmp_path, plain, radiograph, name):
    annotation = Annotation(plain, "another name", *SIZE)
    (path,) = save([annotation], tmp_path / f"x{FORMATS[name].suffix}", name)
    found = load_for_image(path, radiograph)
    np.testing.assert_allclose(found.to_array(), plain.to_array(), atol=1e-9)


def test_of_a_file_of_many_images_the_one_of_this_name_is_taken(tmp_path, plain, radiograph):
    shifted = plain.map_points(lambda p: p + 5)
    (path,) = save(
        [Annotation(plain, "other.png", *SIZE), Annotation(shifted, "scan.jpg", *SIZE)], tmp_path / "x.json", "coco"
    )
    assert load_for_image(path, radiograph) == shifted
    with pytest.raises(AnnotationError, match=r"2 images.*none of them is foreign\.png"):
        load_for_image(path, Radiograph(np.zeros(SIZE), name="foreign.png"))


def test_landmarks_of_an_image_of_another_size_are_refused(tmp_path, plain):
    (path,) = save([Annotation(plain, "scan.png", *SIZE)], tmp_path / "x.json", "coco")
    with pytest.raises(AnnotationError, match=r"402 x 1104 pixels, but the image has 500 x 1104"):
        load_for_image(path, Radiograph(np.zeros((1104, 500)), name="scan.png"))


def test_an_image_that_faces_left_decides_the_side_of_unnamed_points(tmp_path, plain):
    mirrored = plain.mirrored(402)
    (path,) = save([Annotation(mirrored, "scan.png", *SIZE)], tmp_path / "scan.png.mat")
    assert load_for_image(path, Radiograph(np.zeros(SIZE), anterior="left", name="scan.png")) == mirrored


def test_a_side_that_contradicts_named_points_is_refused(tmp_path, plain, radiograph):
    (path,) = save([Annotation(plain, "scan.png", *SIZE)], tmp_path / "x.mrk.json")
    with pytest.raises(AnnotationError, match="anterior is right in the file, but left was given"):
        load_for_image(path, radiograph, anterior="left")


def test_a_folder_of_images_gives_sizes_and_geometry(tmp_path, plain):
    from PIL import Image

    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(tmp_path / "images" / "scan.jpg", dpi=(254, 254))
    images = ImageFolder(tmp_path / "images")
    (source,) = save([Annotation(plain, "scan.png")], tmp_path / "scan.png.mat")
    (target,) = convert(source, tmp_path / "scan.mrk.json", images=images)
    text = json.loads(target.read_text())
    assert json.loads(text["markups"][0]["measurements"][0]["description"])["size"] == list(SIZE)
    assert markups.loads(target.read_text()) == plain
    # 3D Slicer takes the resolution of a JPEG for a pixel size: 254 dpi are 0.1 mm.
    x, y = plain["T12"]["SA"].xy
    assert text["markups"][0]["controlPoints"][0]["position"] == pytest.approx([x / 10, y / 10, 0], abs=1e-9)


def test_the_library_needs_only_numpy_and_scipy():
    banned = ("torch", "pydicom", "PIL", "SimpleITK", "pandas", "tifffile", "monai", "matplotlib")
    code = (
        "import sys; import vertenet.annotation, vertenet.annotation.markups; "
        f"print([name for name in {banned!r} if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
