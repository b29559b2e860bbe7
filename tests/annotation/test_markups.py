from __future__ import annotations

import json

import numpy as np
import pytest

from vertenet.annotation import Annotation, load, markups, save
from vertenet.annotation.markups_text import Note
from vertenet.errors import AnnotationError
from vertenet.radiograph import ViewerGeometry
from vertenet.spine import CORNERS, STANDARD_LEVELS, Corner, Level, Spine, Status, Transition, Vertebra

GEOMETRY = ViewerGeometry([10.0, -20.0, 5.0], [0.4, 0.0, 0.0], [0.0, 0.0, -0.35])


@pytest.fixture
def spine(corners) -> Spine:
    """A predicted spine: confidences, one doubtful corner, one outside, one unevaluable, L5 missing."""
    confidence = np.full((6, 4), 0.875)
    confidence[1, 0] = 0.25
    predicted = Spine.from_array(corners, confidence=confidence, transition=Transition.NONE)
    points = dict(predicted[Level.L4].points)
    points["IA"] = Corner(405.5, 700.25, Status.OUTSIDE, 0.125)
    points["IP"] = Corner(status=Status.UNEVALUABLE)
    kept = [v for v in predicted if v.level not in (Level.L4, Level.L5)]
    return Spine((*kept, Vertebra(Level.L4, points), Vertebra(Level.L5)), "right", Transition.NONE)


@pytest.fixture
def document(spine) -> dict:
    return json.loads(markups.dumps(spine, GEOMETRY))


def point_of(document: dict, label: str) -> dict:
    return next(p for p in document["markups"][0]["controlPoints"] if p["label"] == label)


def as_slicer_saves(document: dict) -> dict:
    """What is left of our file after 3D Slicer has loaded and saved it.

    Slicer keeps no members of its own accord: only those of its Markups nodes, an empty text for the position of an
    undefined point, and measurements without what it does not know.
    """
    markup = document["markups"][0]
    keep = ("id", "label", "description", "associatedNodeID", "orientation", "selected", "locked", "visibility")
    points = [
        {
            **{name: point[name] for name in keep},
            "position": point.get("position", ""),
            "positionStatus": point["positionStatus"],
        }
        for point in markup["controlPoints"]
    ]
    measurement = {"name": "vertenet", "enabled": False, "description": markup["measurements"][0]["description"]}
    return {
        "@schema": markups.SCHEMA.replace("v1.0.3", "v1.0.4"),
        "markups": [
            {
                "type": "Fiducial",
                "coordinateSystem": "LPS",
                "coordinateUnits": "mm",
                "controlPoints": points,
                "measurements": [{**measurement, "printFormat": "%5.3f %s"}],
            }
        ],
    }


def test_the_24_points_are_there_in_a_fixed_order_whatever_is_missing(document):
    names = [f"{level}-{corner}" for level in STANDARD_LEVELS for corner in CORNERS]
    points = document["markups"][0]["controlPoints"]
    assert [point["label"] for point in points] == names
    assert len({point["id"] for point in points}) == 24
    assert document["markups"][0]["fixedNumberOfControlPoints"] is True


def test_positions_are_lps_millimetres_of_the_geometry(document, corners):
    x, y = corners[0, 0]
    assert point_of(document, "T12-SA")["position"] == pytest.approx([10 + 0.4 * x, -20, 5 - 0.35 * y], abs=1e-9)
    assert document["markups"][0]["coordinateSystem"] == "LPS"


def test_only_present_corners_have_a_position_that_slicer_shows(document):
    defined = {p["label"] for p in document["markups"][0]["controlPoints"] if p["positionStatus"] == "defined"}
    assert {p["label"] for p in document["markups"][0]["controlPoints"] if "position" in p} == defined
    assert defined.isdisjoint({"L4-IA", "L4-IP", "L5-SA", "L5-SP", "L5-IA", "L5-IP"})
    assert len(defined) == 18


def test_descriptions_say_status_confidence_and_pixels(document, corners):
    x, y = corners[0, 0].tolist()
    assert point_of(document, "T12-SA")["description"] == f"present; confidence 0.875; at {x}, {y}"
    assert point_of(document, "L4-IA")["description"] == "outside; confidence 0.125; at 405.5, 700.25"
    assert point_of(document, "L5-SA")["description"] == "missing"


def test_confident_points_are_selected(document):
    assert point_of(document, "T12-SA")["selected"] is True
    assert point_of(document, "L1-SA")["selected"] is False
    assert point_of(document, "L5-SA")["selected"] is False


def test_a_pass_through_slicer_loses_nothing(document, spine):
    text = json.dumps(as_slicer_saves(document))
    assert markups.loads(text) == spine
    assert markups.loads(text, GEOMETRY) == spine


def test_a_point_moved_in_slicer_keeps_its_place_and_loses_the_models_confidence(document, spine):
    saved = as_slicer_saves(document)
    point_of(saved, "L2-SA")["position"][0] += 2.0
    found = markups.loads(json.dumps(saved))
    x, y = spine[Level.L2]["SA"].xy
    assert found[Level.L2]["SA"].xy == pytest.approx([x + 5.0, y], abs=1e-9)
    assert found[Level.L2]["SA"].confidence is None
    assert found[Level.L2]["SP"] == spine[Level.L2]["SP"]


def test_a_missing_point_placed_in_slicer_is_present(document):
    saved = as_slicer_saves(document)
    point_of(saved, "L5-SA").update(position=[50.0, -20.0, -195.0], positionStatus="defined")
    corner = markups.loads(json.dumps(saved))[Level.L5]["SA"]
    assert corner.status is Status.PRESENT
    assert corner.confidence is None
    assert corner.xy == pytest.approx([100.0, 571.428571428], abs=1e-6)


