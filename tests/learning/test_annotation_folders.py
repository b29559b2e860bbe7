"""Issue 13, item 19: folders as annotation programs leave them are read, or it is said which file lacks what."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from vertenet.annotation import Annotation, markups, save
from vertenet.errors import AnnotationError
from vertenet.learning.cases import annotated_cases
from vertenet.phantom import generate, write
from vertenet.spine import CORNERS, STANDARD_LEVELS, Spine

SEEDS = (60, 61)
NAMES = ("scan.1", "scan.2")


@pytest.fixture(scope="module")
def phantoms():
    return dict(zip(NAMES, (generate(seed, difficulty="easy", crop=None, anterior="right") for seed in SEEDS)))


@pytest.fixture
def folder(phantoms, tmp_path):
    """Two pictures that nobody annotated."""
    for name, phantom in phantoms.items():
        write(phantom, tmp_path, name=name).with_name(f"{name}.truth.json").unlink()
    return tmp_path


def corners(phantom) -> np.ndarray:
    return phantom.truth.spine.to_array(STANDARD_LEVELS)


def named_points(phantom):
    for level, four in zip(STANDARD_LEVELS, corners(phantom).tolist()):
        for corner, (x, y) in zip(CORNERS, four):
            yield level.value, corner.value, x, y


def assert_read(folder, phantoms, names=NAMES):
    cases = annotated_cases(folder)
    assert [case.name.rpartition("/")[2] for case in cases] == [f"{name}.png" for name in names]
    for case, name in zip(cases, names):
        np.testing.assert_allclose(case.spine.to_array(STANDARD_LEVELS), corners(phantoms[name]), atol=1e-6)
        assert case.radiograph().pixels.shape == phantoms[name].radiograph.pixels.shape


def coco(phantoms, categories, entries_of, prefix=""):
    images, entries = [], []
    for number, (name, phantom) in enumerate(phantoms.items()):
        rows, columns = phantom.radiograph.pixels.shape
        images.append({"id": number, "file_name": f"{prefix}{name}.png", "height": rows, "width": columns})
        for entry in entries_of(phantom):
            entries.append({"id": len(entries), "image_id": number, **entry})
    return json.dumps({"images": images, "annotations": entries, "categories": categories})


def spine_entry(phantom):
    return [{"category_id": 1, "keypoints": [v for *_, x, y in named_points(phantom) for v in (x, y, 2)]}]


SPINE = [
    {"id": 1, "name": "spine", "keypoints": [f"{level}-{corner}" for level in STANDARD_LEVELS for corner in CORNERS]}
]


@pytest.mark.parametrize("file", ["annotations.json", "result.json", "annotations/person_keypoints_default.json"])
def test_coco_is_read_under_any_name_with_images_in_folders(folder, phantoms, file):
    """CVAT: annotations/ beside images/default/; Label Studio: result.json beside images/."""
    (folder / "images" / "default").mkdir(parents=True)
    for name in NAMES:
        (folder / f"{name}.png").rename(folder / "images" / "default" / f"{name}.png")
    (folder / file).parent.mkdir(exist_ok=True)
    prefix = {"result.json": "images\\default\\", "annotations.json": "images/default/"}.get(file, "")
    (folder / file).write_text(coco(phantoms, SPINE, spine_entry, prefix))
    assert_read(folder, phantoms)


@pytest.mark.parametrize(
    "keypoints", [["SA", "SP", "IA", "IP"], ["1", "2", "3", "4"], []], ids=["named", "numbers", "none"]
)
def test_coco_with_a_category_for_each_vertebra_is_read(folder, phantoms, keypoints):
    categories = [
        {"id": n, "name": f"vertebra {level}", "keypoints": keypoints} for n, level in enumerate(STANDARD_LEVELS)
    ]
    order = range(4) if len(keypoints) == 4 and keypoints[0] == "SA" else (0, 1, 3, 2)  # around the body, else

    def entries(phantom):
        return [
            {"category_id": n, "keypoints": [v for i in order for v in (*four[i], 2)]}
            for n, four in reversed(list(enumerate(corners(phantom).tolist())))
        ]

    (folder / "instances.json").write_text(coco(phantoms, categories, entries))
    assert_read(folder, phantoms)


def test_coco_of_boxes_alone_is_refused_with_what_is_missing(folder, phantoms):
    boxes = coco(phantoms, SPINE, lambda phantom: [{"category_id": 1, "bbox": [1, 2, 3, 4], "segmentation": []}])
    (folder / "result.json").write_text(boxes)
    with pytest.raises(
        AnnotationError, match=r"result\.json: none of its 2 annotations has keypoints\. Export keypoints"
    ):
        annotated_cases(folder)


@pytest.mark.parametrize("kind", ["corners", "vertebrae", "polygons", "unnamed"])
def test_labelme_is_read(folder, phantoms, kind):
    for name, phantom in phantoms.items():
        rows, columns = phantom.radiograph.pixels.shape
        label = {"corners": "{0}-{1}", "vertebrae": "{0}", "unnamed": "point"}.get(kind, "")
        shapes = [
            {"label": label.format(level, corner), "points": [[x, y]], "shape_type": "point"}
            for level, corner, x, y in named_points(phantom)
        ]
        if kind == "polygons":
            shapes = [
                {"label": level.value, "points": [four[i] for i in (0, 1, 3, 2)], "shape_type": "polygon"}
                for level, four in zip(STANDARD_LEVELS, corners(phantom).tolist())
            ]
        data = {"version": "5.5.0", "shapes": shapes, "imagePath": f"..\\{name}.png", "imageData": None}
        data.update(imageHeight=rows, imageWidth=columns)
        (folder / f"{name}.json").write_text(json.dumps(data))
    assert_read(folder, phantoms)


@pytest.mark.parametrize("header", [("image", "label", "x", "y"), ("Y", "x", "filename", "Landmark")])
def test_a_plain_table_is_read_with_its_columns_in_any_order(folder, phantoms, header):
    with (folder / "points.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        for name, phantom in phantoms.items():
            for level, corner, x, y in named_points(phantom):
                row = {"image": f"{name}.png", "label": f"{level}-{corner}", "x": x, "y": y}
                row.update(filename=row["image"], landmark=row["label"])
                writer.writerow([row[column.lower()] for column in header])
    assert_read(folder, phantoms)


def test_a_table_without_the_image_says_which_column_is_missing(folder):
    (folder / "points.csv").write_text("label,x,y\nT12-SA,1,2\n")
    with pytest.raises(AnnotationError, match=r"points\.csv: the table has no column image"):
        annotated_cases(folder)


def test_slicers_default_labels_are_read_by_their_places(folder, phantoms):
    for name, phantom in phantoms.items():
        data = json.loads(markups.dumps(phantom.truth.spine, midpoints=False))
        for number, point in enumerate(data["markups"][0]["controlPoints"], start=1):
            point.update(label=f"F-{number}", description="")
        data["markups"][0].pop("measurements")
        (folder / f"{name}.mrk.json").write_text(json.dumps(data))
    assert_read(folder, phantoms)


def test_too_few_unnamed_points_are_counted_and_the_other_image_goes_on(folder, phantoms, caplog):
    for name, phantom in phantoms.items():
        save(
            [Annotation(phantom.truth.spine, f"{name}.png", *phantom.radiograph.pixels.shape)],
            folder / f"{name}.mrk.json",
        )
    data = json.loads((folder / "scan.1.mrk.json").read_text())
    points = data["markups"][0]["controlPoints"] = data["markups"][0]["controlPoints"][:23]
    for number, point in enumerate(points, start=1):
        point.update(label=f"F-{number}", description="")
    (folder / "scan.1.mrk.json").write_text(json.dumps(data))
    assert_read(folder, phantoms, ["scan.2"])
    assert "scan.1.mrk.json: 23 points are placed and none is named after a corner (the first is 'F-1')" in caplog.text


@pytest.mark.parametrize("spoil", ["a point is missing", "a coordinate is none"])
def test_one_incomplete_image_of_makesense_does_not_stop_the_others(folder, phantoms, caplog, spoil):
    rows = []
    for name, phantom in phantoms.items():
        height, width = phantom.radiograph.pixels.shape
        rows += [
            [f"{level}-{corner}", x, y, f"{name}.png", width, height] for level, corner, x, y in named_points(phantom)
        ]
    if spoil == "a point is missing":
        del rows[5]
    else:
        rows[5][1] = ""
    with (folder / "labels.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)
    assert_read(folder, phantoms, ["scan.2"])
    assert "scan.1.png" in caplog.text


def test_a_folder_whose_landmarks_are_no_format_says_so_of_each_file(folder):
    (folder / "notes.json").write_text('{"a": 1}')
    (folder / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(AnnotationError, match=r"(?s)notes\.json: the content.*table\.csv: the content"):
        annotated_cases(folder)


def test_a_folder_without_landmark_files_says_what_would_be_one(folder):
    with pytest.raises(AnnotationError, match=r"none of its images has a file with landmarks.*\.mrk\.json"):
        annotated_cases(folder)


def test_a_reading_of_the_model_does_not_go_before_corrected_landmarks(folder, phantoms):
    from vertenet.assess import assess

    for name, phantom in phantoms.items():
        size = phantom.radiograph.pixels.shape
        save([Annotation(phantom.truth.spine, f"{name}.png", *size)], folder / f"{name}.mrk.json")
        wrong = phantom.truth.spine.map_points(lambda xy: xy + 4)
        reading = assess(phantom.radiograph, Spine(wrong.vertebrae, wrong.anterior))
        data = json.loads(reading.to_json())
        data["image"]["name"] = f"{name}.png"
        (folder / f"{name}.reading.json").write_text(json.dumps(data))
    assert_read(folder, phantoms)
