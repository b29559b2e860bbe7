"""What counts as a change of a label: corners always, mid-endplate points where both sides have any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vertenet.assess import assess
from vertenet.imaging import read
from vertenet.reading import ModelIdentity, Reading
from vertenet.server.application import _remember
from vertenet.server.store.changes import Change, changes

from .scenes import DOTTED, PLAIN, label_text, make_store, moved, truth

CORNERS_ONLY = {"L3-SA": (10.0, 20.0), "L3-SP": (30.0, 20.0)}
WITH_MIDDLE = {**CORNERS_ONLY, "L3-SM": (20.0, 21.0)}


@pytest.mark.parametrize(("before", "after"), [(CORNERS_ONLY, WITH_MIDDLE), (WITH_MIDDLE, CORNERS_ONLY)])
def test_mid_endplate_points_of_one_side_alone_are_no_change(before, after):
    assert changes(before, after) == ()
    (moved_corner,) = changes(before, {**after, "L3-SA": (12.0, 20.0)})
    assert moved_corner == Change("L3-SA", "moved", 2.0, 0.0)


def test_mid_endplate_points_of_both_sides_count_like_corners():
    assert changes(WITH_MIDDLE, {**WITH_MIDDLE, "L3-SM": (20.0, 24.0)}) == (Change("L3-SM", "moved", 0.0, 3.0),)
    with_another = {**WITH_MIDDLE, "L3-IM": (20.0, 50.0)}
    assert changes(WITH_MIDDLE, with_another) == (Change("L3-IM", "added"),)
    assert changes(with_another, WITH_MIDDLE) == (Change("L3-IM", "removed"),)


@pytest.fixture
def store(tmp_path):
    return make_store(tmp_path)


@pytest.fixture
def answer(store) -> dict:
    """What the model says of an image: points and mid-endplate points elsewhere than the truth."""
    radiograph = read(Path(store.get_image_uri(PLAIN)))
    model = ModelIdentity("tiny", "a" * 64, "synthetic images", True)
    reading = assess(radiograph, moved(truth(PLAIN), 1.25), model=model)
    return {**json.loads(reading.to_json()), "model_version": "v0007"}


def test_a_remembered_answer_is_recognised_with_and_without_its_mid_endplate_points(store, answer):
    spine = Reading.from_dict(answer).spine
    assert "L3-SM" in dict(spine.named_points())
    _remember(store, PLAIN, {"params": answer})
    for midpoints in (True, False):  # our module writes them, MONAI Label's own does not know them
        kept = store.submit(PLAIN, label_text(store, PLAIN, spine, midpoints=midpoints).encode())
        assert (kept.model_sha256, kept.model_version) == ("a" * 64, "v0007")
        assert (kept.based_on, kept.changed) == ("proposal", ())


def test_a_mid_endplate_point_that_was_dragged_is_a_change_against_the_answer(store, answer):
    _remember(store, PLAIN, {"params": answer})
    data = json.loads(label_text(store, PLAIN, Reading.from_dict(answer).spine))
    (point,) = (each for each in data["markups"][0]["controlPoints"] if each["label"] == "L3-SM")
    point["position"][0] += 2.0
    kept = store.submit(PLAIN, json.dumps(data).encode())
    assert kept.changed == (Change("L3-SM", "moved", 2.0, 0.0),)


def test_answers_about_no_image_of_the_store_and_of_no_model_are_not_remembered(store, answer):
    _remember(store, "elsewhere", {"params": answer})
    _remember(store, None, {"params": answer})
    _remember(store, PLAIN, {"params": {**answer, "model": None}})
    text = label_text(store, PLAIN, Reading.from_dict(answer).spine)
    assert store.submit(PLAIN, text.encode()).model_sha256 is None


def test_an_answer_about_one_image_is_not_remembered_for_another(store, answer):
    _remember(store, PLAIN, {"params": answer})
    assert store.submit(DOTTED, label_text(store, DOTTED).encode()).model_sha256 is None
