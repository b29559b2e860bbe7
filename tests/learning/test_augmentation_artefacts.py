"""Artefacts change what they should, in the direction they should, and nothing outside."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import corner_array, shapes
from vertenet.learning.augmentation.artefacts import Landmarks, add_blanks, add_gas, add_metal, add_text
from vertenet.learning.augmentation.draws import Draws
from vertenet.learning.augmentation.paint import block, rod, shade, text_mask, write

from .augmenting import SIZE, picture, seeded, spine

H, W = SIZE
SEEDS = st.integers(0, 2**31)
PLACES = st.tuples(st.floats(-60, W + 60), st.floats(-60, H + 60))
UNKNOWN = Landmarks(torch.full((6, 4, 2), torch.nan), torch.full((8, 2), torch.nan))
GRID = torch.stack(torch.meshgrid(torch.arange(W), torch.arange(H), indexing="xy"), dim=-1).double()


def box(top: int, left: int, bottom: int, right: int) -> torch.Tensor:
    x, y = GRID.unbind(dim=-1)
    return (x >= left) & (x < right) & (y >= top) & (y < bottom)


def painted(brush, *arguments, **options) -> tuple[torch.Tensor, torch.Tensor]:
    """An image before and after a brush."""
    before = picture()
    after = before.clone()
    brush(after, *arguments, **options)
    return before, after


@settings(max_examples=40, deadline=None)
@given(PLACES, st.floats(3, 30), st.floats(3, 30), st.floats(0, np.pi), st.floats(0, 1))
def test_a_shade_darkens_its_ellipse_alone(centre, along, across, angle, strength):
    before, after = painted(shade, centre, (along, across), angle, strength)
    assert (after <= before).all()
    assert (after >= before * (1 - strength) - 1e-6).all()
    x, y = (GRID - torch.tensor(centre)).unbind(dim=-1)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    outside = (u / along) ** 2 + (v / across) ** 2 >= 1.001
    assert torch.equal(after[outside], before[outside])


def test_a_shade_is_darkest_in_its_middle():
    before, after = painted(shade, (60.0, 100.0), (20.0, 10.0), 0.3, 0.6)
    assert (after[100, 60] / before[100, 60]).item() == pytest.approx(0.4, abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(PLACES, PLACES, st.floats(0.5, 8), st.floats(1, 8))
def test_a_rod_saturates_its_axis_and_touches_nothing_beyond_its_halo(start, end, radius, halo):
    before, after = painted(rod, start, end, radius, halo)
    assert (after >= before - 1e-6).all()
    assert after.max() <= 1 + 1e-6
    a, b = np.array(start), np.array(end)
    grid = GRID.numpy()
    share = np.clip(((grid - a) @ (b - a)) / max((b - a) @ (b - a), 1e-12), 0, 1)
    distance = torch.from_numpy(np.linalg.norm(grid - a - share[..., None] * (b - a), axis=-1))
    assert torch.equal(after[distance > radius + halo + 0.01], before[distance > radius + halo + 0.01])
    core = after[distance < radius - 0.51]
    assert core.numel() == 0 or core.min() > 0.999


@settings(max_examples=40, deadline=None)
@given(*[st.integers(-40, 300) for _ in range(4)])
def test_a_block_blanks_its_rectangle_alone(top, left, bottom, right):
    before, after = painted(block, top, left, bottom, right, 1.0)
    inside = box(top, left, bottom, right)
    assert (after[inside] == 1).all()
    assert torch.equal(after[~inside], before[~inside])


@settings(max_examples=40, deadline=None)
@given(PLACES, st.integers(7, 20), st.booleans())
def test_text_is_white_and_stays_in_its_box(corner, size, plate):
    before, after = painted(write, "L 27", size, corner, plate=plate)
    left, top = (int(v) for v in corner)
    rows, columns = text_mask("L 27", size).shape
    spot = box(top, left, top + rows, left + columns)
    assert torch.equal(after[~spot], before[~spot])
    assert plate or (after >= before).all()
    if spot.sum() == rows * columns:
        assert after[spot].max() > 0.9
        assert (after[spot].min() == 0) == plate


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_gas_darkens_l2_to_l5_and_what_lies_before_them(seed):
    corners, centres = spine()
    before, after = painted(add_gas, Landmarks(corners, centres), Draws(seeded(seed)))
    assert (after <= before).all()
    changed = torch.nonzero(after != before)
    width, height = Landmarks(corners, centres).body(SIZE)
    assert changed[:, 0].min() > corners[2, :, 1].min() - height - 0.7 * width
    assert changed[:, 1].min() > corners[:, :, 0].min() - width
    assert len(changed) > 20


def test_gas_needs_a_place():
    before, after = painted(add_gas, UNKNOWN, Draws(seeded(1)))
    assert torch.equal(before, after)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_metal_is_white_and_brightens_alone(seed):
    before, after = painted(add_metal, Landmarks(*spine()), Draws(seeded(seed)))
    assert (after >= before - 1e-6).all()
    assert after.max() <= 1 + 1e-6
    changed = (after - before).abs() > 1e-6
    assert 0 < changed.float().mean() < 0.2


def test_metal_without_landmarks_is_a_few_clips():
    before, after = painted(add_metal, UNKNOWN, Draws(seeded(1)))
    assert 0 < ((after - before).abs() > 1e-6).float().mean() < 0.05
    assert after.max() > 0.99


@settings(max_examples=60, deadline=None)
@given(SEEDS, shapes())
def test_blanked_steps_start_at_the_border_and_cover_no_body(seed, shape):
    corners = torch.from_numpy(corner_array(shape)).float()
    image = torch.full(shape.size, 0.5)
    add_blanks(
        image,
        Landmarks(corners, torch.cat([corners.mean(1)[:1], corners.mean(1), corners.mean(1)[-1:]])),
        Draws(seeded(seed)),
    )
    blank = image != 0.5
    middle = shape.size[1] // 2
    # From the front inwards blanked pixels never begin again after they ended; the same from the back.
    assert (blank[:, middle:].int().diff(dim=1) >= 0).all()
    assert (blank[:, :middle].int().diff(dim=1) <= 0).all()
    assert len(image[blank].unique()) <= 1
    weights = torch.rand(200, 4, generator=seeded(seed)).softmax(dim=1)
    bodies = torch.cat([weights @ corners[i] for i in range(6)] + [corners.flatten(0, 1)]).round().long()
    bodies = bodies[(bodies >= 0).all(dim=1) & (bodies[:, 0] < shape.size[1]) & (bodies[:, 1] < shape.size[0])]
    assert not blank[bodies[:, 1], bodies[:, 0]].any()


def test_blanked_steps_come_in_both_colours_above_in_front_and_below_behind():
    values, places = set(), set()
    for seed in range(60):
        image = torch.full(SIZE, 0.5)
        add_blanks(image, UNKNOWN, Draws(seeded(seed)))
        values |= set(image.unique().tolist()) - {0.5}
        blank = image != 0.5
        places |= {name for name, spot in {"front": blank[0, -1], "back": blank[-1, 0]}.items() if spot}
        assert not blank[0, 0]
        assert not blank[-1, -1]
    assert values == {0.0, 1.0}
    assert places == {"front", "back"}


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_text_lies_at_the_top_or_at_the_bottom(seed):
    size = (512, 256)
    before = picture(size=size)
    after = before.clone()
    add_text(after, Draws(seeded(seed)))
    rows = torch.nonzero((after != before).any(dim=1)).flatten()
    assert len(rows) > 0
    assert rows.max() < 0.2 * size[0] or rows.min() > 0.8 * size[0]
