from __future__ import annotations

import json

import numpy as np
import pytest

from vertenet.annotation import Annotation, load, save
from vertenet.errors import AnnotationError
from vertenet.spine import Corner, Level, Spine, Status, Vertebra

SIZE = (1104, 402)


@pytest.fixture
def document(tmp_path, plain) -> dict:
    """A COCO file of ours with an outside, an unevaluable and a missing corner on L4."""
    points = dict(plain[Level.L4].points)
    points["SA"] = Corner(400.5, 600.25, Status.OUTSIDE, 0.25)
    points["SP"] = Corner(status=Status.UNEVALUABLE)
    points["IA"] = Corner.missing()
    spine = Spine((*(v for v in plain if v.level != Level.L4), Vertebra(Level.L4, points)))
    (path,) = save([Annotation(spine, "scan.png", *SIZE)], tmp_path / "ours.json")
    return json.loads(path.read_text())


def reload(tmp_path, document, **known) -> Annotation:
    (tmp_path / "coco.json").write_text(json.dumps(document))
    return load(tmp_path / "coco.json", **known)["scan.png"]


def test_visibility_tells_present_from_located_from_absent(document):
    names = document["categories"][0]["keypoints"]
    visibility = dict(zip(names, document["annotations"][0]["keypoints"][2::3]))
    assert [visibility[name] for name in ("L4-SA", "L4-SP", "L4-IA", "L4-IP")] == [1, 0, 0, 2]
    assert document["annotations"][0]["num_keypoints"] == 22


def test_box_and_counts_are_those_of_the_located_points(document):
    entry = document["annotations"][0]
    xy = np.array(entry["keypoints"]).reshape(-1, 3)
    xy = xy[xy[:, 2] > 0, :2]
    np.testing.assert_allclose(entry["bbox"], [*xy.min(0), *(xy.max(0) - xy.min(0))])


def test_a_tool_that_changes_a_visibility_is_obeyed(tmp_path, document, plain):
    names = document["categories"][0]["keypoints"]
    keypoints = document["annotations"][0]["keypoints"]
    x, y = plain[Level.L4]["SP"].xy
    for name, triplet in {"L4-SP": [x, y, 2], "L1-SA": [0, 0, 0], "L1-IA": [7, 8, 1]}.items():
        start = 3 * names.index(name)
        keypoints[start : start + 3] = triplet
    spine = reload(tmp_path, document).spine
    assert spine[Level.L4]["SP"] == Corner(x, y)
    assert spine[Level.L1]["SA"] == Corner.missing()
    assert spine[Level.L1]["IA"] == Corner(7, 8, Status.UNEVALUABLE)


def test_a_file_of_other_makers_with_our_names_is_read(tmp_path, document):
    del document["annotations"][0]["vertenet"]
    spine = reload(tmp_path, document).spine
    assert spine.anterior == "right"
    assert spine[Level.L4]["SA"] == Corner(400.5, 600.25, Status.UNEVALUABLE)
    assert spine[Level.L4]["SP"] == Corner.missing()


def test_24_keypoints_without_names_are_named_from_their_geometry(tmp_path, corners):
    rng = np.random.default_rng(1)
    keypoints = [value for x, y in rng.permutation(corners.reshape(24, 2)) for value in (x, y, 2)]
    document = {
        "images": [{"id": 5, "file_name": "scan.png"}],
        "annotations": [{"id": 1, "image_id": 5, "category_id": 1, "keypoints": keypoints}],
        "categories": [{"id": 1, "name": "spine", "keypoints": [str(n) for n in range(24)]}],
    }
    found = reload(tmp_path, document, sizes={"scan.png": SIZE})
    assert found.size == SIZE
    np.testing.assert_array_equal(found.spine.to_array(), corners)


def spoil_keypoint(document, name, triplet):
    start = 3 * document["categories"][0]["keypoints"].index(name)
    document["annotations"][0]["keypoints"][start : start + 3] = triplet


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d["annotations"].append(dict(d["annotations"][0])), r"scan\.png.*more than one spine"),
        (lambda d: d["annotations"][0]["keypoints"].pop(), "COCO"),
        (
            lambda d: d["annotations"][0].update(keypoints=d["annotations"][0]["keypoints"][:-3]),
            "24 keypoints are named, but 23",
        ),
        (lambda d: d["annotations"][0].update(image_id=9), "9 is not there"),
        (lambda d: d["images"][0].pop("file_name"), "file_name"),
        (lambda d: d.update(annotations=[]), "no keypoints"),
        (lambda d: d.update(images=3), "COCO"),
        (lambda d: spoil_keypoint(d, "L2-IA", [5, 5, 7]), "L2-IA.*visibility is 7"),
        (lambda d: spoil_keypoint(d, "L2-IA", [float("nan"), 5, 2]), "L2-IA.*not finite"),
        (lambda d: spoil_keypoint(d, "L2-IA", [5, 5, 2]), "L2-IA"),
        (lambda d: d["categories"][0]["keypoints"].__setitem__(3, "nose"), "'nose' names no corner"),
        (lambda d: d["categories"][0]["keypoints"].__setitem__(3, "T12-SA"), "'T12-SA' is there twice"),
    ],
)
def test_damaged_files_are_refused(tmp_path, document, spoil, message):
    spoil(document)
    with pytest.raises(AnnotationError, match=message) as error:
        reload(tmp_path, document)
    assert "coco.json" in str(error.value)


def test_an_image_of_unknown_size_cannot_be_written(tmp_path, plain):
    with pytest.raises(AnnotationError, match=r"scan\.png.*--images"):
        save([Annotation(plain, "scan.png")], tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()
