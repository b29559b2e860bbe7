"""Same vertebra? Table, score, calibration, gate and double reading must answer alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.evaluation.spines import HEIGHT, PITCH, boxes, moved
from vertenet.assess import assess
from vertenet.errors import AnnotationError
from vertenet.evaluation import score_landmarks
from vertenet.evaluation.landmark_table import landmark_rows
from vertenet.learning.calibrate import Observed, located
from vertenet.learning.comparison import compare as compare_models
from vertenet.measure.consensus import compare, consensus
from vertenet.measure.matching import level_shift, named_alike, paired_names
from vertenet.radiograph import Radiograph, Spacing, SpacingSource
from vertenet.reading import Levels
from vertenet.spine import Corner, Spine, Status, Vertebra

#: A long narrow film: the 1024 x 512 frame stretches it twice as much across as along.
SHAPE = (1000, 250)


def rows_of(predicted: Spine, truth: Spine):
    spacing = Spacing(0.5, 0.5, SpacingSource.PHANTOM)
    image = Radiograph(np.zeros(SHAPE, np.float32), spacing, truth.anterior)
    return landmark_rows(assess(image, predicted, levels=Levels(True, 8.0)), truth, image="a")


def observed(predicted: Spine, truth: Spine) -> Observed:
    return Observed("a", "any", SHAPE, truth, None, predicted, None, {}, None)


def answers(predicted: Spine, truth: Spine) -> dict[str, bool]:
    """Whether every vertebra is under its own name, by all that ask it."""
    rows, item = rows_of(predicted, truth), observed(predicted, truth)
    return {
        "table, vertebra by vertebra": bool(rows["level_right"].all()),
        "table, image by image": bool(rows["levels_right"].all()),
        "outcome": bool((rows["outcome"] == "right").all()),
        "score": score_landmarks(predicted, truth, SHAPE).levels_right,
        "calibration": len(located([item], refined=False)[0]) == 24,
        "gate": compare_models([item], [item], ["a"]).named.served == 1.0,
    }


@pytest.mark.parametrize(
    ("dx", "dy", "right"),
    [
        (0.45 * HEIGHT, 0, True),  # off by 37 px of the frame, in which half a body's height is 20
        (0, 0.45 * HEIGHT, True),
        (0.55 * HEIGHT, 0, False),
        (0, 0.55 * HEIGHT, False),
    ],
)
def test_everybody_answers_alike_whatever_the_shape_of_the_film(dx, dy, right):
    found = answers(moved(boxes(), dx, dy), boxes())
    assert found == dict.fromkeys(found, right)


def test_a_vertebra_of_which_some_corners_are_known_is_the_same_one_for_table_and_calibration():
    hidden = dict.fromkeys(("IA", "IP"), Corner(status=Status.UNEVALUABLE))
    cut = Vertebra("L5", {**boxes()["L5"].points, **hidden})
    truth = Spine((*[v for v in boxes() if v.level != "L5"], cut))
    rows = rows_of(boxes(), truth)
    assert rows["level_right"].all()
    points, _, _ = located([observed(boxes(), truth)], refined=False)
    assert len(points) == 22


def test_a_neighbours_name_on_a_vertebra_that_is_partly_hidden_is_a_shift_for_the_score_too():
    known = {name: boxes()["L1"][name] for name in ("SA", "SP")}
    truth = Spine((Vertebra("L1", known), boxes()["L4"]))
    l1_called_t12 = Spine((Vertebra("T12", boxes()["L1"].points), boxes()["L4"]))
    rows = rows_of(l1_called_t12, truth)
    assert (rows[rows["level"] == "L1"]["named"] == "wrong").all()
    assert rows["shifted"].all()
    assert score_landmarks(l1_called_t12, truth, SHAPE).shifted


@pytest.mark.parametrize("steps", [-2, -1, 0, 1, 2, 3])
def test_table_and_double_reading_count_the_same_levels(steps):
    other = moved(boxes(), 5, -4).shifted(steps)
    assert level_shift(boxes(), other) == -steps
    assert (rows_of(other, boxes())["names_off"] == -steps).all()
    assert compare(("anna", "boris"), boxes(), other, None).level_shift == -steps


def test_readings_two_levels_apart_are_not_averaged():
    with pytest.raises(AnnotationError, match="differently, by 2 levels"):
        consensus({"anna": boxes(), "boris": boxes().shifted(2)}, "image")


def test_a_careless_reading_is_not_renamed_because_another_name_is_a_little_nearer():
    """0.6 of the way to the neighbour is neither vertebra: moving the names would only dress that up."""
    between = moved(boxes(), 0, 0.6 * PITCH)
    assert level_shift(boxes(), between) == 0
    assert (rows_of(between, boxes())["names_off"] == 0).all()


def test_readings_of_different_parts_of_a_spine_do_not_contradict_each_other():
    upper, lower = (replace(boxes(), vertebrae=boxes().vertebrae[part]) for part in (slice(0, 3), slice(3, 6)))
    assert level_shift(upper, lower) == 0
    assert level_shift(Spine(()), lower) == 0


def test_one_vertebra_that_fits_somewhere_else_does_not_move_the_whole_spine():
    points = moved(boxes(), 12.0, 0.0).to_array()
    points[5] = boxes().to_array()[0]  # alone it would align without error
    assert level_shift(boxes(), Spine.from_array(points)) == 0


def test_the_limit_is_of_the_patient_where_pixels_are_not_square():
    size = np.array([1.0, 0.1])  # bodies are 4 mm high
    assert level_shift(boxes(), moved(boxes(), 30, 0)) == 0
    assert score_landmarks(moved(boxes(), 1.9, 0), boxes(), SHAPE, size).levels_right
    assert not score_landmarks(moved(boxes(), 2.1, 0), boxes(), SHAPE, size).levels_right


def leaning(spine: Spine) -> Spine:
    """Bodies that lean by 30 degrees, as L5 may: higher from their uppermost to their lowest corner than they are."""
    turn = np.array([[np.cos(0.52), np.sin(0.52)], [-np.sin(0.52), np.cos(0.52)]])
    points = spine.to_array()
    middle = points.mean(axis=1, keepdims=True)
    return Spine.from_array((points - middle) @ turn + middle)


def test_a_reader_who_moves_a_leaning_body_away_has_renamed_it_by_the_height_that_the_table_takes():
    spine = leaning(boxes())
    other = moved(spine, 0, 0.6 * HEIGHT)
    assert not rows_of(other, spine)["level_right"].any()
    assert not named_alike(other, spine)
    assert named_alike(moved(spine, 0, 0.4 * HEIGHT), spine)


def test_a_vertebra_with_a_corner_missing_has_its_name_too():
    """Renamed by one: the bodies that lack a corner are no reason to think that the names are the same."""
    corner = {"SA": Corner.missing()}
    partly = Spine(tuple(replace(v, points={**v.points, **corner}) for v in boxes()))
    assert not named_alike(partly.shifted(1), partly)
    assert named_alike(partly, boxes())


def test_bodies_are_paired_under_both_names():
    one, other = boxes(), boxes().shifted(1)
    pairs = [tuple(map(str, pair)) for pair in paired_names(one, other)]
    assert pairs[0] == ("T12", "L1")
    assert pairs[-1] == ("L5", "None")
    assert len(pairs) == 6
