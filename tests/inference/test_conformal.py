"""Error radii: the quantile against its definition, coverage where the truth is known, and what they must not do."""

from __future__ import annotations

import json
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import spines
from vertenet.errors import ModelError, OptionError
from vertenet.inference.conformal import COVERAGES, KINDS, ConformalRadii, Points, conformal_quantile
from vertenet.spine import Corner, CornerName, Level, Spine, Status, Vertebra

finite = st.floats(-1e6, 1e6)


def study(seed: int, images: int = 120, *, units: float = 1.0, sigma: bool = True, haze: float = 0.0):
    """Errors of images that differ in sharpness and size: points, their errors, the image of each.

    ``units`` is the image's pixels per depth relative to the others: another scanner's matrix. ``haze`` is the spread
    of a loss of sharpness by image, of which sigma tells only half.
    """
    rng = np.random.default_rng(seed)
    n = images * len(KINDS) * 6
    image = np.repeat(np.arange(images), len(KINDS) * 6)
    depth = units * rng.uniform(60, 120, images)[image]
    luck = rng.lognormal(0, 0.3, images)[image]  # shared by the points of an image
    confidence = rng.uniform(0.2, 0.9, n)
    spread = rng.lognormal(-4, 0.6, n) * depth
    kinds = np.tile(np.array(KINDS, dtype=object), n // len(KINDS))
    lost = np.exp(haze * rng.standard_normal(images))[image]
    wider = np.where(kinds == CornerName.SM, 2.0, 1.0)
    typical = spread if sigma else depth * 0.02 / confidence
    errors = typical * lost * wider * luck * rng.chisquare(2, n) / 2
    levels = np.full(n, Level.L1, dtype=object)
    xy = np.zeros((n, 2))
    spread = spread * np.sqrt(lost) if sigma else np.full(n, math.nan)
    whole = np.median((spread / depth).reshape(images, -1), axis=1)[image]
    points = Points(levels, kinds, xy, depth, confidence, spread, whole)
    return points, errors, image


@cache
def fitted(seed: int) -> ConformalRadii:
    return ConformalRadii.fit(*study(seed))


@given(st.lists(finite, min_size=1, max_size=60), st.floats(0.05, 0.99))
def test_the_quantile_is_the_order_statistic_of_its_definition(scores, coverage):
    n = len(scores)
    rank = next(k for k in range(1, n + 2) if k >= (n + 1) * coverage - 1e-6)
    expected = math.inf if rank > n else sorted(scores)[rank - 1]
    assert conformal_quantile(np.array(scores), coverage) == expected


def test_nineteen_images_are_the_fewest_for_95_percent():
    assert conformal_quantile(np.arange(19.0), 0.95) == 18.0
    assert conformal_quantile(np.arange(18.0), 0.95) == math.inf


@given(st.lists(st.tuples(finite, st.integers(1, 9)), min_size=2, max_size=30), st.floats(0.1, 0.9))
def test_an_image_counts_once_however_many_points_it_has(images, coverage):
    values = np.array([value for value, _ in images])
    counts = [count for _, count in images]
    repeated = conformal_quantile(np.repeat(values, counts), coverage, np.repeat(np.arange(len(images)), counts))
    assert repeated == conformal_quantile(values, coverage)


@given(st.lists(finite, min_size=20, max_size=60), st.integers(0, 2**32 - 1))
def test_quantiles_grow_with_coverage_and_never_with_smaller_scores(scores, seed):
    scores = np.array(scores)
    quantiles = [conformal_quantile(scores, c / 100) for c in COVERAGES]
    assert quantiles == sorted(quantiles)
    smaller = scores - np.random.default_rng(seed).uniform(0, 10, len(scores))
    assert all(conformal_quantile(smaller, c / 100) <= q for c, q in zip(COVERAGES, quantiles))


@pytest.mark.parametrize("sigma", [True, False])
def test_radii_cover_what_they_claim_over_repeated_draws(sigma):
    covered = {coverage: [] for coverage in COVERAGES}
    by_kind = []
    for seed in range(20):
        radii = ConformalRadii.fit(*study(seed, sigma=sigma))
        points, errors, _ = study(10_000 + seed, sigma=sigma)
        found = radii.radii(points)
        for coverage in COVERAGES:
            covered[coverage].append(np.mean(errors <= found * radii.scale[str(coverage)]))
        by_kind.append(np.mean((errors <= found)[points.kinds == CornerName.SM]))
    for coverage in COVERAGES:
        assert abs(100 * np.mean(covered[coverage]) - coverage) < 2, coverage
    assert abs(np.mean(by_kind) - 0.9) < 0.02


def test_a_scanner_with_other_pixels_keeps_the_coverage():
    radii = ConformalRadii.fit(*study(1, images=300))
    points, errors, _ = study(2, units=3.0)
    assert 0.87 < np.mean(errors <= radii.radii(points)) < 0.93


def test_sharp_points_get_smaller_discs_than_doubtful_ones():
    radii = fitted(5)
    points, errors, _ = study(4)
    found = radii.radii(points)
    sharp = points.sigma / points.depth < np.quantile(points.sigma / points.depth, 0.3)
    assert np.median(found[sharp]) < 0.6 * np.median(found[~sharp])
    for half in (sharp, ~sharp):
        assert 0.85 < np.mean(errors[half] <= found[half]) < 0.95


def test_poor_images_are_covered_as_well_as_good_ones():
    radii = ConformalRadii.fit(*study(6, images=400, haze=0.5))
    points, errors, _ = study(7, images=400, haze=0.5)
    inside = errors <= radii.radii(points)
    poor = points.image_sigma > np.median(points.image_sigma)
    for half in (poor, ~poor):
        assert 0.87 < inside[half].mean() < 0.93


@given(spines(), st.floats(0.05, 0.9), st.floats(0.001, 0.2))
def test_more_confidence_never_widens_a_disc_and_more_sigma_never_narrows_one(spine, confidence, sigma):
    radii = fitted(5)
    present = [v for v in spine if v.is_complete]
    if not present:
        return

    def radius(sure: float, doubt: float) -> float:
        corner = present[0]["SA"]
        points = {**present[0].points, "SA": Corner(corner.x, corner.y, confidence=sure)}
        one = Spine((Vertebra(present[0].level, points),))
        return radii.apply(one, {(present[0].level, CornerName.SA): doubt})[present[0].level]["SA"].radius

    assert radius(confidence + 0.05, sigma) <= radius(confidence, sigma) <= radius(confidence, sigma * 2)


def test_only_present_points_of_calibrated_kinds_get_a_radius():
    points, errors, image = study(6, sigma=False)
    corners = np.array([kind not in (CornerName.SM, CornerName.IM) for kind in points.kinds])
    radii = ConformalRadii.fit(points[corners], errors[corners], image[corners])
    square = {"SA": Corner(80, 0), "SP": Corner(0, 0), "IA": Corner(80, 60), "IP": Corner(0, 60)}
    body = Vertebra("L1", {**square, "SM": Corner(40, 2)}, confidence=0.6)
    gone = Vertebra("L2", {**square, "IA": Corner(80, 60, Status.OUTSIDE)}, confidence=0.6)
    spine = radii.apply(Spine((body, gone)))
    assert spine["L1"]["SA"].radius > 0
    assert spine["L1"]["SM"].radius is None
    assert spine["L2"]["IA"].radius is None
    assert spine["L2"]["SA"].radius == spine["L1"]["SA"].radius
    assert np.array_equal(spine.to_array(), Spine((body, gone)).to_array())


def test_a_law_that_needs_sigma_gives_no_radius_without_it():
    radii = fitted(5)
    square = {"SA": Corner(80, 0), "SP": Corner(0, 0), "IA": Corner(80, 60), "IP": Corner(0, 60)}
    spine = Spine((Vertebra("L1", square, confidence=0.6),))
    found = radii.apply(spine, {(Level.L1, CornerName.SA): 0.8})
    assert found["L1"]["SA"].radius > 0
    assert found["L1"]["SP"].radius is None


def test_an_empty_spine_stays_empty():
    radii = fitted(5)
    empty = Spine(()).select(["L1", "L2"])
    assert radii.apply(empty) == empty


def test_radii_survive_json_exactly_and_nonsense_is_refused():
    radii = fitted(5)
    data = json.loads(json.dumps(radii.to_dict(), allow_nan=False))
    assert ConformalRadii.from_dict(data) == radii
    assert list(radii.scale) == ["80", "90", "95"]
    assert radii.scale["90"] == 1.0
    with pytest.raises(ModelError, match="radii"):
        ConformalRadii.from_dict({**data, "factors": {"SA": -1.0}})


def test_too_few_images_are_said_to_be_too_few():
    with pytest.raises(OptionError, match="37 images"):
        ConformalRadii.fit(*study(10, images=37))
