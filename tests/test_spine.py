"""The spine object: what it accepts, what it refuses, and that nothing is lost on the way through."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import plain_spines, spines
from vertenet.errors import GeometryError
from vertenet.spine import (
    CORNERS,
    STANDARD_LEVELS,
    Corner,
    CornerName,
    Level,
    Spine,
    Status,
    Transition,
    Vertebra,
)

SQUARE = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def test_levels_run_from_head_to_foot():
    assert [level.value for level in Level] == [
        *(f"T{n}" for n in range(1, 11)),
        "T11",
        "T12",
        "L1",
        "L2",
        "L3",
        "L4",
        "L5",
        "L6",
        "S1",
    ]
    assert [level.rank for level in Level] == list(range(19))
    assert str(Level.L3) == f"{Level.L3}" == "L3"


class TestCorner:
    def test_a_corner_is_present_with_a_position_unless_said_otherwise(self):
        corner = Corner(1, 2)
        assert corner.is_present
        np.testing.assert_array_equal(corner.xy, [1.0, 2.0])
        assert corner.confidence is None

    def test_a_missing_corner_has_no_position(self):
        assert not Corner.missing().is_present
        assert np.isnan(Corner.missing().xy).all()

    @pytest.mark.parametrize(
        "values",
        [
            {"x": 1.0},
            {"y": 1.0},
            {"x": None, "y": None, "status": "present"},
            {"x": math.nan, "y": 0.0},
            {"x": math.inf, "y": 0.0, "status": "outside"},
            {"x": 0.0, "y": 0.0, "confidence": 1.01},
            {"x": 0.0, "y": 0.0, "confidence": -0.1},
            {"x": 0.0, "y": 0.0, "confidence": math.nan},
        ],
    )
    def test_an_impossible_corner_is_refused(self, values):
        with pytest.raises(GeometryError):
            Corner(**values)

    def test_an_unknown_status_is_refused(self):
        with pytest.raises(ValueError, match="lost"):
            Corner(0, 0, "lost")


class TestVertebra:
    def test_corners_that_nobody_gave_are_missing(self):
        vertebra = Vertebra("L3", {"SA": Corner(1, 2)})
        assert vertebra["SP"].status is Status.MISSING
        assert not vertebra.is_complete
        assert not vertebra.is_missing
        assert set(vertebra.points) == set(CORNERS)

    def test_a_vertebra_with_no_usable_corner_is_missing(self):
        outside = Corner(1, 2, Status.OUTSIDE)
        assert Vertebra("L3", dict.fromkeys(CORNERS, outside)).is_missing
        assert Vertebra("L3").is_missing

    def test_midpoints_are_kept_but_never_invented(self):
        assert CornerName.SM not in Vertebra("L3").points
        assert Vertebra("L3", {"SM": Corner(1, 2)})["SM"].x == 1
        np.testing.assert_array_equal(Vertebra("L3", {"SM": Corner(1, 2)}).to_array(("SM", "IM"))[0], [1, 2])

    def test_points_cannot_be_changed(self):
        with pytest.raises(TypeError):
            Vertebra("L3").points["SA"] = Corner(0, 0)

    def test_an_impossible_level_confidence_is_refused(self):
        with pytest.raises(GeometryError, match="level confidence"):
            Vertebra("L3", confidence=1.5)

    def test_a_numpy_confidence_becomes_a_plain_number(self):
        assert type(Vertebra("L3", confidence=np.float32(0.5)).confidence) is float


class TestSpine:
    def test_vertebrae_are_sorted_and_no_level_comes_twice(self):
        spine = Spine((Vertebra("L2"), Vertebra("T12")))
        assert spine.levels == (Level.T12, Level.L2)
        with pytest.raises(GeometryError, match="L2 more than once"):
            Spine((Vertebra("L2"), Vertebra("L2")))

    def test_only_two_sides_exist(self):
        with pytest.raises(GeometryError, match="anterior"):
            Spine((), "up")

    def test_a_level_it_lacks_is_a_key_error(self):
        with pytest.raises(KeyError, match="L3"):
            Spine(())["L3"]
        assert Level.L3 not in Spine(())

    @pytest.mark.parametrize("shape", [(5, 4, 2), (6, 4), (6, 3, 2), (24, 2)])
    def test_an_array_of_the_wrong_shape_is_refused(self, shape):
        with pytest.raises(GeometryError, match="need"):
            Spine.from_array(np.zeros(shape))

    def test_infinity_is_refused_and_nan_is_missing(self):
        xy = np.stack([SQUARE + i for i in range(6)])
        xy[2, 1, 0] = math.nan
        spine = Spine.from_array(xy)
        assert spine["L2"]["SP"].status is Status.MISSING
        xy[2, 1, 0] = math.inf
        with pytest.raises(GeometryError):
            Spine.from_array(xy)

    @given(st.integers(0, 2**32 - 1), st.permutations(CORNERS), st.permutations(STANDARD_LEVELS))
    def test_arrays_come_back_in_whatever_order_they_are_asked_for(self, seed, corners, levels):
        xy = np.random.default_rng(seed).uniform(0, 1000, (6, 4, 2))
        spine = Spine.from_array(xy, levels, corners)
        np.testing.assert_array_equal(spine.to_array(levels, corners), xy)
        np.testing.assert_array_equal(spine["L3"]["IA"].xy, xy[levels.index(Level.L3), corners.index(CornerName.IA)])

    def test_a_level_that_is_not_there_is_nan_in_an_array(self):
        spine = Spine.from_array(SQUARE[None], ["L3"])
        assert np.isnan(spine.to_array(["L2", "L3"])[0]).all()
        assert spine.to_array([]).shape == (0, 4, 2)

    @given(spines())
    @settings(max_examples=50, deadline=None)
    def test_it_survives_its_dictionary_and_a_pickle(self, spine):
        assert Spine.from_dict(spine.to_dict()) == spine
        assert pickle.loads(pickle.dumps(spine)) == spine
        assert hash(pickle.loads(pickle.dumps(spine))) == hash(spine)

    @given(spines(size=(1104, 402)))
    @settings(max_examples=50, deadline=None)
    def test_mirroring_twice_changes_nothing_but_rounding(self, spine):
        mirrored = spine.mirrored(402)
        assert mirrored.anterior != spine.anterior
        again = mirrored.mirrored(402)
        assert again.anterior == spine.anterior
        np.testing.assert_allclose(again.to_array(), spine.to_array(), atol=1e-9)
        for (name, corner), (other_name, other) in zip(spine.named_points(), mirrored.named_points()):
            assert name == other_name
            assert corner.status == other.status

    def test_mirroring_moves_pixels_as_it_moves_landmarks(self):
        pixels = np.zeros((4, 7))
        pixels[2, 1] = 1
        spine = Spine.from_array(np.tile([1.0, 2.0], (1, 4, 1)), ["L3"]).mirrored(7)
        x, y = spine["L3"]["SA"].xy.astype(int)
        assert pixels[:, ::-1][y, x] == 1

    def test_names_run_from_head_to_foot(self):
        names = [name for name, _ in Spine.from_array(np.zeros((6, 4, 2))).named_points()]
        assert names[:5] == ["T12-SA", "T12-SP", "T12-IA", "T12-IP", "L1-SA"]
        assert names[-1] == "L5-IP"
        assert len(names) == 24

    def test_selecting_adds_what_is_not_there_as_missing(self):
        spine = Spine.from_array(SQUARE[None], ["L3"]).select(["L2", "L3"])
        assert spine.levels == (Level.L2, Level.L3)
        assert spine["L2"].is_missing
        assert spine["L3"].is_complete

    def test_a_shift_renames_towards_the_feet_and_drops_nothing_in_between(self):
        xy = np.stack([SQUARE + 10 * i for i in range(6)])
        shifted = Spine.from_array(xy).shifted(1)
        assert shifted.levels == (*STANDARD_LEVELS, Level.S1) or shifted.levels == STANDARD_LEVELS
        np.testing.assert_array_equal(shifted["L1"].to_array(), xy[0])
        np.testing.assert_array_equal(shifted["L5"].to_array(), xy[4])
        assert shifted["T12"].is_missing

    @given(plain_spines(), st.sampled_from([-1, 1]))
    @settings(max_examples=30)
    def test_a_shift_and_back_keeps_what_stayed_in_range(self, spine, step):
        back = spine.shifted(step).shifted(-step)
        inner = STANDARD_LEVELS[1:-1]
        np.testing.assert_array_equal(back.to_array(inner), spine.to_array(inner))

    def test_a_shift_beyond_the_ladder_drops_the_vertebra(self):
        spine = Spine.from_array(np.stack([SQUARE, SQUARE + 5]), ["L5", "S1"])
        assert spine.shifted(1)["S1"]["SA"].x == SQUARE[0, 0]

    def test_the_centre_is_the_mean_of_four_corners_or_unknown(self):
        spine = Spine.from_array(SQUARE[None], ["L3"])
        np.testing.assert_array_equal(spine["L3"].centre, [0.5, 0.5])
        assert np.isnan(Vertebra("L3", {"SA": Corner(0, 0)}).centre).all()

    def test_transitional_anatomy_has_room(self):
        spine = Spine((Vertebra("L6"), Vertebra("S1")), transition="lumbarised-S1")
        assert spine.transition is Transition.LUMBARISED_S1
        assert Spine.from_dict(spine.to_dict()) == spine
