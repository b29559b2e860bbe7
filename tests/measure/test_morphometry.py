"""Heights, ratios and the suggested grade, of vertebrae made by hand and of drawn ones."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.boxes import COLUMNS, boxes
from tests.strategies import plain_spines, spines
from vertenet import phantom
from vertenet.errors import GeometryError
from vertenet.measure import Deformity, GenantSuggestion, Heights, SpineMorphometry
from vertenet.measure.genant import grade_of
from vertenet.measure.morphometry import NO_MIDPOINTS, TOO_FEW_NEIGHBOURS
from vertenet.measure.morphometry import morphometry as with_norms_in_use
from vertenet.measure.norms import Norms
from vertenet.radiograph import Spacing, SpacingSource
from vertenet.spine import STANDARD_LEVELS, Corner, CornerName, Level, Spine, Status, Vertebra

SQUARE = Spacing(0.5, 0.5, SpacingSource.USER)
POINTS = tuple(CornerName)
#: Vertebrae that are boxes when they are healthy: what is lost can be read off the heights.
BOXES = Norms("boxes", dict.fromkeys(Level, 1.0), dict.fromkeys(Level, 1.0))


def morphometry(spine: Spine, spacing):
    return with_norms_in_use(spine, spacing, BOXES)


def body(level="L2", anterior=40.0, middle=40.0, posterior=40.0, top=0.0) -> Vertebra:
    """An upright vertebra 50 px deep, the endplate points of each height on one vertical."""
    points = {}
    for x, height, names in ((50, anterior, "A"), (0, posterior, "P"), (25, middle, "M")):
        if height is not None:
            points[f"S{names}"] = Corner(x, top)
            points[f"I{names}"] = Corner(x, top + height)
    return Vertebra(level, points)


def column(vertebra: Vertebra, above: float | None = 40.0, below: float | None = 40.0) -> Spine:
    """L2 between an L1 and an L3 of a posterior height."""
    neighbours = [body(n, h, h, h) for n, h in (("L1", above), ("L3", below)) if h is not None]
    return Spine((vertebra, *neighbours))


def test_heights_and_ratios_of_a_vertebra_made_by_hand():
    found = morphometry(column(body(anterior=30, middle=35, posterior=40), above=36, below=44), SQUARE)[Level.L2]
    assert found.px == Heights(30, 35, 40)
    assert found.mm == Heights(15, 17.5, 20)
    assert (found.wedge, found.mid_wedge, found.crush) == (0.75, 0.875, 1.0)
    assert found.neighbours == (Level.L1, Level.L3)
    assert not found.square_pixels_assumed


def test_without_spacing_there_are_no_millimetres_and_the_ratios_say_so():
    found = morphometry(column(body(anterior=30)), None)[Level.L2]
    assert found.mm is None
    assert found.wedge == 0.75
    assert found.square_pixels_assumed


def test_ratios_are_of_millimetres_where_pixels_are_not_square():
    slanted = Vertebra("L2", {"SA": Corner(50, 0), "IA": Corner(80, 40), "SP": Corner(0, 0), "IP": Corner(0, 50)})
    found = morphometry(column(slanted), Spacing(0.5, 1.0, SpacingSource.USER))[Level.L2]
    assert found.px.anterior == 50
    assert found.mm.anterior == pytest.approx(math.hypot(30, 20))
    assert found.wedge == pytest.approx(math.hypot(30, 20) / 25)


@pytest.mark.parametrize(
    ("heights", "deformity", "grade", "loss"),
    [
        ((40, 40, 40), None, 0, 0.0),
        ((33, 40, 40), None, 0, 0.175),
        ((31, 40, 40), Deformity.WEDGE, 1, 0.225),
        ((38, 27, 40), Deformity.BICONCAVE, 2, 0.325),
        ((20, 20, 20), Deformity.CRUSH, 3, 0.5),
        ((40, 40, 28), Deformity.CRUSH, 2, 0.3),
        ((23, 30, 40), Deformity.WEDGE, 3, 0.425),
    ],
)
def test_type_and_grade_are_those_of_the_greatest_loss(heights, deformity, grade, loss):
    genant = morphometry(column(body("L2", *heights)), SQUARE)[Level.L2].genant
    assert (genant.deformity, genant.grade) == (deformity, grade)
    assert genant.loss == pytest.approx(loss)
    assert not genant.is_partial


@pytest.mark.parametrize(("anterior", "grade"), [(32, 1), (30, 2), (24, 2), (32.01, 0), (30.01, 1), (23.99, 3)])
@pytest.mark.parametrize("scale", [1.0, 0.1, 1 / 3, 0.137])
def test_at_a_boundary_20_is_grade_1_and_25_and_40_are_grade_2_whatever_the_rounding(anterior, grade, scale):
    spine = column(body(anterior=anterior)).map_points(lambda p: p * scale)
    genant = morphometry(spine, SQUARE)[Level.L2].genant
    assert genant.grade == grade
    assert genant.boundary


def test_a_suggestion_in_words():
    assert str(morphometry(column(body(anterior=27)), SQUARE)[Level.L2].genant) == "grade 2 wedge (32 % lost)"
    assert str(morphometry(Spine((body(anterior=45, middle=None),)), SQUARE)[Level.L2].genant) == (
        "grade 0, biconcave not judged, crush not judged"
    )


def test_a_grade_away_from_the_boundaries_says_nothing_of_them():
    assert morphometry(column(body(anterior=31)), SQUARE)[Level.L2].genant.boundary == ""


def test_grades_rise_with_the_loss():
    losses = np.linspace(-0.5, 1, 301)
    assert list(map(grade_of, losses)) == sorted(map(grade_of, losses))
    assert [grade_of(loss) for loss in (-0.1, 0.19, 0.24, 0.39, 0.41)] == [0, 0, 1, 2, 3]


def test_without_midpoints_biconcave_is_not_judged_and_no_middle_height_is_invented():
    found = morphometry(column(body(middle=None)), SQUARE)[Level.L2]
    assert found.px.middle is None
    assert found.mid_wedge is None
    assert found.is_evaluable
    assert found.genant.unjudged == {Deformity.BICONCAVE: NO_MIDPOINTS}
    assert found.genant.is_partial


def test_a_crush_is_judged_against_both_neighbours_and_not_against_one():
    spine = column(body(posterior=24), below=None)
    found = morphometry(spine, SQUARE)[Level.L2]
    assert (found.neighbours, found.crush) == ((Level.L1,), 0.6)
    assert found.genant.unjudged == {Deformity.CRUSH: TOO_FEW_NEIGHBOURS}
    assert found.genant.grade == 0
    both = morphometry(column(body(posterior=24)), SQUARE)[Level.L2]
    assert both.genant.grade == 2
    alone = morphometry(Spine((body(),)), SQUARE)[Level.L2]
    assert alone.crush is None
    assert alone.genant.unjudged == {Deformity.CRUSH: TOO_FEW_NEIGHBOURS}


def test_a_vertebra_two_levels_away_is_no_neighbour():
    apart = Spine((body("L2"), body("L4", 90, 90, 90)))
    assert morphometry(apart, SQUARE)[Level.L2].crush is None


def test_an_l6_is_the_neighbour_of_l5_and_s1_is_not_measured():
    spine = Spine((body("L5"), body("L6", 20, 20, 20), body("S1")))
    found = morphometry(spine, SQUARE)
    assert list(found) == [Level.L5, Level.L6]
    assert found[Level.L5].crush == 2.0
    assert found[Level.L6].neighbours == (Level.L5,)


@pytest.mark.parametrize(
    ("status", "words"),
    [(Status.MISSING, "not found"), (Status.OUTSIDE, "outside the image"), (Status.UNEVALUABLE, "unevaluable")],
)
def test_a_vertebra_with_a_corner_that_is_no_measurement_is_not_evaluable(status, words):
    whole = body()
    vertebra = replace(whole, points={**whole.points, CornerName.IA: Corner(50, 40, status)})
    found = morphometry(column(vertebra), SQUARE)[Level.L2]
    assert found.genant is None
    assert found.reason == f"IA {words}"
    assert found.px.anterior is None
    assert found.px.posterior == 40
    assert (found.wedge, found.mid_wedge) == (None, 1.0)


def test_a_vertebra_that_is_wholly_absent_says_so_once():
    found = morphometry(Spine((Vertebra("L2"),)), SQUARE)[Level.L2]
    assert found.reason == "not found"
    assert found.px == found.mm == Heights()


def test_corners_on_one_another_are_no_height():
    found = morphometry(column(body(posterior=0)), SQUARE)
    assert "on one another" in found[Level.L2].reason
    assert found[Level.L1].crush is None


@given(spines())
def test_every_vertebra_is_either_graded_or_says_why_not(spine):
    for level, found in morphometry(spine, SQUARE).items():
        assert (found.genant is None) == (not spine[level].is_complete)
        assert bool(found.reason) == (found.genant is None)


@given(plain_spines(), st.floats(-500, 500), st.floats(-500, 500), st.floats(0.1, 10))
def test_translation_and_scaling_change_no_ratio(spine, dx, dy, scale):
    moved = spine.map_points(lambda p: p * scale + (dx, dy))
    same_ratios(morphometry(spine, SQUARE), morphometry(moved, SQUARE))
    heights = morphometry(moved, SQUARE)[Level.L3].px.anterior
    assert heights == pytest.approx(scale * morphometry(spine, SQUARE)[Level.L3].px.anterior)


@given(plain_spines(size=(1104, 402)))
def test_mirroring_changes_nothing(spine):
    same_ratios(morphometry(spine, SQUARE), morphometry(spine.mirrored(402), SQUARE))


@given(plain_spines(), st.floats(-math.pi, math.pi))
def test_turning_the_patient_changes_no_ratio_where_pixels_are_square(spine, angle):
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    same_ratios(morphometry(spine, SQUARE), morphometry(spine.map_points(lambda p: p @ turn.T), SQUARE))


@given(plain_spines(), st.floats(0.2, 3))
def test_what_is_known_of_the_pixels_shape_is_used(spine, ratio):
    """The same patient imaged with wider pixels has the same heights in mm."""
    wide = spine.map_points(lambda p: p * (1 / ratio, 1))
    spacing = Spacing(0.5, 0.5 * ratio, SpacingSource.USER)
    found, expected = morphometry(wide, spacing), morphometry(spine, SQUARE)
    same_ratios(found, expected)
    assert found[Level.L1].mm.posterior == pytest.approx(expected[Level.L1].mm.posterior)


def same_ratios(found, expected):
    for level, other in expected.items():
        for name in ("wedge", "mid_wedge", "crush"):
            value = getattr(other, name)
            assert getattr(found[level], name) == (None if value is None else pytest.approx(value, rel=1e-6))


@pytest.mark.parametrize("spacing", [None, SQUARE])
def test_it_round_trips_and_can_be_sent_to_another_process(spacing):
    for side in ("left", "right"):
        whole = SpineMorphometry.of(boxes(side), spacing)
        assert SpineMorphometry.from_dict(whole.to_dict()) == whole
        assert pickle.loads(pickle.dumps(whole)) == whole
    assert whole.vertebrae[Level.L3] == SpineMorphometry.of(boxes().mirrored(COLUMNS), spacing).vertebrae[Level.L3]


@pytest.mark.parametrize(
    ("losses", "unjudged"),
    [
        ({Deformity.WEDGE: 0.1}, {}),
        (dict.fromkeys(Deformity, 0.1), {Deformity.WEDGE: "why"}),
        ({}, dict.fromkeys(Deformity, "why")),
    ],
)
def test_a_suggestion_accounts_for_each_deformity_once_and_rests_on_one(losses, unjudged):
    with pytest.raises(GeometryError):
        GenantSuggestion(losses, unjudged)


@pytest.mark.parametrize("kind", list(Deformity))
def test_a_severe_fracture_of_a_phantom_is_found_by_its_type_and_its_neighbours_are_not_blamed(kind):
    drawn = phantom.generate(3002, scanner="ge-prodigy-de", difficulty="easy", fracture=("L3", kind.value, 3))
    found = with_norms_in_use(drawn.truth.spine.select(STANDARD_LEVELS), drawn.radiograph.spacing)
    assert found[Level.L3].genant.deformity is kind
    assert found[Level.L3].genant.grade >= 2
    truth = drawn.truth.fractures[Level.L3].heights_mm
    assert (found[Level.L3].mm.anterior, found[Level.L3].mm.posterior) == pytest.approx((truth[0], truth[2]), rel=0.02)
    assert all(found[level].genant.grade == 0 for level in (Level.L1, Level.L2, Level.L4))


def test_healthy_vertebrae_of_phantoms_are_grade_0():
    for seed in (500, 501, 502):
        drawn = phantom.generate(seed, scanner="ge-prodigy-de", difficulty="easy", fracture=())
        found = with_norms_in_use(drawn.truth.spine.select(STANDARD_LEVELS), drawn.radiograph.spacing)
        assert {m.genant.grade for m in found.values() if m.is_evaluable} == {0}