@pytest.mark.parametrize("status", ["undefined", "missing"])
def test_a_point_taken_away_in_slicer_is_missing(document, status):
    saved = as_slicer_saves(document)
    point_of(saved, "L2-SA").update(position="", positionStatus=status)
    assert markups.loads(json.dumps(saved))[Level.L2]["SA"] == Corner.missing()


def foreign(points: dict, **markup) -> str:
    controls = [{"label": name, "position": position} for name, position in points.items()]
    return json.dumps({"markups": [{"type": "Fiducial", "controlPoints": controls, **markup}]})


def test_a_file_of_others_without_a_coordinate_system_is_lps_and_1_mm():
    spine = markups.loads(foreign({"L3-SA": [120.5, 300.25, 0], "L3-SP": [60, 305, 0]}))
    assert spine[Level.L3]["SA"] == Corner(120.5, 300.25)
    assert spine.anterior == "right"
    assert spine.levels == STANDARD_LEVELS
    assert spine[Level.L1].is_missing


def test_ras_positions_are_turned_round():
    spine = markups.loads(foreign({"L3-SA": [-60, -300, 0], "L3-SP": [-120, -305, 0]}, coordinateSystem="RAS"))
    assert spine[Level.L3]["SA"] == Corner(60, 300)
    assert spine.anterior == "left"


def test_positions_off_the_image_plane_are_projected_onto_it():
    spine = markups.loads(foreign({"L3-SA": [120, 300, 0.4]}))
    assert spine[Level.L3]["SA"].xy == pytest.approx([120, 300], abs=1e-9)


def test_a_point_that_others_left_undefined_is_missing():
    text = foreign({"L3-SA": [120, 300, 0], "L3-SP": ""})
    assert markups.loads(text)[Level.L3]["SP"] == Corner.missing()


def test_a_description_that_a_person_wrote_is_left_alone():
    assert Note.parse("seen better on the other view") is None
    assert Note.parse("present") is None
    assert Note.parse("present; confidence 7; at 1, 2") is None
    assert Note.parse("missing") == Note(Status.MISSING)


def test_an_error_radius_survives_and_is_lost_with_the_position_it_was_of(spine):
    points = {**spine[Level.L2].points, "SA": Corner(*spine[Level.L2]["SA"].xy, confidence=0.5, radius=2.5)}
    sized = Spine(tuple(Vertebra("L2", points) if v.level == "L2" else v for v in spine), "right", spine.transition)
    text = markups.dumps(sized, GEOMETRY)
    assert "radius 2.5" in point_of(json.loads(text), "L2-SA")["description"]
    assert markups.loads(text) == sized
    moved = json.loads(text)
    point_of(moved, "L2-SA")["position"][0] += 3
    assert markups.loads(json.dumps(moved))[Level.L2]["SA"].radius is None


def test_without_midpoints_a_prediction_is_24_points(spine):
    with_middle = Vertebra("L2", {**spine[Level.L2].points, "SM": Corner(100.0, 200.0)})
    full = Spine(tuple(with_middle if v.level == "L2" else v for v in spine), "right", spine.transition)
    names = [p["label"] for p in json.loads(markups.dumps(full, midpoints=False))["markups"][0]["controlPoints"]]
    assert len(names) == 24
    assert markups.loads(markups.dumps(full, midpoints=False)) == spine
    assert markups.loads(markups.dumps(full)) == full


def test_other_lists_in_the_file_are_passed_over(document, spine):
    document["markups"].insert(0, {"type": "Line", "controlPoints": [{"label": "L-1", "position": [0, 0, 0]}]})
    assert markups.loads(json.dumps(document)) == spine


def spoil_point(**changes):
    return lambda document: point_of(document, "L2-IA").update(changes)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_point(position=[1.0, float("nan"), 0.0]), "L2-IA.*three finite numbers"),
        (spoil_point(position=[1.0, 2.0]), "L2-IA.*three finite numbers"),
        (spoil_point(position=["a", "b", "c"]), "Markups"),
        (spoil_point(label="F-1"), "'F-1' names no corner"),
        (spoil_point(label="L2-SA"), "'L2-SA' is there twice"),
        (spoil_point(label="C7-SA"), "'C7-SA' names no corner"),
        (lambda d: d["markups"].append(d["markups"][0]), "2 point lists"),
        (lambda d: d["markups"].clear(), "no point lists"),
        (lambda d: d["markups"][0].update(coordinateSystem="IJK"), "'IJK'"),
        (lambda d: d["markups"][0].update(coordinateUnits="um"), "'um'"),
        (lambda d: d["markups"][0].update(controlPoints=7), "Markups"),
        (lambda d: d["markups"][0]["measurements"][0].update(description="{}"), "'size' is not there"),
    ],
)
def test_files_that_cannot_be_trusted_are_refused(tmp_path, document, spoil, message):
    spoil(document)
    (tmp_path / "scan.mrk.json").write_text(json.dumps(document))
    with pytest.raises(AnnotationError, match=message) as error:
        load(tmp_path / "scan.mrk.json", "markups")
    assert "scan.mrk.json" in str(error.value)


def test_a_file_is_named_after_its_image(tmp_path, plain):
    (path,) = save([Annotation(plain, "scan.png")], tmp_path / "any.mrk.json")
    assert list(load(path)) == ["scan.png"]
    (tmp_path / "other.mrk.json").write_text(markups.dumps(plain))
    assert list(load(tmp_path / "other.mrk.json")) == ["other"]
