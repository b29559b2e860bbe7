"""Attention of VerteNet: dual-resolution self and cross attention (DRSA, DRCA) and channel self-attention (CSA).

Every block maps feature maps (B, C, H, W) to a map of the same shape. The paper's figure draws average pooling for the
low-resolution path; the authors' published code uses maximum pooling, and so do their weights, so that is the default.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Halves a map's rows and columns: ``F.max_pool2d`` or ``F.avg_pool2d``, called with a map and 2.
Pool = Callable[[Tensor, int], Tensor]
#: Patches along each side of a map in grid attention; 8 x 8 patches are its 64 tokens.
GRID = 8


class PixelNorm(nn.Module):
    """Layer normalisation over the pixels of each channel, with one weight and one bias per pixel.

    ``weight`` and ``bias`` have shape (rows, columns), which ties the block to one map size;
    `vertenet.networks.resized` carries trained ones to another.
    """

    def __init__(self, rows: int, columns: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(rows, columns))
        self.bias = nn.Parameter(torch.zeros(rows, columns))

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels at each pixel."""

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        across_channels = x.permute(0, 2, 3, 1)
        return F.layer_norm(across_channels, self.weight.shape, self.weight, self.bias, self.eps).permute(0, 3, 1, 2)


class GatedFeedForward(nn.Module):
    """Gated depth-wise feed-forward: widen, 3x3 depth-wise, GELU(one half) times the other half, narrow. No biases."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = 2 * channels
        self.widen = nn.Conv2d(channels, 2 * hidden, 1, bias=False)
        self.depthwise = nn.Conv2d(2 * hidden, 2 * hidden, 3, padding=1, groups=2 * hidden, bias=False)
        self.narrow = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.depthwise(self.widen(x)).chunk(2, dim=1)
        return self.narrow(F.gelu(gate) * value)


def to_grid(x: Tensor) -> Tensor:
    """(B, C, H, W) to (B * H/8 * W/8, C, 64): the 64 patches that share a position inside their patch."""
    B, C, H, W = x.shape
    h, w = H // GRID, W // GRID
    return x.reshape(B, C, GRID, h, GRID, w).permute(0, 3, 5, 1, 2, 4).reshape(B * h * w, C, GRID * GRID)


def from_grid(tokens: Tensor, shape: torch.Size) -> Tensor:
    """Undo `to_grid`; ``shape`` is that of the map."""
    B, C, H, W = shape
    h, w = H // GRID, W // GRID
    return tokens.reshape(B, h, w, C, GRID, GRID).permute(0, 3, 4, 1, 5, 2).reshape(B, C, H, W)


class GridAttention(nn.Module):
    """Attention between the 64 patches of a map, separately at each position inside a patch.

    The projections mix patches, not channels: they are 64 -> 64 along the grid axis. Channels are the feature axis of
    the scores, which are cosines times ``temperature``.
    """

    def __init__(self) -> None:
        super().__init__()
        tokens = GRID * GRID
        self.query = nn.Linear(tokens, tokens, bias=False)
        self.key = nn.Linear(tokens, tokens, bias=False)
        self.value = nn.Linear(tokens, tokens, bias=False)

    def forward(self, x: Tensor, context: Tensor, temperature: Tensor) -> Tensor:
        ours = to_grid(x)
        theirs = ours if context is x else to_grid(context)
        query = F.normalize(self.query(ours), dim=1)
        key = F.normalize(self.key(theirs), dim=1)
        scores = (query.transpose(1, 2) @ key) * temperature
        mixed = self.value(theirs) @ scores.softmax(dim=-1).transpose(1, 2)
        return from_grid(mixed, x.shape)


class DualResolutionAttention(nn.Module):
    """Grid attention on a map and on its copy pooled 2x2, joined by a 1x1 convolution."""

    def __init__(self, channels: int, pool: Pool = F.max_pool2d) -> None:
        super().__init__()
        self.pool = pool
        self.temperature = nn.Parameter(torch.ones(1, 1, 1))
        self.high = GridAttention()
        self.low = GridAttention()
        self.raise_low = nn.ConvTranspose2d(channels, channels, 2, stride=2)
        self.join = nn.Conv2d(2 * channels, channels, 1, bias=False)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        small = self.pool(x, 2)
        small_context = small if context is x else self.pool(context, 2)
        high = self.high(x, context, self.temperature)
        low = self.raise_low(self.low(small, small_context, self.temperature))
        return self.join(torch.cat([high, low], dim=1))


class DualResolutionTransformer(nn.Module):
    """DRSA when called with one map, DRCA when called with a map and another as its context.

    One ``norm1`` serves both maps of DRCA. The residual starts from the *normalised* map, as in the authors' weights.

    Parameters
    ----------
    channels : int
    size : (rows, columns) of the map; both multiples of 16, so that the pooled copy divides into the grid
    pool : how the low-resolution copy is made
    """

    def __init__(self, channels: int, size: tuple[int, int], pool: Pool = F.max_pool2d) -> None:
        super().__init__()
        self.norm1 = PixelNorm(*size)
        self.attention = DualResolutionAttention(channels, pool)
        self.norm2 = PixelNorm(*size)
        self.feed_forward = GatedFeedForward(channels)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        x = self.norm1(x)
        context = x if context is None else self.norm1(context)
        x = self.norm2(x + self.attention(x, context))
        return x + self.feed_forward(x)


class ChannelAttention(nn.Module):
    """Attention between the channels of a map, in ``heads`` groups; cosines over the pixels."""

    def __init__(self, channels: int, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.query_key_value = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.project = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        B, C, H, W = x.shape
        query, key, value = self.query_key_value(x).reshape(B, 3, self.heads, C // self.heads, H * W).unbind(1)
        scores = F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).transpose(-2, -1)
        mixed = (scores * self.temperature).softmax(dim=-1) @ value
        return self.project(mixed.reshape(B, C, H, W))


class ChannelTransformer(nn.Module):
    """CSA: the usual pre-norm transformer with attention between channels."""

    def __init__(self, channels: int, heads: int = 2) -> None:
        super().__init__()
        self.norm1 = ChannelNorm(channels)
        self.attention = ChannelAttention(channels, heads)
        self.norm2 = ChannelNorm(channels)
        self.feed_forward = GatedFeedForward(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.feed_forward(self.norm2(x))
