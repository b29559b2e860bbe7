"""Lordosis: sign, convention, and what leaves it out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import plain_spines, spines
from vertenet.errors import GeometryError
from vertenet.measure import Angle, Lordosis, lordosis
from vertenet.radiograph import Spacing, SpacingSource
from vertenet.spine import Corner, CornerName, Level, Spine, Vertebra

SQUARE = Spacing(0.5, 0.5, SpacingSource.USER)


def tilted(level: str, superior: float, inferior: float, top: float) -> Vertebra:
    """Endplates 50 px deep that rise forwards (to the right) by angles in degrees."""

    def front(y: float, angle: float) -> Corner:
        return Corner(50 * math.cos(math.radians(angle)), y - 50 * math.sin(math.radians(angle)))

    return Vertebra(
        level,
        {"SP": Corner(0, top), "SA": front(top, superior), "IP": Corner(0, top + 40), "IA": front(top + 40, inferior)},
    )


SPINE = Spine(
    (
        tilted("T12", 12, 9, 0),
        tilted("L1", 8, 7, 60),
        tilted("L5", -20, -26, 400),
        tilted("S1", -38, -40, 460),
    )
)


def test_l1_l5_is_from_the_superior_endplate_of_l1_to_the_inferior_one_of_l5():
    assert lordosis(SPINE, SQUARE).l1_l5.degrees == pytest.approx(8 + 26)


def test_t12_s1_is_from_the_inferior_endplate_of_t12_to_the_superior_one_of_s1():
    assert lordosis(SPINE, SQUARE).t12_s1.degrees == pytest.approx(9 + 38)


def test_kyphosis_is_negative():
    kyphotic = Spine((tilted("L1", -5, -5, 0), tilted("L5", 5, 10, 400)))
    assert lordosis(kyphotic, SQUARE).l1_l5.degrees == pytest.approx(-15)


def test_without_spacing_pixels_are_taken_for_square_and_it_is_said():
    found = lordosis(SPINE, None)
    assert found.square_pixels_assumed
    assert found.l1_l5 == lordosis(SPINE, SQUARE).l1_l5
    assert not lordosis(SPINE, SQUARE).square_pixels_assumed


def test_pixels_that_are_not_square_are_reckoned_with():
    squeezed = SPINE.map_points(lambda p: p * (0.5, 1))
    assert lordosis(squeezed, Spacing(0.5, 1.0, SpacingSource.USER)).l1_l5.degrees == pytest.approx(34)


def test_without_s1_there_is_a_reason_and_no_angle():
    found = lordosis(replace(SPINE, vertebrae=SPINE.vertebrae[:3]), SQUARE)
    assert found.t12_s1 == Angle(None, "S1 is not marked")
    assert found.l1_l5.degrees is not None


@pytest.mark.parametrize("corner", [Corner.missing(), Corner(0, 0, "outside"), Corner(0, 0, "unevaluable")])
def test_a_corner_that_is_no_measurement_leaves_the_angle_out(corner):
    l1 = SPINE["L1"]
    spine = replace(SPINE, vertebrae=(replace(l1, points={**l1.points, CornerName.SA: corner}), *SPINE.vertebrae[2:]))
    assert lordosis(spine, SQUARE).l1_l5 == Angle(None, "L1-SA not placed")


def test_an_endplate_without_length_has_no_angle():
    point = {name: Corner(1, 1) for name in ("SA", "SP", "IA", "IP")}
    spine = replace(SPINE, vertebrae=(Vertebra("L1", point), SPINE["L5"]))
    assert lordosis(spine, SQUARE).l1_l5.reason == "the endplate of L1 has no length"


@given(plain_spines(), st.floats(-500, 500), st.floats(-500, 500), st.floats(0.1, 10), st.floats(-0.5, 0.5))
def test_it_does_not_change_when_the_patient_is_moved_scaled_or_turned(spine, dx, dy, scale, angle):
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved = spine.map_points(lambda p: scale * p @ turn.T + (dx, dy))
    expected = lordosis(spine, SQUARE).l1_l5.degrees
    assert lordosis(moved, SQUARE).l1_l5.degrees == pytest.approx(expected, abs=1e-6)


@given(plain_spines(size=(1104, 402)))
def test_it_is_the_same_whichever_way_the_patient_faces(spine):
    expected = lordosis(spine, SQUARE).l1_l5.degrees
    assert lordosis(spine.mirrored(402), SQUARE).l1_l5.degrees == pytest.approx(expected, abs=1e-6)


@given(spines())
def test_an_angle_or_a_reason_and_it_round_trips(spine):
    found = lordosis(spine, None)
    assert (found.l1_l5.degrees is None) == bool(found.l1_l5.reason)
    assert found.t12_s1.reason == f"{Level.S1} is not marked" or found.t12_s1.reason.startswith("T12-")
    assert Lordosis.from_dict(found.to_dict()) == found


@pytest.mark.parametrize(("degrees", "reason"), [(None, ""), (3.0, "why")])
def test_an_angle_is_either_measured_or_explained(degrees, reason):
    with pytest.raises(GeometryError):
        Angle(degrees, reason)
