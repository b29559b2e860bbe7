"""Resizing and evening without torch and without loops over taps give what they stand for."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from vertenet.imaging.contrast import LEAST, MIDDLE, STEP, evened
from vertenet.imaging.frame import Frame


@pytest.mark.parametrize("shape", [(1104, 402), (300, 200), (12, 9), (1, 1), (700, 1), (512, 256), (1501, 1203)])
def test_a_resized_image_is_torchs_antialiased_one(shape):
    pixels = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    image = torch.from_numpy(pixels)[None, None]
    wanted = torch.nn.functional.interpolate(image, (512, 256), mode="bilinear", align_corners=False, antialias=True)
    found = Frame(shape, (512, 256)).resample(pixels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted[0, 0].numpy(), atol=2e-4)


@pytest.mark.parametrize("shape", [(512, 256), (5, 7), (50, 300)])
def test_an_evened_image_is_that_of_a_gaussian_filter(shape):
    pixels = np.random.default_rng(1).uniform(0, 255, shape).astype(np.float32)
    sigma = 0.08 * shape[0]
    away = pixels - gaussian_filter(pixels, sigma)
    spread = np.sqrt(gaussian_filter(away**2, sigma)) + LEAST
    np.testing.assert_allclose(evened(pixels), np.clip(MIDDLE + STEP * away / spread, 0, 255), atol=1e-2)
