"""Losses of height are counted from what a healthy vertebra of the level looks like, not from a box."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.measure.test_morphometry import SQUARE, body
from vertenet import phantom
from vertenet.assess import assess
from vertenet.errors import SchemaError
from vertenet.measure import NORMS_VARIABLE, PUBLISHED, Deformity, Norms, load_norms
from vertenet.measure.morphometry import NO_REFERENCE, SpineMorphometry, morphometry
from vertenet.reading import Reading
from vertenet.spine import STANDARD_LEVELS, Level, Spine


def spine_of(ratio: float = 0.88, **changed: tuple[float, float]) -> Spine:
    """T12 to L5, 40 px high behind, each with the healthy Ha/Hp of its level and one Hm/Hp; ``changed``: (Ha, Hm)."""
    heights = {level: (40 * PUBLISHED.wedge[level], 40 * ratio) for level in STANDARD_LEVELS}
    heights.update({Level(name): pair for name, pair in changed.items()})
    return Spine(tuple(body(level.value, a, m, 40.0, 60.0 * i) for i, (level, (a, m)) in enumerate(heights.items())))


def test_a_healthy_shape_is_no_loss():
    for found in morphometry(spine_of(), SQUARE).values():
        assert found.genant.loss == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("loss", "grade"), [(0.19, 0), (0.21, 1), (0.24, 1), (0.26, 2), (0.39, 2), (0.41, 3)])
def test_a_vertebra_that_lost_a_share_of_its_healthy_height_gets_the_grade_of_that_share(loss, grade):
    for level in (Level.L1, Level.L2, Level.L3, Level.L4):
        ha, hm = 40 * PUBLISHED.wedge[level], 40 * 0.88
        wedged = morphometry(spine_of(**{level.value: (ha * (1 - loss), hm)}), SQUARE)[level].genant
        assert (wedged.grade, wedged.losses[Deformity.WEDGE]) == (grade, pytest.approx(loss))
        hollow = morphometry(spine_of(**{level.value: (ha, hm * (1 - loss))}), SQUARE)[level].genant
        assert (hollow.grade, hollow.losses[Deformity.BICONCAVE]) == (grade, pytest.approx(loss))


def test_the_ratios_themselves_stay_what_was_measured_and_the_reading_says_what_they_were_held_against():
    found = morphometry(spine_of(L2=(30.0, 35.0)), SQUARE)[Level.L2]
    assert (found.wedge, found.mid_wedge) == (0.75, 0.875)
    assert found.wedge_reference.ratio == 0.91
    assert "1,755" in found.wedge_reference.source
    assert found.mid_wedge_reference.ratio == pytest.approx(0.88)
    assert found.mid_wedge_reference.source == "mean of L1 and L3"


def test_a_neighbour_that_is_fractured_itself_is_no_reference():
    found = morphometry(spine_of(L1=(36.0, 24.0), L2=(36.0, 26.0)), SQUARE)[Level.L2]
    assert found.mid_wedge_reference.source == "mean of L3"
    assert found.genant.deformity is Deformity.BICONCAVE
    alone = morphometry(Spine((body("L2", 40, 36, 40),)), SQUARE)[Level.L2]
    assert (alone.mid_wedge_reference.ratio, alone.mid_wedge_reference.source) == (1.0, NO_REFERENCE)
    blind = morphometry(Spine((body("L2", 40, None, 40),)), SQUARE)[Level.L2]
    assert blind.mid_wedge_reference is None


def test_a_level_without_a_norm_is_compared_with_its_neighbours():
    norms = Norms("mine", {Level.L1: 0.9}, {})
    found = morphometry(spine_of(), SQUARE, norms)
    assert found[Level.L1].wedge_reference.source == "mine"
    assert found[Level.L3].wedge_reference.ratio == pytest.approx((0.91 + 1.00) / 2)


def test_a_table_of_ones_own_replaces_the_published_one_everywhere(tmp_path, monkeypatch):
    drawn = phantom.generate(500, scanner="ge-prodigy-de", difficulty="easy", fracture=())
    spine = drawn.truth.spine.select(STANDARD_LEVELS)
    plain = assess(drawn.radiograph, spine)
    path = tmp_path / "norms.json"
    table = {"source": "women of a village", "wedge": {"L2": 0.88}, "mid_wedge": {"L2": 0.9, "L3": 0.91}}
    path.write_text(json.dumps(table), encoding="utf-8")
    monkeypatch.setenv(NORMS_VARIABLE, str(path))
    for reading in (assess(drawn.radiograph, spine), assess(drawn.radiograph, spine, norms=load_norms(path))):
        mine = reading.morphometry.vertebrae[Level.L2]
        assert mine.mid_wedge_reference.to_dict() == {"ratio": 0.9, "source": "women of a village"}
        assert mine.genant.losses[Deformity.WEDGE] == pytest.approx(1 - mine.wedge / 0.88)
        assert Reading.from_json(reading.to_json()) == reading
    assert plain.morphometry.vertebrae[Level.L2].wedge_reference.source == PUBLISHED.source


def test_a_reading_of_before_has_no_references_and_keeps_its_grades():
    whole = SpineMorphometry.of(spine_of(), SQUARE).to_dict()
    for vertebra in whole["vertebrae"]:
        del vertebra["wedge_reference"], vertebra["mid_wedge_reference"]
    old = SpineMorphometry.from_dict(whole)
    assert old.vertebrae[Level.L1].wedge_reference is None
    assert old.vertebrae[Level.L1].genant.grade == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "no object with a source"),
        ('{"wedge": {}}', "no object with a source"),
        ('{"source": " "}', "need a source"),
        ('{"source": "x", "crush": {}}', "'crush'"),
        ('{"source": "x", "wedge": {"L9": 0.9}}', "'L9'"),
        ('{"source": "x", "wedge": {"L1": 91}}', "wedge of L1 is 91"),
        ('{"source": "x", "wedge": {"L1": NaN}}', "wedge of L1 is nan"),
        ('{"source": "x", "mid_wedge": {"L1": "0.9"}}', "no number"),
        ('{"source": "x", "mid_wedge": [0.9]}', "no table"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_its_name(content, said, tmp_path):
    path = tmp_path / "norms.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SchemaError, match=said) as caught:
        load_norms(path)
    assert "norms.json" in str(caught.value)
    with pytest.raises(SchemaError, match=r"absent\.json"):
        load_norms(tmp_path / "absent.json")


def test_fractures_of_phantoms_get_their_grade_more_often_and_healthy_ones_none():
    boxes = Norms("boxes", dict.fromkeys(Level, 1.0), dict.fromkeys(Level, 1.0))
    right, missed = Counter(), Counter()
    for kind in ("wedge", "biconcave"):
        for grade in (1, 2):
            for i, level in enumerate(("L1", "L2", "L3")):
                drawn = phantom.generate(
                    7000 + 100 * grade + i, scanner="ge-prodigy-de", difficulty="easy", fracture=((level, kind, grade),)
                )
                spine = drawn.truth.spine.select(STANDARD_LEVELS)
                for name, norms in (("before", boxes), ("now", None)):
                    genant = morphometry(spine, drawn.radiograph.spacing, norms)[Level(level)].genant
                    right[name] += genant.grade == grade
                    missed[name] += genant.grade == 0
    assert right["now"] >= right["before"] + 3
    assert missed["now"] <= 3
