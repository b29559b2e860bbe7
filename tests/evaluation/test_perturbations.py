"""Perturbed images show their true points where the moved truth says."""

import numpy as np
import pytest

from vertenet.errors import OptionError
from vertenet.evaluation.perturbations import moved, perturbations, perturbed
from vertenet.phantom import generate
from vertenet.radiograph import Radiograph, Spacing, SpacingSource

SPOTS = np.array([[40.0, 60.0], [150.0, 90.0], [80.0, 210.0], [120.0, 300.0]])


def spots() -> Radiograph:
    y, x = np.mgrid[:360, :200]
    near = [np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * 4.0**2)) for a, b in SPOTS]
    return Radiograph(200 * np.max(near, axis=0), Spacing(0.5, 0.5, SpacingSource.USER), "right", "spots")


def centre_of(image: np.ndarray, around: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    weight = np.where(np.hypot(x - around[0], y - around[1]) < 18, image, 0)
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.mark.parametrize("name", perturbations())
def test_a_point_is_shown_where_it_is_moved_to(name):
    changed, move = perturbed(name, spots(), "a")
    for spot, to in zip(SPOTS, move(SPOTS)):
        tolerance = 1.2 if name.startswith("warp") else 0.35
        assert np.hypot(*(centre_of(changed.pixels, to) - to)) < tolerance, (name, spot, to)


@pytest.mark.parametrize("name", [name for name in perturbations() if name != "plain"])
def test_every_change_changes_the_image_the_same_way_each_time(name):
    radiograph, truth = generate(3, scanner="hologic-horizon", difficulty="easy")
    changed, move = perturbed(name, radiograph, "3")
    again, _ = perturbed(name, radiograph, "3")
    np.testing.assert_array_equal(changed.pixels, again.pixels)
    assert changed.pixels.shape != radiograph.pixels.shape or (changed.pixels != radiograph.pixels).mean() > 0.2
    assert (changed.spacing is None) == name.startswith("stretch")
    spine = moved(truth.spine, move, changed.rows, changed.columns)
    assert [v.level for v in spine] == [v.level for v in truth.spine]


def test_warps_have_the_strength_of_their_names_and_differ_from_image_to_image():
    grid = np.stack(np.meshgrid(np.arange(20, 180, 10.0), np.arange(20, 340, 10.0)), -1).reshape(-1, 2)
    for name, amount in (("warp-3", 3), ("warp-6", 6)):
        away = perturbed(name, spots(), "a")[1](grid) - grid
        assert amount / 2 < np.sqrt((away**2).mean()) < 2 * amount
        other = perturbed(name, spots(), "b")[1](grid) - grid
        assert np.abs(away - other).max() > amount


def test_an_unknown_change_is_refused_with_those_that_exist():
    with pytest.raises(OptionError, match="no perturbation 'melt'"):
        perturbed("melt", spots(), "a")
