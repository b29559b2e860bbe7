"""Multi-context feature fusion (MCFB): joins a decoder map with the encoder's map of twice its size."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .attention import ChannelTransformer, DualResolutionTransformer

#: The attention parts of a fusion block, in the order in which they run.
PARTS = ("drsa", "drca", "csa")
Form = Literal["code", "figure"]
#: The block as the authors' code has it, which made their weights, and as the paper's figure draws it.
FORMS: tuple[str, ...] = get_args(Form)


def conv_norm_relu(channels: int, width: int, kernel: int) -> nn.Sequential:
    """Convolution with bias, batch normalisation, ReLU; keeps the map's size."""
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel, padding=kernel // 2), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )


class Fusion(nn.Module):
    """One MCFB.

    ``low`` is upsampled to ``skip``'s size and brought to its width. Each map attends to itself (DRSA), then to the
    other (DRCA). Both are concatenated and mixed by a 1x1 convolution, and the channels attend to each other (CSA).

    The paper's figure differs from the authors' code: DRSA and DRCA pool by the average, not the maximum, and the
    channels attend to each other before a 3x3 convolution mixes them.

    Parameters
    ----------
    low_channels, skip_channels : int
        Widths of the decoder's and the encoder's map; the block's output has the latter.
    size : (rows, columns) of the encoder's map
    parts : subset of `PARTS`
        Which attentions there are; none of them is the plain fusion of the paper's ablation.
    form : {"code", "figure"}
    """

    def __init__(
        self,
        low_channels: int,
        skip_channels: int,
        size: tuple[int, int],
        parts: Collection[str] = PARTS,
        form: Form = "code",
    ) -> None:
        super().__init__()
        width = skip_channels
        drawn = form == "figure"
        pool = F.avg_pool2d if drawn else F.max_pool2d
        self.lift = conv_norm_relu(low_channels, width, 3)
        if "drsa" in parts:
            self.self_low = DualResolutionTransformer(width, size, pool)
            self.self_skip = DualResolutionTransformer(width, size, pool)
        if "drca" in parts:
            self.cross_low = DualResolutionTransformer(width, size, pool)
            self.cross_skip = DualResolutionTransformer(width, size, pool)
        self.merge = conv_norm_relu(2 * width, width, 3 if drawn else 1)
        if "csa" in parts:
            self.channels = ChannelTransformer(2 * width if drawn else width)
        self.parts = tuple(part for part in PARTS if part in parts)
        self.form = form

    def forward(self, low: Tensor, skip: Tensor) -> Tensor:
        low = self.lift(F.interpolate(low, size=skip.shape[-2:], mode="bilinear", align_corners=False))
        if "drsa" in self.parts:
            low, skip = self.self_low(low), self.self_skip(skip)
        if "drca" in self.parts:
            low, skip = self.cross_low(low, skip), self.cross_skip(skip, low)
        both = torch.cat([skip, low], dim=1)
        if "csa" not in self.parts:
            return self.merge(both)
        return self.merge(self.channels(both)) if self.form == "figure" else self.channels(self.merge(both))
