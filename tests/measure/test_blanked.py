"""Blanked regions are found to the pixel, and nothing that only looks like one is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from tests.measure.scenes import BACK, COLUMNS, HEIGHT, PITCH, ROWS, TOP, WALL, radiograph, staircase, tissue
from vertenet.imaging import read
from vertenet.measure.blanked import blanked_mask

SAMPLES = Path(__file__).parents[2] / "sample_data"
STAIRS = staircase([190, 160, 120, 70, 30])


def saturated_sacrum(pixels: np.ndarray) -> np.ndarray:
    """Pure white below, as in dual energy: round, and blurred by the scanner."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    inside = np.hypot((x - 150) * 1.3, y - ROWS * 1.02) < 160
    return pixels + 400 * ndimage.gaussian_filter(inside.astype(float), 2.5)


def bodies(seed: int, bone: float, waist: float) -> np.ndarray:
    """Bone alone: six bodies, narrower by ``waist`` at half their height, and posterior elements behind them."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    solid = np.zeros((ROWS, COLUMNS))
    for top in TOP + PITCH * np.arange(6):
        along = (y - top) / HEIGHT
        inset = 4 * waist * along * (1 - along)
        solid[(along >= 0) & (along <= 1) & (x >= BACK + inset) & (x <= WALL - inset)] = 1
    solid[:, 60:115] = 1.3
    noise = np.random.default_rng(seed).standard_normal(solid.shape)
    return bone * ndimage.gaussian_filter(solid, 1.2) + 7 * ndimage.gaussian_filter(noise, 1)


def thin_patient(pixels: np.ndarray) -> np.ndarray:
    """Black air to the right of a nearly straight skin line, the signal rising with the root of the depth."""
    depth = 330 + 4 * np.sin(np.arange(ROWS) / 200)[:, None] - np.arange(COLUMNS)[None]
    return pixels * np.sqrt(np.clip(depth / 100, 0, 1))


@pytest.mark.parametrize("colour", [0, 255])
@pytest.mark.parametrize("seed", range(3))
def test_a_staircase_is_found_to_the_pixel(colour, seed):
    found = blanked_mask(radiograph(np.where(STAIRS, colour, tissue(seed))).pixels)
    assert (found ^ STAIRS).sum() < 0.001 * STAIRS.sum()


@pytest.mark.parametrize("colour", [0, 255])
@pytest.mark.parametrize("quality", [95, 80, 60])
@pytest.mark.parametrize("side", ["right", "left", "top", "bottom"])
def test_jpeg_costs_a_few_pixels_at_the_edge(colour, quality, side):
    image, mask = tissue(4), STAIRS
    if side in ("left", "bottom"):
        image, mask = image[:, ::-1], mask[:, ::-1]
    if side in ("top", "bottom"):
        image, mask = image.T, mask.T
    found = blanked_mask(radiograph(np.where(mask, colour, image), quality).pixels)
    assert (found ^ mask).sum() < 0.04 * mask.sum()
    assert not (found & ~ndimage.binary_dilation(mask, iterations=8)).any()


def test_a_cut_that_compression_frays_more_over_bright_ribs_than_between_them_is_one_step():
    """Blocks ring into the fill by another two pixels each: pieces of a step, too short to be one, are parts of it."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    ribs = 1 + 0.95 * np.sin((y + 0.7 * x) / 9)
    for seed in range(3):
        pixels = np.where(STAIRS, 0, ribs * tissue(seed, mean=45, noise=10, blur=0.8))
        found = blanked_mask(radiograph(pixels, 75).pixels)
        assert (STAIRS & ~found).sum() < 0.012 * STAIRS.sum()
        assert (found & ~STAIRS).sum() < 0.001 * STAIRS.sum()


