"""Even contrast: slow tone goes, edges stay."""

import numpy as np
from scipy.ndimage import gaussian_filter

from vertenet.imaging.contrast import MIDDLE, evened


def texture(seed: int = 0) -> np.ndarray:
    return gaussian_filter(np.random.default_rng(seed).normal(0, 100, (256, 128)), 2).astype(np.float32)


def test_a_slow_change_of_tone_and_of_contrast_changes_nothing():
    plain = texture()
    slope = np.linspace(0.4, 1.0, 256, dtype=np.float32)[:, None]
    shaded = 60 + 80 * slope + slope * plain
    both = evened(120 + plain), evened(shaded)
    assert np.corrcoef(both[0].ravel(), both[1].ravel())[0, 1] > 0.97
    assert np.abs(both[0] - both[1]).mean() < 8


def test_two_images_in_a_row_keep_their_own_edges_and_the_middle_tone():
    for seed in (1, 2):
        even = evened(np.clip(100 + texture(seed), 0, 255))
        assert even.dtype == np.float32
        assert even.min() >= 0
        assert even.max() <= 255
        assert abs(even.mean() - MIDDLE) < 6
        assert np.corrcoef(even.ravel(), texture(seed).ravel())[0, 1] > 0.9


def test_a_flat_image_stays_flat():
    np.testing.assert_allclose(evened(np.full((64, 32), 37.0)), MIDDLE, atol=0.5)
