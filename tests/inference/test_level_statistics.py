"""The numbers behind the naming of levels: features of pairs, their form on disk, what is refused."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertenet.errors import SchemaError
from vertenet.inference.level_statistics import LevelStatistics, PairStatistics, neighbours, pair_features
from vertenet.inference.level_tables import PLACE, level_tables
from vertenet.spine import Level

BODY = np.array([[50.0, -35], [-50, -35], [50, 35], [-50, 35]])
BELOW = BODY * [1.1, 1.0] + [10, 100]


def test_features_of_a_known_pair():
    turn = np.radians(20)
    tipped = BODY @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) * 1.21 + [0, 99]
    spacing, tilt, size = pair_features(np.stack([BODY, tipped]))[0, 1]
    assert spacing == pytest.approx(99 / (100 * 1.1))
    assert tilt == pytest.approx(-20)  # y points down: the anterior end went down
    assert size == pytest.approx(np.log(1.21))


@given(st.floats(-180, 180), st.floats(0.1, 20), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_features_know_no_place_no_zoom_and_no_turn_of_the_whole(degrees, zoom, x, y):
    turn = np.radians(degrees)
    matrix = zoom * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    pair = np.stack([BODY, BELOW])
    np.testing.assert_allclose(pair_features(pair @ matrix + [x, y]), pair_features(pair), atol=1e-6)


def test_statistics_come_back_from_json_and_from_another_process_unchanged():
    statistics = replace(LevelStatistics.default(), certain_margin=2.345, temperature=1.7)
    assert LevelStatistics.from_dict(json.loads(json.dumps(statistics.to_dict(), allow_nan=False))) == statistics
    assert pickle.loads(pickle.dumps(statistics)) == statistics
    assert hash(statistics) == hash(replace(statistics))


@pytest.mark.parametrize(
    "broken",
    [
        {"certain_margin": float("nan")},
        {"outliers": 0.0},
        {"temperature": -1.0},
        {"noise": [0.1, 0.1]},
        {"pairs": {}},
        {"pairs": {"L1": {}}},
        {"log_four": -0.1, "log_six": -0.1},
        {"unheard_of": 1},
    ],
)
def test_broken_statistics_are_refused_with_a_sentence(broken):
    with pytest.raises(SchemaError, match=r"level statistics|prior"):
        LevelStatistics.from_dict({**LevelStatistics.default().to_dict(), **broken})


def test_a_covariance_must_be_one():
    with pytest.raises(SchemaError, match="symmetric and positive"):
        PairStatistics((1, 0, 0), np.diag([1.0, 1.0, -1.0]))


def test_neighbours_are_those_of_four_five_and_six_lumbar_vertebrae():
    found = neighbours()
    assert len(found) == 10
    assert {(Level.L4, Level.S1), (Level.L5, Level.S1), (Level.L5, Level.L6), (Level.L6, Level.S1)} <= set(found)


def test_a_gap_of_two_lies_as_far_as_its_neighbours_together_and_is_less_sure():
    statistics = LevelStatistics.default()
    tables = level_tables(statistics)
    upper, middle, lower = PLACE[Level.L1], PLACE[Level.L2], PLACE[Level.L3]
    first, second, both = (tables.pair[0, a, b] for a, b in ((upper, middle), (middle, lower), (upper, lower)))
    np.testing.assert_allclose(tables.means[both], tables.means[first] + tables.means[second])
    assert tables.log_peak[both] < min(tables.log_peak[first], tables.log_peak[second])
    assert tables.price[both] == pytest.approx(statistics.log_missing)
    assert tables.price[first] == 0


def test_four_lumbar_vertebrae_bring_the_sacrum_next_to_l4():
    tables = level_tables(LevelStatistics.default())
    five, four, six = (tables.pair[a, PLACE[Level.L4], PLACE[Level.S1]] for a in range(3))
    assert tables.means[four, 0] < tables.means[five, 0] < tables.means[six, 0]
    assert not tables.exists[1, PLACE[Level.L5]]
    assert tables.exists[2, PLACE[Level.L6]]
    assert np.exp(tables.prior).sum() == pytest.approx(1)
