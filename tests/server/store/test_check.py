"""Which labels are accepted, and what is said of the others."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest

from vertenet.errors import AnnotationError, OptionError
from vertenet.spine import STANDARD_LEVELS, Corner, CornerName, Level, Spine, Status, Vertebra

from .scenes import PLAIN, drawn, label_text, make_store, moved, truth


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("store"))


def accept(store, text: str | bytes, tag: str = "final"):
    return store.submit(PLAIN, text if isinstance(text, bytes) else text.encode(), tag)


def refuse(store, text: str | bytes, *words: str) -> None:
    before = len(store.revisions(PLAIN))
    with pytest.raises(AnnotationError) as caught:
        accept(store, text)
    assert caught.value.sentence.startswith(f"label of {PLAIN}")
    for word in words:
        assert word in caught.value.sentence
    assert len(store.revisions(PLAIN)) == before


def edited(store, change) -> str:
    data = json.loads(label_text(store, PLAIN))
    change(data["markups"][0])
    return json.dumps(data)


def test_all_24_corners_with_midpoints_are_accepted_and_come_back_exactly(store):
    revision = accept(store, label_text(store, PLAIN))
    np.testing.assert_allclose(
        store.spine_of(revision).to_array(STANDARD_LEVELS), truth(PLAIN).to_array(STANDARD_LEVELS), atol=1e-9
    )
    assert store.get_label(PLAIN, "final").read().decode() == label_text(store, PLAIN)


def test_a_subset_with_one_whole_vertebra_is_accepted(store):
    part = truth(PLAIN).select([Level.L2, Level.L3])
    l3 = part[Level.L3]
    half = replace(l3, points={**l3.points, CornerName.IA: Corner.missing(), CornerName.IP: Corner.missing()})
    accept(store, label_text(store, PLAIN, Spine((part[Level.L2], half), part.anterior)))


def test_neighbouring_levels_and_midpoints_are_accepted(store):
    spine = truth(PLAIN)
    midpoints = {
        CornerName.SM: Corner(*(spine[Level.L3].to_array()[:2].mean(axis=0))),
        CornerName.IM: Corner(*(spine[Level.L3].to_array()[2:].mean(axis=0))),
    }
    l3 = replace(spine[Level.L3], points={**spine[Level.L3].points, **midpoints})
    s1 = Vertebra(Level.S1, moved(spine, 0, 60)[Level.L5].points)
    others = tuple(v for v in spine if v.level is not Level.L3)
    revision = accept(store, label_text(store, PLAIN, Spine((*others, l3, s1), spine.anterior)))
    assert Level.S1 in store.spine_of(revision)
    assert CornerName.SM in store.spine_of(revision)[Level.L3].points


@pytest.mark.parametrize("said", ["1e400", "NaN", '"\\ud800"'])
def test_a_file_that_says_what_json_cannot_say_is_refused_also_where_nobody_looks(store, said):
    text = label_text(store, PLAIN)
    refuse(store, text.replace('"markups":', f'"aside": {said}, "markups":', 1), "not plain JSON")


def test_a_label_as_slicer_writes_it_needs_none_of_our_notes(store):
    def strip(markup):
        markup["measurements"] = []
        for point in markup["controlPoints"]:
            point["description"] = ""

    revision = accept(store, edited(store, strip))
    np.testing.assert_allclose(
        store.spine_of(revision).to_array(STANDARD_LEVELS), truth(PLAIN).to_array(STANDARD_LEVELS), atol=1e-6
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["empty"]),
        (gzip.compress(bytes(2000)), ["segmentations"]),  # what a stock client submits: an empty .nii.gz
        (b"NRRD0004\n# Complete NRRD file\n", ["NRRD", "segmentations"]),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), ["PNG", "segmentations"]),
        (bytes(128) + b"DICM" + bytes(64), ["DICOM", "segmentations"]),
        (b"\xff\xfe\x00not text", ["UTF-8"]),
        (b"{", ["not JSON"]),
        (b"[]", ["not an object"]),
        (b"[" * 100_000, ["JSON"]),
        (b"{}", ["markups"]),
        (b'{"markups": 5}', ["markups"]),
        (b'{"markups": [5]}', ["Markups"]),
        (b'{"markups": []}', ["no point lists"]),
        (b'{"markups": [{"type": "Fiducial", "controlPoints": []}]}', ["no point lists"]),
        (b'{"markups": [{"type": "Fiducial", "controlPoints": [{"label": "T12-SA"}]}]}', ["four corners"]),
        (b" " * (1 << 20) + b"{}", ["bytes"]),
    ],
)
def test_what_is_no_list_of_landmarks_is_refused_in_a_sentence(store, content, words):
    refuse(store, content, *words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m["controlPoints"][3].update(label="X1-SA"), ["X1-SA", "names no corner"]),
        (lambda m: m["controlPoints"][3].update(label="T12-SA"), ["T12-SA", "twice"]),
        (lambda m: m["controlPoints"][5].update(position=[1, 2]), ["L1-SP", "finite"]),
        (lambda m: m["controlPoints"][5].update(position=[1, float("nan"), 0]), ["L1-SP", "finite"]),
        (lambda m: m["controlPoints"][5].update(position=[1, 1e999, 0]), ["L1-SP", "finite"]),
        (lambda m: m["controlPoints"][20].update(position=[9e5, 400, 0]), ["L5-SA", "lies outside the image"]),
        (lambda m: m.update(coordinateSystem="scanner"), ["coordinate system"]),
        (lambda m: m.update(type="Curve"), ["no point lists"]),
        (lambda m: m["measurements"][0].update(description="{}"), ["Markups"]),
    ],
)
def test_a_damaged_list_is_refused_and_the_point_is_named(store, change, words):
    refuse(store, edited(store, change), *words)


def test_levels_out_of_order_are_refused(store):
    spine = truth(PLAIN)
    l1, l4 = spine[Level.L1], spine[Level.L4]
    exchanged = {Level.L1: replace(l4, level=Level.L1), Level.L4: replace(l1, level=Level.L4)}
    wrong = Spine(tuple(exchanged.get(v.level, v) for v in spine), spine.anterior)
    refuse(store, label_text(store, PLAIN, wrong), "lies above")


def test_corners_that_are_exchanged_are_refused(store):
    spine = truth(PLAIN)
    l2 = spine[Level.L2]
    points = {**l2.points, CornerName.SA: l2[CornerName.SP], CornerName.SP: l2[CornerName.SA]}
    wrong = Spine(tuple(replace(v, points=points) if v is l2 else v for v in spine), spine.anterior)
    refuse(store, label_text(store, PLAIN, wrong), "L2-SA", "swapped")


def test_a_point_may_lie_on_the_edge_and_a_little_beyond_but_no_further(store):
    spine = truth(PLAIN)
    rightmost = spine.to_array()[..., 0].max()
    columns = drawn(PLAIN).radiograph.columns
    accept(store, label_text(store, PLAIN, moved(spine, columns - 1 + 1.5 - rightmost)))
    refuse(store, label_text(store, PLAIN, moved(spine, columns - 1 + 2.5 - rightmost)), "outside the image")


def test_a_point_that_is_called_outside_may_lie_outside(store):
    l5 = truth(PLAIN)[Level.L5]
    points = {
        **l5.points,
        CornerName.IA: Corner(40, 1e4, Status.OUTSIDE),
        CornerName.IP: Corner(9, 1e4, Status.OUTSIDE),
    }
    spine = Spine((*truth(PLAIN).vertebrae[:-1], replace(l5, points=points)), truth(PLAIN).anterior)
    accept(store, label_text(store, PLAIN, spine))


def test_a_label_of_an_image_of_another_size_is_refused(store):
    text = label_text(store, PLAIN).replace('\\"size\\": [', '\\"size\\": [1')
    refuse(store, text, "pixels", "but the image has")


@pytest.mark.parametrize("tag", ["../../..", "", "a/b", "final\n", "final ", ".", "x" * 65, None, 7])
def test_a_tag_that_is_no_plain_word_is_refused(store, tag):
    with pytest.raises(OptionError, match="plain word"):
        accept(store, label_text(store, PLAIN), tag)


@pytest.mark.parametrize("name", ["../x", "a b", "x" * 65, "ä", 5])
def test_an_annotator_whose_name_is_no_plain_word_is_refused(store, name):
    with pytest.raises(OptionError, match="plain word"):
        store.submit(PLAIN, label_text(store, PLAIN).encode(), "final", {"client_id": name})
