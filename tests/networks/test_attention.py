"""What each attention may and may not mix. That the values are right, parity says."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vertenet.networks.attention import (
    ChannelTransformer,
    DualResolutionTransformer,
    GridAttention,
    PixelNorm,
    from_grid,
    to_grid,
)


@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
def test_cutting_into_the_grid_and_back_changes_nothing(batch, channels, rows, columns):
    x = torch.rand(batch, channels, 8 * rows, 8 * columns)
    tokens = to_grid(x)
    assert tokens.shape == (batch * rows * columns, channels, 64)
    assert torch.equal(from_grid(tokens, x.shape), x)


def test_the_tokens_of_a_position_are_that_pixel_of_every_patch():
    x = torch.arange(16 * 24).reshape(1, 1, 16, 24)
    patch_rows, patch_columns = 2, 3
    first_pixels = x[0, 0, ::patch_rows, ::patch_columns].flatten()
    assert torch.equal(to_grid(x)[0, 0], first_pixels)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 31), st.integers(0, 15))
def test_grid_attention_mixes_a_pixel_with_its_likes_in_other_patches_only(row, column):
    torch.manual_seed(0)
    x = torch.rand(1, 4, 32, 16, requires_grad=True)
    GridAttention()(x, x, torch.ones(1))[0, 0, row, column].backward()
    touched = x.grad.abs().sum(dim=(0, 1)) > 0
    rows, columns = 32 // 8, 16 // 8
    expected = torch.zeros(32, 16, dtype=torch.bool)
    expected[row % rows :: rows, column % columns :: columns] = True
    assert torch.equal(touched, expected)


def test_the_residual_of_cross_attention_starts_from_the_normalised_query_side():
    block = DualResolutionTransformer(4, (32, 16))
    torch.nn.init.zeros_(block.attention.join.weight)
    torch.nn.init.zeros_(block.feed_forward.narrow.weight)
    x, context = torch.rand(2, 4, 32, 16), torch.rand(2, 4, 32, 16)
    torch.testing.assert_close(block(x, context), block.norm2(block.norm1(x)))


def test_pixel_norm_is_over_the_pixels_of_one_channel():
    norm = PixelNorm(6, 4)
    torch.nn.init.uniform_(norm.weight)
    torch.nn.init.uniform_(norm.bias)
    x = torch.rand(2, 3, 6, 4)
    centred = (x - x.mean(dim=(2, 3), keepdim=True)) / (x.var(dim=(2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(norm(x), centred * norm.weight + norm.bias)


def test_channel_attention_does_not_care_where_a_pixel_lies():
    torch.manual_seed(0)
    block = ChannelTransformer(6)
    x = torch.rand(1, 6, 8, 8)
    order = torch.randperm(64)
    shuffled = x.flatten(2)[:, :, order].reshape(x.shape)
    straight, other = (block.attention(block.norm1(v)).flatten(2) for v in (x, shuffled))
    torch.testing.assert_close(other, straight[:, :, order], rtol=1e-4, atol=1e-6)


def test_memory_layout_does_not_change_the_function():
    torch.manual_seed(0)
    block = DualResolutionTransformer(4, (32, 16))
    x = torch.rand(2, 4, 32, 16)
    torch.testing.assert_close(block(x.contiguous(memory_format=torch.channels_last)), block(x))
