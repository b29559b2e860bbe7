"""Landmarks follow pixels, whatever the geometry; what was cut off does not come back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vertenet.learning.augmentation import Augmentation
from vertenet.learning.augmentation.draws import Draws
from vertenet.learning.augmentation.geometry import Warp, Window, draw_warp, warp

from .augmenting import SIZE, picture, seeded

H, W = SIZE
STILL = Augmentation.none()


@st.composite
def warps(draw: st.DrawFn) -> Warp:
    """A geometry drawn from ranges that are themselves drawn, wider than the usual ones."""
    chance = st.sampled_from([0.0, 1.0])
    ranges = replace(
        STILL,
        rotation=draw(st.floats(0, 45)),
        scale=draw(st.floats(0, 0.3)),
        aspect=draw(st.floats(0, 0.3)),
        shift=draw(st.floats(0, 0.2)),
        end_crop=draw(chance),
        anterior_crop=draw(chance),
        expansion=draw(chance),
    )
    return draw_warp(SIZE, ranges, Draws(seeded(draw(st.integers(0, 2**31)))))


def dot(x: float, y: float, sigma: float = 4.0) -> torch.Tensor:
    columns, rows = torch.arange(W)[None], torch.arange(H)[:, None]
    return torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))


def centroid(image: torch.Tensor) -> torch.Tensor:
    weight = image / image.sum()
    return torch.stack([(weight * torch.arange(W)[None]).sum(), (weight * torch.arange(H)[:, None]).sum()])


@settings(max_examples=100, deadline=None)
@given(warps(), st.floats(30, W - 50), st.floats(80, H - 80))
def test_a_landmark_stays_on_its_dot_to_a_twentieth_of_a_pixel(drawn, x, y):
    bright = drawn.border == 1.0  # on a white canvas the dot is a dark one
    image = 1 - dot(x, y) if bright else dot(x, y)
    moved, point = warp(image, torch.tensor([[x, y]]), drawn)
    seen = 1 - moved if bright else moved
    brightest = seen.flatten().argmax()
    row, column = divmod(int(brightest), W)
    if seen.max() > 0.5 and 24 <= row < H - 24 and 24 <= column < W - 24:
        assert torch.dist(centroid(seen), point[0]) < 0.05
    else:  # the dot lies at the border or beyond it, and so must the landmark
        inner = (point[0] >= 25) & (point[0] < torch.tensor([W - 25, H - 25]))
        assert not inner.all()


def test_an_image_without_change_of_place_is_not_resampled():
    image = picture()
    drawn = draw_warp(SIZE, STILL, Draws(seeded(1)))
    moved, _ = warp(image, torch.zeros(1, 2), drawn)
    assert torch.equal(moved, image)


@settings(max_examples=40, deadline=None)
@given(warps())
def test_what_was_cut_off_does_not_come_back(drawn):
    window = drawn.window
    image = torch.ones(SIZE)
    image[window.top : window.bottom, window.left : window.right] = 0
    moved, _ = warp(image, torch.zeros(1, 2), replace(drawn, border=0.0))
    assert moved.max() == 0


@settings(max_examples=40, deadline=None)
@given(warps())
def test_a_repeated_edge_leaves_no_gap(drawn):
    moved, _ = warp(torch.full(SIZE, 0.37), torch.zeros(1, 2), replace(drawn, border=None))
    torch.testing.assert_close(moved, torch.full(SIZE, 0.37))


@pytest.mark.parametrize("border", [0.0, 1.0])
def test_the_canvas_has_the_colour_that_was_drawn(border):
    half = np.array([[0.5, 0, W / 4], [0, 0.5, H / 4], [0, 0, 1]])
    moved, _ = warp(torch.full(SIZE, 0.4), torch.zeros(1, 2), Warp(Window(0, 0, H, W), half, border))
    assert (moved[: H // 4 - 1] == border).all()
    assert (moved[:, : W // 4 - 1] == border).all()
    inner = moved[H // 4 + 2 : -H // 4 - 2, W // 4 + 2 : -W // 4 - 2]
    assert (inner - 0.4).abs().max() < 1e-5


def test_no_seam_is_left_around_a_white_image_on_a_white_canvas():
    turned = draw_warp(SIZE, replace(STILL, rotation=30, expansion=1), Draws(seeded(5)))
    moved, _ = warp(torch.ones(SIZE), torch.zeros(1, 2), replace(turned, border=1.0))
    assert (moved - 1).abs().max() < 1e-6


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31))
def test_a_cut_takes_the_top_or_the_bottom_and_stretches_the_rest_to_the_frame(seed):
    drawn = draw_warp(SIZE, replace(STILL, end_crop=1), Draws(seeded(seed)))
    window = drawn.window
    assert (window.left, window.right) == (0, W)
    assert 0 <= window.top <= round(0.25 * H)
    assert round(0.75 * H) <= window.bottom <= H
    ends = drawn.matrix @ [[0, W], [window.top, window.bottom], [1, 1]]
    np.testing.assert_allclose(ends[:2], [[0, W], [0, H]], atol=1e-9)


def test_all_three_kinds_of_cut_are_drawn():
    windows = [draw_warp(SIZE, replace(STILL, end_crop=1), Draws(seeded(seed))).window for seed in range(60)]
    kinds = {(window.top > 0, window.bottom < H) for window in windows}
    assert {(True, False), (False, True), (True, True)} <= kinds


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_an_anterior_cut_takes_columns_from_the_right_where_the_body_faces(seed):
    drawn = draw_warp(SIZE, replace(STILL, anterior_crop=1), Draws(seeded(seed)))
    window = drawn.window
    assert (window.top, window.left, window.bottom) == (0, 0, H)
    assert round(0.8 * W) <= window.right <= W
    np.testing.assert_allclose((drawn.matrix @ [window.right, H, 1])[:2], [W, H], atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.floats(1, 2))
def test_an_expanded_image_keeps_its_shape_and_lies_whole_on_the_canvas(seed, factor):
    ranges = replace(STILL, expansion=1, expansion_factor=factor)
    matrix = draw_warp(SIZE, ranges, Draws(seeded(seed))).matrix
    assert matrix[0, 0] == matrix[1, 1]
    assert 1 / factor - 1e-9 <= matrix[0, 0] <= 1
    low, high = (matrix @ [0, 0, 1])[:2], (matrix @ [W, H, 1])[:2]
    assert (low >= -1e-9).all()
    assert (high <= np.array([W, H]) + 1e-9).all()


def test_a_window_holds_its_pixels_and_no_unknown_position():
    window = Window(top=10, left=5, bottom=20, right=15)
    points = torch.tensor([[5.0, 10.0], [14.9, 19.9], [15.0, 12.0], [7.0, 20.0], [4.9, 12.0], [torch.nan, 12.0]])
    assert window.holds(points).tolist() == [True, True, False, False, False, False]
