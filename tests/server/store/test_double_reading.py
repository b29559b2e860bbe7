"""Two annotators of one image: kept apart, compared, joined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vertenet.errors import AnnotationError
from vertenet.measure.consensus import compare, consensus
from vertenet.measure.matching import level_shift
from vertenet.radiograph import Spacing, SpacingSource
from vertenet.spine import STANDARD_LEVELS, Corner, CornerName, Level, Spine, Status

from .scenes import DOTTED, PLAIN, make_store, moved, submit, truth


def without(spine: Spine, level: Level, corner: str) -> Spine:
    vertebra = spine[level]
    changed = replace(vertebra, points={**vertebra.points, CornerName(corner): Corner.missing()})
    return Spine(tuple(changed if v is vertebra else v for v in spine), spine.anterior)


def with_point_moved(spine: Spine, level: Level, corner: str, dx: float) -> Spine:
    vertebra = spine[level]
    old = vertebra[corner]
    changed = replace(vertebra, points={**vertebra.points, CornerName(corner): Corner(old.x + dx, old.y)})
    return Spine(tuple(changed if v is vertebra else v for v in spine), spine.anterior)


@pytest.fixture
def store(tmp_path):
    return make_store(tmp_path)


def test_the_labels_of_two_annotators_are_kept_apart(store):
    anna = submit(store, who="anna")
    boris = submit(store, who="boris", spine=moved(truth(PLAIN), 4))
    again = submit(store, who="anna", spine=moved(truth(PLAIN), 1))
    assert store.labels_of(PLAIN, "final") == [boris, again]
    assert again.based_on == f"revision {anna.number}"  # her own, not his
    np.testing.assert_allclose(
        store.spine_of(boris).to_array(STANDARD_LEVELS), moved(truth(PLAIN), 4).to_array(STANDARD_LEVELS), atol=1e-6
    )
    (label,) = store.final_labels()
    assert (label.annotator, label.revision) == ("anna", 3)
    assert store.get_labeled_images() == [PLAIN]


def test_agreement_is_in_millimetres_where_the_spacing_is_known(store):
    submit(store, DOTTED, "anna")
    submit(store, DOTTED, "boris", moved(truth(DOTTED), 3, 4))
    (pair,) = store.agreement(DOTTED)
    spacing = store._images.facts(DOTTED).spacing
    assert pair.annotators == ("anna", "boris")
    assert pair.points >= 24
    assert pair.mean_px == pytest.approx(5.0)
    assert pair.largest_mm == pytest.approx(np.hypot(3 * spacing.column, 4 * spacing.row))
    assert pair.level_shift == 0


def test_agreement_is_in_pixels_alone_where_the_spacing_is_unknown(store):
    submit(store, who="anna")
    submit(store, who="boris", spine=with_point_moved(truth(PLAIN), Level.L4, "IP", 2.0))
    (pair,) = store.agreement(PLAIN)
    assert (pair.largest_at, pair.largest_px) == ("L4-IP", pytest.approx(2.0))
    assert pair.median_px == pytest.approx(0.0, abs=1e-6)
    assert pair.mean_mm is pair.median_mm is pair.largest_mm is None


def test_one_annotator_agrees_with_nobody(store):
    submit(store)
    assert store.agreement(PLAIN) == []
    with pytest.raises(AnnotationError, match="two annotators"):
        store.make_consensus(PLAIN)


def test_points_that_only_one_placed_are_named():
    first, second = without(truth(PLAIN), Level.L1, "SA"), without(truth(PLAIN), Level.L2, "IP")
    pair = compare(("anna", "boris"), first, second, Spacing(1, 1, SpacingSource.USER))
    assert (pair.only_first, pair.only_second) == (("L2-IP",), ("L1-SA",))
    assert pair.points == sum(1 for _, c in truth(PLAIN).named_points() if c.is_present) - 2


def test_a_reading_misnamed_by_one_level_is_noticed():
    spine = truth(PLAIN)
    assert level_shift(spine, moved(spine, 5)) == 0
    assert level_shift(spine, spine.shifted(1)) == -1
    assert level_shift(spine, spine.shifted(-1)) == 1


def test_a_consensus_lies_in_the_middle_and_counts_for_training(store):
    submit(store, who="anna")
    submit(store, who="boris", spine=moved(truth(PLAIN), 2))
    revision, undecided = store.make_consensus(PLAIN)
    assert (revision.tag, revision.action, undecided) == ("consensus", "consensus", ())
    np.testing.assert_allclose(
        store.spine_of(revision).to_array(STANDARD_LEVELS),
        moved(truth(PLAIN), 1).to_array(STANDARD_LEVELS),
        atol=1e-6,
    )
    submit(store, who="clara", tag="reviewed", spine=moved(truth(PLAIN), 9))
    (label,) = store.final_labels()
    assert label.revision == revision.number
    assert label.label_path.read_bytes() == store.content_of(PLAIN, revision.number)


def test_of_three_readings_the_median_counts():
    readings = {"a": truth(PLAIN), "b": moved(truth(PLAIN), 1), "c": moved(truth(PLAIN), 3)}
    spine, undecided = consensus(readings, "image")
    np.testing.assert_allclose(spine.to_array(STANDARD_LEVELS), readings["b"].to_array(STANDARD_LEVELS))
    assert undecided == ()


def test_where_readers_do_not_agree_nobody_invents_a_point():
    far = with_point_moved(truth(PLAIN), Level.L3, "SA", 60.0)
    other = without(far, Level.L5, "IP")
    spine, undecided = consensus({"a": truth(PLAIN), "b": other}, "image")
    assert undecided == ("L3-SA", "L5-IP")
    for name in undecided:
        level, corner = name.split("-")
        assert spine[level][corner].status is Status.UNEVALUABLE
        assert spine[level][corner].x is None


def test_a_point_that_most_readers_miss_is_missing():
    gone = without(truth(PLAIN), Level.L5, "IP")
    spine, undecided = consensus({"a": truth(PLAIN), "b": gone, "c": gone}, "image")
    assert spine[Level.L5]["IP"].status is Status.MISSING
    assert undecided == ()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (truth(PLAIN).shifted(1), "name the same vertebrae differently"),
        (truth(PLAIN).mirrored(400), "anterior"),
    ],
)
def test_readings_that_contradict_each_other_are_not_averaged(other, words):
    with pytest.raises(AnnotationError, match=words):
        consensus({"a": truth(PLAIN), "b": other}, "image")
