"""Guides against a second, independent reading of their definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import plain_spines, spines
from vertenet.measure import GUIDE_NAMES, Guide, intervertebral_guides
from vertenet.spine import STANDARD_LEVELS, Corner, Spine, Status, Vertebra


def expected_ends(xy: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The definition as sums over a (6, 4, 2) array of SA, SP, IA, IP: name to posterior and anterior end."""
    posterior = [0.5 * xy[i, 3] + 0.5 * xy[i + 1, 1] for i in range(5)]
    anterior = [0.5 * xy[i, 2] + 0.5 * xy[i + 1, 0] for i in range(5)]
    names = ["T12", "L1", "L2", "L3", "L4", "L5"]
    ends = {f"{names[i]}/{names[i + 1]}": (posterior[i], anterior[i]) for i in range(5)}
    for i in range(1, 5):
        for third in (1, 2):
            ends[f"{names[i]} {third}/3"] = tuple(
                ((3 - third) * side[i - 1] + third * side[i]) / 3 for side in (posterior, anterior)
            )
    return ends


@given(plain_spines())
def test_the_thirteen_guides_agree_with_the_definition_to_a_millionth_of_a_pixel(spine):
    guides, expected = intervertebral_guides(spine), expected_ends(spine.to_array())
    assert tuple(guides) == GUIDE_NAMES
    assert set(guides) == set(expected)
    for name, (posterior, anterior) in expected.items():
        np.testing.assert_allclose(guides[name].posterior, posterior, rtol=0, atol=1e-6)
        np.testing.assert_allclose(guides[name].anterior, anterior, rtol=0, atol=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_guides_need_no_anatomy_only_points(seed):
    xy = np.random.default_rng(seed).uniform(-2000, 2000, (6, 4, 2))
    guides = intervertebral_guides(Spine.from_array(xy))
    for name, (posterior, anterior) in expected_ends(xy).items():
        np.testing.assert_allclose(guides[name].posterior, posterior, rtol=0, atol=1e-6)
        np.testing.assert_allclose(guides[name].anterior, anterior, rtol=0, atol=1e-6)


@given(plain_spines(size=(1104, 402)))
@settings(max_examples=30)
def test_mirroring_the_spine_mirrors_the_guides(spine):
    guides, mirrored = intervertebral_guides(spine), intervertebral_guides(spine.mirrored(402))
    for name, guide in guides.items():
        np.testing.assert_allclose(mirrored[name].anterior, [401 - guide.anterior[0], guide.anterior[1]], atol=1e-9)
        np.testing.assert_allclose(mirrored[name].posterior, [401 - guide.posterior[0], guide.posterior[1]], atol=1e-9)


@given(spines())
@settings(max_examples=60, deadline=None)
def test_a_guide_is_there_exactly_if_everything_it_rests_on_is_present(spine):
    def disc(upper, lower):
        corners = [spine[upper]["IA"], spine[upper]["IP"], spine[lower]["SA"], spine[lower]["SP"]]
        return all(corner.status is Status.PRESENT for corner in corners)

    levels = [str(level) for level in STANDARD_LEVELS]
    discs = [disc(upper, lower) for upper, lower in zip(levels, levels[1:])]
    expected = {f"{upper}/{lower}" for upper, lower, there in zip(levels, levels[1:], discs) if there}
    for i, level in enumerate(levels[1:-1]):
        if discs[i] and discs[i + 1]:
            expected |= {f"{level} 1/3", f"{level} 2/3"}
    guides = intervertebral_guides(spine)
    assert set(guides) == expected
    assert list(guides) == [name for name in GUIDE_NAMES if name in expected]


@given(plain_spines())
@settings(max_examples=20)
def test_a_corner_outside_the_image_makes_no_guide_though_it_has_a_position(spine):
    t12 = spine["T12"]
    outside = Corner(t12["IA"].x, t12["IA"].y, Status.OUTSIDE)
    changed = Spine((Vertebra("T12", {**t12.points, "IA": outside}), *spine.vertebrae[1:]), spine.anterior)
    assert set(intervertebral_guides(spine)) - set(intervertebral_guides(changed)) == {"T12/L1", "L1 1/3", "L1 2/3"}


def test_a_spine_without_vertebrae_has_no_guides():
    assert intervertebral_guides(Spine(())) == {}


@given(plain_spines())
@settings(max_examples=30)
def test_points_of_a_guide_lie_on_its_line(spine):
    for guide in intervertebral_guides(spine).values():
        direction = guide.anterior - guide.posterior
        for point in (guide.at_x(-50.0), guide.at_x(1234.5), guide.extended(1.2)):
            offset = point - guide.posterior
            assert abs(direction[0] * offset[1] - direction[1] * offset[0]) < 1e-6 * guide.length * 2000
        assert np.linalg.norm(guide.extended(1.2) - guide.anterior) == pytest.approx(1.2 * guide.length)


def test_an_upright_guide_has_no_point_at_another_column():
    assert np.isnan(Guide("T12/L1", [5, 0], [5, 10]).at_x(7.0)[1])


@given(plain_spines())
@settings(max_examples=20)
def test_a_guide_survives_its_dictionary(spine):
    for guide in intervertebral_guides(spine).values():
        assert Guide.from_dict(guide.to_dict()) == guide
