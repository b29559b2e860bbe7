"""The second look at images of an unusual field: where its windows lie, and how several looks become one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertenet.imaging.frame import Frame
from vertenet.inference import Predictor, predictor
from vertenet.inference.decode import Candidate
from vertenet.inference.views import ABOVE, BELOW, PROPORTIONS, densitometer_windows, look_again, pooled
from vertenet.phantom import generate, scanners
from vertenet.spine import STANDARD_LEVELS, Level, Transition

from .test_spines import Fixed, radiograph

DEPTH = 30.0


def body(x: float, y: float, score: float = 0.9, **levels: float) -> Candidate:
    corners = np.array([[x - 15, y - 10], [x + 15, y - 10], [x - 15, y + 10], [x + 15, y + 10]])
    evidence = {level: levels.get(level.value, 0.0) for level in (*STANDARD_LEVELS, Level.S1)}
    return Candidate(score, np.array([x, y], float), corners, evidence)


def column(x: float, first: float, count: int = 7) -> list[Candidate]:
    return [body(x, first + 35 * k) for k in range(count)]


@given(
    x=st.floats(0, 900), first=st.floats(0, 1200), count=st.integers(1, 9), rows=st.integers(60, 1600),
    columns=st.integers(60, 1300),
)  # fmt: skip
def test_every_window_lies_in_the_image_and_shows_the_candidates_that_do(x, first, count, rows, columns):
    found = column(x, first, count)
    inside = [c.centre for c in found if 0 <= c.centre[0] < columns and 0 <= c.centre[1] < rows]
    for window in densitometer_windows(found, (rows, columns)):
        assert 0 <= window.top < window.bottom <= rows
        assert 0 <= window.left < window.right <= columns
        for cx, cy in inside if len(inside) == len(found) else ():
            assert window.left <= cx <= window.right
            assert window.top <= cy <= window.bottom


def test_in_a_wide_film_windows_have_the_proportions_and_margins_of_a_densitometer():
    found = column(500, 400)
    windows = densitometer_windows(found, (2000, 1600))
    assert len(windows) == len(BELOW) * len(PROPORTIONS)
    seen = {(round((w.bottom - 610) / DEPTH, 1), round((w.right - w.left) / (w.bottom - w.top), 2)) for w in windows}
    assert seen == {(below, proportion) for below in BELOW for proportion in PROPORTIONS}
    assert all(w.top == 400 - 4 * DEPTH for w in windows)


def test_the_margins_are_those_of_densitometer_phantoms():
    names = sorted(scanners())
    above, below, proportions = [], [], []
    for seed in range(42):
        image, truth = generate(1_003_000 + seed, names[seed % len(names)], "training")
        bodies = truth.anatomy.to_array()[:, :4]
        centres = bodies.mean(axis=1)
        seen = (centres > 0).all(axis=1) & (centres < [image.columns, image.rows]).all(axis=1)
        depth = np.median(np.linalg.norm(bodies[seen, 0] - bodies[seen, 1], axis=1))
        above.append(centres[seen, 1].min() / depth)
        below.append((image.rows - centres[seen, 1].max()) / depth)
        proportions.append(image.columns / image.rows)
    quartiles = [25, 50, 75]
    assert np.median(above) == pytest.approx(ABOVE, abs=0.7)
    np.testing.assert_allclose(np.percentile(below, quartiles), BELOW, atol=0.4)
    np.testing.assert_allclose(np.percentile(proportions, quartiles), PROPORTIONS, atol=0.06)


def test_a_faint_candidate_far_away_does_not_widen_the_windows():
    found = column(500, 400)
    assert densitometer_windows([*found, body(500, 1500, 0.2)], (2000, 1600)) == densitometer_windows(
        found, (2000, 1600)
    )
    assert densitometer_windows([], (2000, 1600)) == ()


@given(x=st.floats(0, 500), y=st.floats(0, 500))
def test_a_point_of_a_window_is_that_pixel_of_the_image(x, y):
    pixels = np.arange(2000.0 * 1600).reshape(2000, 1600)
    window = densitometer_windows(column(500, 400), pixels.shape)[0]
    column_, row = int(x) % (window.right - window.left), int(y) % (window.bottom - window.top)
    there = window.back(np.array([column_, row]))
    assert window.cut(pixels)[row, column_] == pixels[there[1], there[0]]


def test_looks_at_one_place_are_one_vertebra_with_the_mean_score_and_the_clearest_corners():
    clear, dim = body(100, 200, 0.9, L4=0.8, L5=0.1), body(104, 203, 0.3, L4=0.2, L5=0.7)
    (found,) = pooled([[dim], [clear], []])
    assert found.score == pytest.approx(0.4)
    np.testing.assert_array_equal(found.corners, clear.corners)
    assert found.level_scores[Level.L4] == pytest.approx((0.9 * 0.8 + 0.3 * 0.2) / 1.2)


def test_neighbours_stay_apart_in_order_and_one_look_never_counts_twice_in_one_place():
    found = pooled([column(100, 200, 3), column(101, 202, 3)])
    assert [round(float(c.centre[1])) // 10 for c in found] == [20, 23, 27]
    twice = pooled([[body(100, 200, 0.8), body(103, 204, 0.6)]])
    assert [c.score for c in twice] == pytest.approx([0.8, 0.6])


def test_what_hardly_any_look_sees_is_no_candidate():
    assert pooled([[body(100, 200, 0.3)], [], [], []]) == []
    assert pooled([]) == []


def test_a_network_without_level_evidence_is_pooled_by_score_alone():
    found = pooled(
        [[replace(body(100, 200, 0.8), level_scores=None)], [replace(body(101, 200, 0.6), level_scores=None)]]
    )
    assert found[0].level_scores is None
    assert found[0].score == pytest.approx(0.7)


def test_a_network_that_names_its_points_is_not_asked_again():
    image = radiograph(rows=1024, columns=512)
    assert look_again(lambda view: pytest.fail("asked"), Fixed(), image, {}) is None


@pytest.fixture(scope="module")
def starter():
    return Predictor("vertenet-lite")


def in_a_wide_field(seed: int):
    """A densitometer phantom in the middle of a field 2.2 times as wide, as films have them, and where it went."""
    image, truth = generate(seed, "hologic-horizon", "easy", crop=None, anterior="right", lstv=Transition.NONE)
    side = int(0.6 * image.columns)
    pixels = np.pad(image.pixels, ((0, 0), (side, side)), mode="edge")
    return replace(image, pixels=pixels), truth.spine.map_points(lambda xy: np.add(xy, (side, 0)))


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_windows_bring_a_squeezed_spine_back_into_place(starter, seed):
    image, truth = in_a_wide_field(seed)
    found = look_again(starter.maps, starter.network, image, starter.maps(image))
    frame = Frame(image.pixels.shape)
    spine, expected = (frame.from_source(s.to_array(STANDARD_LEVELS)[:, :4]) for s in (found[0], truth))
    assert np.nanmax(np.abs(spine - expected)) < 12
    assert np.nanmedian(np.abs(spine - expected)) < 3


def test_only_images_unlike_those_of_calibration_are_looked_at_again_and_are_never_certain(starter, monkeypatch):
    looked = []

    def watched(*arguments):
        looked.append(arguments)
        return look_again(*arguments)

    monkeypatch.setattr(predictor, "look_again", watched)
    plain, _ = generate(21, "hologic-horizon", "easy")
    assert starter(plain).levels.certain
    assert not looked
    known = starter.calibration.typicality
    strict = replace(known, distances=np.zeros_like(known.distances), limit=0.0, clear=0.0)
    monkeypatch.setattr(starter, "calibration", replace(starter.calibration, typicality=strict))
    reading = starter(plain)
    assert len(looked) == 1
    assert not reading.levels.certain
    assert any("unlike" in warning for warning in reading.warnings)
