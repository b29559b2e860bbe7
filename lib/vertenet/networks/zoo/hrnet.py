"""HRNet (Sun et al., CVPR 2019): one heatmap per landmark, from a branch that stays at stride 4 throughout."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..encoders import create_encoder
from ..landmarks import CORNERS_EACH, POINTS, VERTEBRAE, LandmarkNetwork
from .registry import register


class HRNet(LandmarkNetwork):
    """HRNet for landmarks: encoder, 1x1 convolution, 24 heatmaps at stride 4, mean squared error.

    Differences from the published training: the target's Gaussian stands at the true position rather than at its
    cell, without which the quarter-pixel shift of the decoding has nothing to find (DARK, CVPR 2020); and the loss is
    divided by a Gaussian's own energy, so that its scale does not hang on the map's size: an empty map costs 1.

    Parameters
    ----------
    encoder : timm name of an HRNet
    input_size : (rows, columns)
    sigma : of the target's Gaussian, cells
    """

    def __init__(
        self, encoder: str, input_size: Sequence[int], sigma: float = 2.0, pretrained: bool | str = False
    ) -> None:
        super().__init__(input_size)
        self.sigma = sigma
        self.encoder = create_encoder(encoder, pretrained, strides=(self.stride,), feature_location="")
        # Only the stride-4 branch is read: the last exchange that feeds the other branches would never learn.
        last = self.encoder.stage4[-1]
        last.fuse_layers = last.fuse_layers[:1]
        self.head = nn.Conv2d(self.encoder.feature_info.channels()[0], POINTS, 1)
        nn.init.normal_(self.head.weight, std=0.001)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """``heatmaps`` (B, 24, h, w) of images (B, 3, H, W); h = H/4, w = W/4."""
        self.check_images(x)
        (finest,) = self.encoder(x)
        return {"heatmaps": self.head(finest).float()}

    def loss(self, maps: Mapping[str, Tensor], corners: Tensor) -> dict[str, Tensor]:
        heatmaps = maps["heatmaps"]
        known = self.known(corners).flatten(1)
        targets = gaussians(corners.flatten(1, 2) / self.stride, heatmaps.shape[-2:], self.sigma)
        energy = math.pi * self.sigma**2  # of a Gaussian of height 1, squared and summed over the plane
        error = (heatmaps - targets).square().sum(dim=(2, 3)) / energy
        return {"heatmaps": torch.where(known, error, 0).sum() / known.sum().clamp(min=1)}

    def landmarks(self, maps: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The confidence is the height of the peak, which the target's is 1."""
        cells, height = peaks(maps["heatmaps"])
        points = (cells * self.stride).unflatten(1, (VERTEBRAE, CORNERS_EACH))
        return points, height.clamp(0, 1).unflatten(1, (VERTEBRAE, CORNERS_EACH))


def gaussians(points: Tensor, grid: Sequence[int], sigma: float) -> Tensor:
    """(B, k, h, w) Gaussians of height 1 at (B, k, 2) points (x, y) in cells; zero for points that are NaN."""
    h, w = grid
    x, y = torch.nan_to_num(points, nan=torch.inf)[..., None].unbind(dim=2)
    across = torch.exp(-((torch.arange(w, device=x.device) - x) ** 2) / (2 * sigma**2))
    down = torch.exp(-((torch.arange(h, device=y.device) - y) ** 2) / (2 * sigma**2))
    return down[..., None] * across[..., None, :]


def peaks(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Highest cells of (B, k, h, w) maps, moved a quarter of a cell towards the higher neighbour on each axis.

    Returns
    -------
    positions (B, k, 2) in cells, (x, y), and heights (B, k)
    """
    w = heatmaps.shape[-1]
    heights, places = heatmaps.flatten(2).max(dim=-1)
    # Mirrored edges: a peak on the border has equal neighbours across it and does not move.
    framed = F.pad(heatmaps, (1, 1, 1, 1), mode="reflect").flatten(2)
    middle = ((places // w + 1) * (w + 2) + places % w + 1)[..., None]

    def slope(step: int) -> Tensor:
        return (framed.gather(2, middle + step) - framed.gather(2, middle - step)).squeeze(2).sign()

    cells = torch.stack([places % w, places // w], dim=-1).to(heatmaps.dtype)
    return cells + torch.stack([slope(1), slope(w + 2)], dim=-1) / 4, heights


@register("hrnet-w32")
def hrnet_w32(*, input_size: Sequence[int] = (1024, 512), pretrained: bool | str = False) -> nn.Module:
    """HRNet-W32: 24 heatmaps at stride 4, argmax with a quarter-pixel shift."""
    return HRNet("hrnet_w32", input_size, pretrained=pretrained)
