"""Grey values: each range does what its name says, to an image of any size."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vertenet.learning.augmentation import Augmentation, vary_grey_values

from .augmenting import picture, seeded

STILL = Augmentation.none()
SEEDS = st.integers(0, 2**31)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.tuples(st.integers(16, 130), st.integers(16, 130)))
def test_any_size_comes_back_between_black_and_white(seed, size):
    image = picture(size=size)
    varied = vary_grey_values(image, Augmentation(blur=1, noise=0.3, invert=0.5), seeded(seed))
    assert varied.shape == size
    assert varied.min() >= 0
    assert varied.max() <= 1
    assert torch.equal(image, picture(size=size))


def test_nothing_to_vary_changes_nothing():
    assert (vary_grey_values(picture(), STILL, seeded(1)) - picture()).abs().max() < 1e-6


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_gamma_keeps_black_white_and_the_order_between_them(seed):
    ramp = torch.linspace(0, 1, 400).reshape(20, 20)
    varied = vary_grey_values(ramp, replace(STILL, gamma=0.5), seeded(seed)).flatten()
    assert varied[0] == pytest.approx(0, abs=1e-6)
    assert varied[-1] == pytest.approx(1, abs=1e-6)
    assert (varied.diff() >= 0).all()


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_contrast_spreads_about_the_mean_within_its_range(seed):
    image = 0.4 + 0.2 * picture()
    varied = vary_grey_values(image, replace(STILL, contrast=0.4), seeded(seed))
    assert varied.mean().item() == pytest.approx(image.mean().item(), abs=1e-4)
    assert torch.exp(torch.tensor(-0.4)) <= varied.std() / image.std() <= torch.exp(torch.tensor(0.4))


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_exposure_is_a_factor_that_changes_slowly_and_stays_in_its_range(seed):
    image = torch.full((96, 48), 0.3)
    factor = vary_grey_values(image, replace(STILL, exposure=0.8), seeded(seed)) / image
    assert torch.exp(torch.tensor(-0.81)) < factor.min() < factor.max() < torch.exp(torch.tensor(0.81))
    assert factor.std() > 0.01
    assert factor.diff(dim=0).abs().max() < 0.15


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_brightness_is_one_offset_for_the_whole_image(seed):
    image = 0.4 + 0.2 * picture()
    difference = vary_grey_values(image, replace(STILL, brightness=0.15), seeded(seed)) - image
    assert difference.std() < 1e-6
    assert difference.abs().max() <= 0.15 + 1e-6


def test_noise_has_no_direction_and_at_most_the_deviation_asked_for():
    grey = torch.full((200, 200), 0.5)
    deviations = []
    for seed in range(10):
        varied = vary_grey_values(grey, replace(STILL, noise=0.05), seeded(seed))
        assert varied.mean().item() == pytest.approx(0.5, abs=0.002)
        deviations.append(varied.std().item())
    assert max(deviations) < 0.0505
    assert max(deviations) > 2 * min(deviations)


def test_blur_spreads_a_spot_and_loses_nothing_of_it():
    spot = torch.zeros(40, 40)
    spot[20, 20] = 1
    varied = vary_grey_values(spot, replace(STILL, blur=1), seeded(2))
    assert varied.sum().item() == pytest.approx(1, abs=1e-4)
    assert varied[20, 20] < 0.9
    assert varied[:16].max() == 0


def test_an_inverted_window_is_the_negative():
    image = picture()
    assert (vary_grey_values(image, replace(STILL, invert=1), seeded(1)) - (1 - image)).abs().max() < 1e-6