@pytest.mark.parametrize("noise", [1, 2, 3])
def test_a_fill_with_grey_levels_beside_it_is_still_a_fill(noise):
    rng = np.random.default_rng(noise)
    for colour, image in (
        (0, rng.integers(0, noise + 1, STAIRS.shape)),
        (255, 255 - rng.integers(0, noise + 1, STAIRS.shape)),
    ):
        found = blanked_mask(np.where(STAIRS, image, np.clip(tissue(1), 0, 255)).astype(np.float32))
        assert (found ^ STAIRS).sum() < 0.01 * STAIRS.sum(), colour


def test_black_bands_are_told_from_the_near_black_soft_tissue_of_dual_energy():
    for seed in range(3):
        found = blanked_mask(radiograph(np.where(STAIRS, 0, tissue(seed, mean=4, noise=5))).pixels)
        assert (found & STAIRS).sum() > 0.95 * STAIRS.sum()
        assert (found & ~STAIRS).sum() < 0.01 * STAIRS.sum()


@pytest.mark.parametrize("mean", [-8, -4, -2, 0, 2, 6])
@pytest.mark.parametrize("quality", [None, 80])
def test_soft_tissue_clipped_to_black_is_not_blanked(mean, quality):
    for seed in range(2):
        pixels = saturated_sacrum(tissue(seed, mean=mean, noise=5))
        assert blanked_mask(radiograph(pixels, quality).pixels).mean() < 0.003


@pytest.mark.parametrize("quality", [None, 80])
@pytest.mark.parametrize(("below_black", "bone"), [(10, 70), (30, 70), (30, 140)])
@pytest.mark.parametrize("waist", [0.0, 1.5])
def test_the_straight_cortex_of_a_body_in_tissue_clipped_to_black_is_no_step(quality, below_black, bone, waist):
    """Issue 13, item 6: of the blurred edge only the steep upper part is left above black."""
    for seed in range(2):
        pixels = bodies(seed, bone, waist) - below_black
        assert not blanked_mask(radiograph(pixels, quality).pixels).any()


@pytest.mark.parametrize("name", ["03-dual-energy-prodigy", "08-scoliosis"])
def test_the_dual_energy_samples_have_no_blanked_region(name):
    assert not blanked_mask(read(SAMPLES / f"{name}.png").pixels).any()


@pytest.mark.parametrize("quality", [None, 80])
def test_air_and_a_saturated_sacrum_are_not_blanked(quality):
    for seed in range(2):
        assert not blanked_mask(radiograph(thin_patient(saturated_sacrum(tissue(seed))), quality).pixels).any()


def test_the_steps_of_a_smooth_gradient_in_whole_grey_levels_are_not_cut_edges():
    gradient = np.tile(np.clip(np.arange(COLUMNS) / 12 - 8, 0, 255), (ROWS, 1))
    assert not blanked_mask(radiograph(gradient).pixels).any()


def test_a_band_beside_air_is_told_from_the_air():
    pixels = thin_patient(tissue(2))
    found = blanked_mask(radiograph(np.where(STAIRS, 0, pixels)).pixels)
    assert not found[450:].any()
    assert (found & STAIRS)[:320].sum() > 0.9 * STAIRS[:320].sum()


def test_a_white_band_does_not_make_the_black_beside_it_blanked():
    found = blanked_mask(radiograph(np.where(STAIRS, 255, tissue(0, mean=-3, noise=4))).pixels)
    assert (found & ~STAIRS).mean() < 0.003
    assert (found & STAIRS).sum() > 0.99 * STAIRS.sum()


def test_text_burned_into_a_band_belongs_to_it():
    pixels = np.where(STAIRS, 0, tissue(0))
    pixels[20:32, 300:360:3] = 255
    assert blanked_mask(radiograph(pixels).pixels)[20:32, 300:360].all()


@pytest.mark.parametrize("value", [0, 255, 128])
def test_an_image_of_one_value_has_no_edge_to_be_cut_at(value):
    assert not blanked_mask(np.full((100, 60), value, np.float32)).any()


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (400, 3), (16, 16)])
def test_tiny_images_do_no_harm(shape):
    assert blanked_mask(np.zeros(shape, np.float32)).shape == shape
