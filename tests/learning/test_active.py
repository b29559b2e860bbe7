from __future__ import annotations

import numpy as np
import pytest

from vertenet.learning.active import Pool, level_doubt, pick, standardised, uncertainty


def pool(features, *, doubt=None, dispersion=None, refused=(), taken=()) -> Pool:
    features = np.asarray(features, float)
    n = len(features)
    blank = np.full(n, np.nan)
    return Pool(
        features,
        blank if doubt is None else doubt,
        blank if dispersion is None else dispersion,
        np.isin(np.arange(n), refused),
        np.isin(np.arange(n), taken),
    )


def random_pool(n=60, c=8, seed=0, **parts) -> Pool:
    rng = np.random.default_rng(seed)
    return pool(rng.normal(size=(n, c)), doubt=rng.random(n) / 2, dispersion=rng.random(n), **parts)


# Uncertainty


def test_the_doubt_is_the_probability_of_the_other_naming():
    # Two namings of which the first is three times as likely: the other is right in one of four cases.
    assert level_doubt(np.log(3.0)) == pytest.approx(0.25)
    np.testing.assert_allclose(level_doubt([0.0, np.inf, 800.0]), [0.5, 0.0, 0.0], atol=1e-300)
    assert np.isnan(level_doubt(np.nan))


def test_uncertainty_is_the_mean_rank_of_doubt_and_dispersion():
    found = uncertainty([0.1, 0.3, 0.2, 0.3], [5.0, 9.0, 7.0, 2.0])
    np.testing.assert_allclose(found, [(1 + 2) / 8, (3.5 + 4) / 8, (2 + 3) / 8, (3.5 + 1) / 8])


def test_uncertainty_does_not_depend_on_the_units():
    rng = np.random.default_rng(1)
    doubt, dispersion = rng.random(40), rng.random(40)
    np.testing.assert_array_equal(uncertainty(doubt, dispersion), uncertainty(doubt**3, 1e6 * dispersion))


def test_an_image_of_which_one_number_is_known_counts_by_that_and_one_without_any_is_in_the_middle():
    found = uncertainty([np.nan, 0.4, np.nan], [3.0, np.nan, np.nan])
    np.testing.assert_allclose(found, [1.0, 1.0, 0.5])


def test_the_uncertainty_strategy_gives_the_most_uncertain_first():
    one = random_pool(seed=3)
    values = uncertainty(one.doubt, one.dispersion)
    order = pick(one, 10, "uncertainty")
    assert order == sorted(range(len(one)), key=lambda i: -values[i])[:10]


# Diversity


def farthest_first(points: np.ndarray, centres: list[int], k: int) -> list[int]:
    """The k-center greedy of Sener and Savarese, spelt out."""
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    picked: list[int] = []
    for _ in range(k):
        picked.append(int(np.argmax(distances[:, [*centres, *picked]].min(axis=1))))
    return picked


@pytest.mark.parametrize("seed", range(4))
def test_diversity_is_k_center_greedy_in_standardised_features(seed):
    taken = [4, 11, 30]
    one = random_pool(seed=seed, taken=taken)
    assert pick(one, 12, "diversity") == farthest_first(standardised(one.features), taken, 12)


