"""Issue 13, item 1: whole names decide what belongs to what, however many dots they have."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from vertenet.annotation import Annotation, convert, save
from vertenet.errors import VerteNetError
from vertenet.imaging import ImageFolder
from vertenet.learning.cases import annotated_cases
from vertenet.phantom import generate, write
from vertenet.spine import STANDARD_LEVELS

#: As scanners name their files: equal up to the last number, and to the first dot.
UIDS = [f"1.2.840.113619.2.55.{number}" for number in (1, 2, 9)]


@pytest.fixture(scope="module")
def phantoms():
    return [generate(seed, difficulty="easy", crop=None) for seed in (60, 61, 62)]


def truth(phantom):
    return phantom.truth.spine.to_array(STANDARD_LEVELS)


def test_images_named_by_uid_have_their_own_landmarks(phantoms, tmp_path):
    for uid, phantom, kind in zip(UIDS, phantoms, ("dicom", "png", "dicom")):
        image = write(phantom, tmp_path, name=uid, format=kind)
        if kind == "dicom":
            image.with_name(f"{uid}.truth.json").unlink()
            save(
                [Annotation(phantom.truth.spine, image.name, *phantom.radiograph.pixels.shape)],
                tmp_path / f"{uid}.mrk.json",
            )
    cases = annotated_cases(tmp_path)
    assert [case.name for case in cases] == [f"{UIDS[0]}.dcm", f"{UIDS[1]}.png", f"{UIDS[2]}.dcm"]
    for case, phantom in zip(cases, phantoms):
        np.testing.assert_allclose(case.spine.to_array(STANDARD_LEVELS), truth(phantom), atol=1e-6)


def test_an_image_without_an_ending_is_not_cut_at_its_last_dot(phantoms, tmp_path):
    first, second, _ = phantoms
    write(first, tmp_path, name=UIDS[0], format="dicom").rename(tmp_path / UIDS[0])
    write(second, tmp_path, name=UIDS[1], format="dicom").rename(tmp_path / UIDS[1])
    write(phantoms[2], tmp_path, name="1.2.840.113619.2.55", format="dicom")
    cases = {case.name: case for case in annotated_cases(tmp_path)}
    assert set(cases) == {UIDS[0], UIDS[1], "1.2.840.113619.2.55.dcm"}
    np.testing.assert_allclose(cases[UIDS[1]].spine.to_array(STANDARD_LEVELS), truth(second), atol=1e-6)
    images = ImageFolder(tmp_path)
    assert images[f"{UIDS[0]}.dcm"].name == UIDS[0]
    assert UIDS[2] not in images


def test_convert_takes_the_size_of_the_image_of_that_name_or_of_none(phantoms, tmp_path):
    write(phantoms[0], tmp_path / "images", name="1.2.840.55", format="dicom")
    save([Annotation(phantoms[1].truth.spine, "1.2.840.55.9")], tmp_path / "1.2.840.55.9.mat")
    images = ImageFolder(tmp_path / "images")
    with pytest.raises(VerteNetError, match="size of the image"):
        convert(tmp_path / "1.2.840.55.9.mat", tmp_path / "x.json", target_format="coco", images=images)


def test_a_picture_drawn_over_an_image_is_not_that_image(phantoms, tmp_path):
    image = write(phantoms[0], tmp_path, name="scan")
    image.with_name("scan.overlay.png").write_bytes(image.read_bytes())
    assert [case.name for case in annotated_cases(tmp_path)] == ["scan.png"]


def test_landmarks_that_could_be_of_two_images_are_refused_with_both_names(phantoms, tmp_path):
    write(phantoms[0], tmp_path, name="scan")
    write(phantoms[0], tmp_path, name="scan", format="dicom")
    with pytest.raises(VerteNetError, match=r"scan\.dcm and scan\.png"):
        annotated_cases(tmp_path)


def test_an_image_with_two_different_files_of_landmarks_is_refused_with_both_names(phantoms, tmp_path):
    first = phantoms[0]
    image = write(first, tmp_path, name="scan")
    (tmp_path / "scan.truth.json").unlink()
    size = first.radiograph.pixels.shape
    save([Annotation(first.truth.spine, image.name, *size)], tmp_path / "scan.mrk.json")
    save([Annotation(first.truth.spine, image.name, *size)], tmp_path / "scan.png.mrk.json")
    (same,) = annotated_cases(tmp_path)
    np.testing.assert_allclose(same.spine.to_array(STANDARD_LEVELS), truth(first), atol=1e-6)
    moved = first.truth.spine.map_points(lambda xy: xy + 3)
    save([Annotation(moved, image.name, *size)], tmp_path / "scan.png.mrk.json")
    with pytest.raises(VerteNetError, match=r"scan\.mrk\.json and scan\.png\.mrk\.json"):
        annotated_cases(tmp_path)


def test_a_copy_of_anothers_markups_is_refused_with_both_names(phantoms, tmp_path):
    """Its points were moved onto the second image and saved under that name; the file still says whose it was."""
    first, second, _ = phantoms
    for name, phantom in (("a", first), ("b", second)):
        write(phantom, tmp_path, name=name).with_name(f"{name}.truth.json").unlink()
    save([Annotation(first.truth.spine, "a.png", *first.radiograph.pixels.shape)], tmp_path / "b.mrk.json")
    with pytest.raises(VerteNetError, match=r"b\.mrk\.json.*a\.png.*b\.png"):
        annotated_cases(tmp_path)


def test_the_table_of_persons_names_images_by_the_same_rule(phantoms, tmp_path):
    for uid, phantom in zip(UIDS, phantoms):
        write(phantom, tmp_path, name=uid, format="dicom")
    with (tmp_path / "cases.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("image", "person"), (UIDS[0], "ada"), (f"{UIDS[2]}.dcm", "grace")])
    assert [case.person for case in annotated_cases(tmp_path)] == ["ada", f"{UIDS[1]}.dcm", "grace"]
    assert json.loads((tmp_path / f"{UIDS[0]}.truth.json").read_text())["seed"] == 60
