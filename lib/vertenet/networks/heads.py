"""Output heads: what is read from the decoder's stride-4 map and from the encoder's deepest map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Bias of a heatmap's last layer, so that an untrained network answers about 0.1 everywhere (RetinaNet's prior, as in
#: CenterNet and VerteNet): -log((1 - 0.1) / 0.1) rounded as the authors round it.
RARE = -2.19


class MapHead(nn.Sequential):
    """Convolution, ReLU, convolution: a (B, C, h, w) map to (B, outputs, h, w) values.

    Parameters
    ----------
    channels, hidden, outputs : widths
    kernels : sizes of the two convolutions
    bias : initial bias of the last layer; torch's own if None
    """

    def __init__(
        self, channels: int, hidden: int, outputs: int, kernels: tuple[int, int] = (3, 1), bias: float | None = None
    ) -> None:
        first, last = kernels
        super().__init__(
            nn.Conv2d(channels, hidden, first, padding=first // 2),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, outputs, last, padding=last // 2),
        )
        if bias is not None:
            nn.init.constant_(self[-1].bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        # Leaves mixed precision here: a bfloat16 sigmoid cannot tell 0.998 from 1, and losses take its logarithm.
        return super().forward(x).float()


class SideHead(nn.Module):
    """One logit per image from the mean of the deepest map: positive where anterior is on the right."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.decide = nn.Linear(channels, 1)

    def forward(self, deepest: Tensor) -> Tensor:
        """(B, C, h, w) to (B,)."""
        return self.decide(torch.mean(deepest, dim=(2, 3))).squeeze(1).float()