def test_diversity_visits_every_cluster_before_any_twice_and_begins_with_what_is_typical():
    rng = np.random.default_rng(5)
    middles = np.array([[0, 0], [10, 0], [0, 10], [-10, 0], [0, -10]])
    one = pool(np.repeat(middles, 8, axis=0) + rng.normal(size=(40, 2)) * 0.3)
    clusters = [index // 8 for index in pick(one, 5, "diversity")]
    assert sorted(clusters) == [0, 1, 2, 3, 4]
    assert clusters[0] == 0


def test_what_is_taken_covers_its_neighbourhood():
    rng = np.random.default_rng(6)
    middles = np.array([[0.0, 0], [9, 0], [0, 9]])
    one = pool(np.repeat(middles, 10, axis=0) + rng.normal(size=(30, 2)) * 0.3, taken=[0, 10])
    assert pick(one, 1, "diversity")[0] // 10 == 2


def test_k_center_covers_the_pool_better_than_chance():
    one = random_pool(n=300, c=4, seed=7)
    points = standardised(one.features)

    def radius(chosen):
        return np.linalg.norm(points[:, None] - points[chosen], axis=-1).min(axis=1).max()

    rng = np.random.default_rng(0)
    by_chance = [radius(rng.choice(300, 20, replace=False)) for _ in range(50)]
    assert radius(pick(one, 20, "diversity")) < min(by_chance)


def test_distances_hold_for_more_taken_images_than_fit_in_a_block():
    one = random_pool(n=700, c=3, seed=8, taken=range(600))
    assert pick(one, 5, "diversity") == farthest_first(standardised(one.features), list(range(600)), 5)


def test_the_scale_of_a_feature_does_not_decide_and_a_constant_one_does_no_harm():
    one = random_pool(seed=9)
    scaled = one.features * np.geomspace(1e-3, 1e3, 8)
    other = pool(np.column_stack([scaled, np.ones(60)]), doubt=one.doubt, dispersion=one.dispersion)
    assert pick(one, 15, "hybrid") == pick(other, 15, "hybrid")


# Hybrid


def test_hybrid_takes_neither_the_alike_nor_the_certain():
    # Two clusters of uncertain images, one of certain ones far away from both.
    rng = np.random.default_rng(10)
    middles = np.array([[0.0, 0], [4, 0], [0, 6]])
    doubt = np.repeat([0.45, 0.40, 0.01], 10) + rng.random(30) * 0.01
    features = np.repeat(middles, 10, axis=0) + rng.normal(size=(30, 2)) * 0.2
    one = pool(features, doubt=doubt, dispersion=doubt, taken=[29])
    assert {index // 10 for index in pick(one, 2, "uncertainty")} == {0}
    assert {index // 10 for index in pick(one, 2, "hybrid")} == {0, 1}


@pytest.mark.parametrize("criterion", ["uncertainty", "diversity", "hybrid"])
@pytest.mark.parametrize("taken", [[], [0, 7]])
def test_ten_requests_for_one_image_get_what_one_request_for_ten_does(criterion, taken):
    refused = [3, 9, 20, 41, 42, 43]
    together = pick(random_pool(refused=refused, taken=taken), 10, criterion)
    one_by_one: list[int] = []
    for _ in range(10):
        one_by_one += pick(random_pool(refused=refused, taken=[*taken, *one_by_one]), 1, criterion)
    assert one_by_one == together


# Refused images


@pytest.mark.parametrize("criterion", ["uncertainty", "diversity", "hybrid"])
def test_refused_images_come_as_often_as_they_occur_and_no_more(criterion):
    # Ten refused images of fifty, far from the rest and as uncertain as can be.
    rng = np.random.default_rng(11)
    features = rng.normal(size=(50, 4))
    features[:10] += 50 * rng.normal(size=(10, 4))
    doubt = np.where(np.arange(50) < 10, 0.5, rng.random(50) * 0.4)
    order = pick(pool(features, doubt=doubt, dispersion=doubt, refused=range(10)), 50, criterion)
    assert sorted(order) == list(range(50))
    for count in range(1, 51):
        so_far = sum(index < 10 for index in order[:count])
        assert abs(so_far - 0.2 * count) <= 0.5 + 1e-9


def test_a_folder_of_refused_images_is_offered_all_the_same():
    one = random_pool(n=12, refused=range(12))
    assert sorted(pick(one, 12)) == list(range(12))


def test_when_one_kind_is_used_up_the_other_goes_on():
    one = random_pool(n=20, refused=range(10), taken=range(10))
    assert sorted(pick(one, 20)) == list(range(10, 20))


# Edges


def test_taken_images_are_never_picked_and_no_more_than_there_are():
    one = random_pool(n=9, taken=[0, 1, 2])
    assert sorted(pick(one, 50)) == [3, 4, 5, 6, 7, 8]
    assert pick(one, 0) == []
    assert pick(random_pool(n=3, taken=[0, 1, 2]), 2) == []


def test_images_that_are_all_alike_or_unknown_are_taken_in_their_order():
    assert pick(pool(np.ones((5, 3))), 3, "uncertainty") == [0, 1, 2]
    assert sorted(pick(pool(np.ones((5, 3))), 5, "hybrid")) == [0, 1, 2, 3, 4]


def test_a_network_without_features_leaves_the_uncertainty():
    rng = np.random.default_rng(12)
    doubt = rng.random(20)
    one = pool(np.empty((20, 0)), doubt=doubt, dispersion=doubt)
    assert pick(one, 6, "hybrid") == pick(one, 6, "uncertainty") == list(np.argsort(-doubt)[:6])


def test_a_pool_that_does_not_fit_together_is_refused():
    with pytest.raises(ValueError, match="lengths"):
        Pool(np.ones((3, 2)), np.ones(3), np.ones(2), np.zeros(3, bool), np.zeros(3, bool))
    with pytest.raises(ValueError, match="not finite"):
        pool([[np.nan, 1.0]])
    with pytest.raises(ValueError, match="no criterion"):
        pick(random_pool(), 1, "entropy")
