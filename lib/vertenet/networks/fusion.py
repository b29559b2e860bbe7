"""Multi-context feature fusion (MCFB): joins a decoder map with the encoder's map of twice its size."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .attention import ChannelTransformer, DualResolutionTransformer

#: The attention parts of a fusion block, in the order in which they run.
PARTS = ("drsa", "drca", "csa")


def conv_norm_relu(channels: int, width: int, kernel: int) -> nn.Sequential:
    """Convolution with bias, batch normalisation, ReLU; keeps the map's size."""
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel, padding=kernel // 2), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )


class Fusion(nn.Module):
    """One MCFB.

    ``low`` is upsampled to ``skip``'s size and brought to its width. Each map attends to itself (DRSA), then to the
    other (DRCA). Both are concatenated and mixed by a 1x1 convolution, and the channels attend to each other (CSA).

    Parameters
    ----------
    low_channels, skip_channels : int
        Widths of the decoder's and the encoder's map; the block's output has the latter.
    size : (rows, columns) of the encoder's map
    parts : subset of `PARTS`
        Which attentions there are; none of them is the plain fusion of the paper's ablation.
    """

    def __init__(
        self,
        low_channels: int,
        skip_channels: int,
        size: tuple[int, int],
        parts: Collection[str] = PARTS,
    ) -> None:
        super().__init__()
        width = skip_channels
        self.lift = conv_norm_relu(low_channels, width, 3)
        if "drsa" in parts:
            self.self_low = DualResolutionTransformer(width, size)
            self.self_skip = DualResolutionTransformer(width, size)
        if "drca" in parts:
            self.cross_low = DualResolutionTransformer(width, size)
            self.cross_skip = DualResolutionTransformer(width, size)
        self.merge = conv_norm_relu(2 * width, width, 1)
        if "csa" in parts:
            self.channels = ChannelTransformer(width)
        self.parts = tuple(part for part in PARTS if part in parts)

    def forward(self, low: Tensor, skip: Tensor) -> Tensor:
        low = self.lift(F.interpolate(low, size=skip.shape[-2:], mode="bilinear", align_corners=False))
        if "drsa" in self.parts:
            low, skip = self.self_low(low), self.self_skip(skip)
        if "drca" in self.parts:
            low, skip = self.cross_low(low, skip), self.cross_skip(skip, low)
        merged = self.merge(torch.cat([skip, low], dim=1))
        return self.channels(merged) if "csa" in self.parts else merged
