"""The refiner: a crop of one vertebra to its six points and the error to expect of each.

A small residual encoder with a top-down path (feature pyramid, Lin et al. 2017) ends in one heatmap a point at half the
crop's resolution. A point is the mean of its heatmap taken as a distribution ("soft-argmax", DSNT: Nibali et al. 2018),
which resolves fractions of a cell and lets the error in pixels train the network. Its expected error is read from the
features under the heatmap and from the heatmap's own spread.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Points of a vertebra: four corners and two mid-endplate points.
POINT_COUNT = 6
#: Predicted errors are kept between e^-3 = 0.05 and e^3 = 20 crop pixels, so that no crop can dominate a batch.
LOG_SIGMA_LIMIT = 3.0


class RefinerNetwork(nn.Module):
    """Crops to points.

    Parameters
    ----------
    input_size : (rows, columns), multiples of 16
    width : int
        Channels at half resolution; doubled at each of three further halvings.
    decoder : int
        Channels of the top-down path.

    ``forward`` takes (B, 2, rows, columns): grey values in any unit, and 1 where the crop has a pixel of the image, 0
    where it has not. Grey values are standardised here, crop by crop, so neither brightness nor contrast matters. It
    returns

    ``points`` (B, 6, 2)
        (x, y) in crop pixels, in the order SA, SP, IA, IP, SM, IM.
    ``log_sigma`` (B, 6)
        Logarithm of the expected absolute error of a coordinate, crop pixels.
    ``heat`` (B, 6, rows / 2, columns / 2)
        Logits of the heatmaps.
    """

    stride = 2
    level_names = None

    def __init__(self, input_size: Sequence[int] = (96, 96), width: int = 16, decoder: int = 32) -> None:
        super().__init__()
        self.input_size = tuple(input_size)
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.stem = _convolution(2, width, kernel=5, stride=2)
        self.stages = nn.ModuleList()
        incoming = width
        for depth, channels in enumerate(widths):
            first = _Residual(incoming, channels, stride=1 if depth == 0 else 2)
            self.stages.append(first if depth == 0 else nn.Sequential(first, _Residual(channels, channels)))
            incoming = channels
        self.lateral = nn.ModuleList(nn.Conv2d(channels, decoder, 1) for channels in widths)
        self.smooth = nn.ModuleList(_convolution(decoder, decoder) for _ in widths[:-1])
        self.heat = nn.Sequential(_convolution(decoder, decoder), nn.Conv2d(decoder, POINT_COUNT, 1))
        self.doubt = nn.Sequential(nn.Linear(decoder + 2, decoder), nn.ReLU(inplace=True), nn.Linear(decoder, 1))

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        x = self.stem(standardised(crops))
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        x = self.lateral[-1](maps[-1])
        for i in reversed(range(len(self.smooth))):
            x = self.smooth[i](self.lateral[i](maps[i]) + F.interpolate(x, scale_factor=2.0, mode="nearest"))
        # Leaves mixed precision here: bfloat16 cannot tell cell 47 from 47.1.
        with torch.autocast(x.device.type, enabled=False):
            heat, features = self.heat(x.float()), x.float()
            return {**self._read(heat, features), "heat": heat}

    def _read(self, heat: Tensor, features: Tensor) -> dict[str, Tensor]:
        share = heat.flatten(2).softmax(dim=-1)
        cells = cell_centres(heat.shape[-2:], self.stride, heat.device)
        points = share @ cells
        spread = (share @ cells.square() - points.square()).clamp_min(0.1).log()
        under = share @ features.flatten(2).transpose(1, 2)
        log_sigma = self.doubt(torch.cat([under, spread], dim=-1)).squeeze(-1)
        return {"points": points, "log_sigma": log_sigma.clamp(-LOG_SIGMA_LIMIT, LOG_SIGMA_LIMIT)}


def standardised(crops: Tensor) -> Tensor:
    """Grey values less their mean over their standard deviation, both over the valid pixels of each crop; else 0."""
    grey, valid = crops[:, :1], crops[:, 1:]
    count = valid.sum(dim=(2, 3), keepdim=True).clamp_min(1.0)
    centred = (grey - (grey * valid).sum(dim=(2, 3), keepdim=True) / count) * valid
    deviation = (centred.square().sum(dim=(2, 3), keepdim=True) / count).sqrt()
    # A crop of one grey stays flat instead of being divided by nothing.
    return torch.cat([centred / deviation.clamp_min(1e-6), valid], dim=1)


def cell_centres(shape: Sequence[int], stride: int, device: torch.device | None = None) -> Tensor:
    """(h * w, 2) positions (x, y), in crop pixels, of the middles of a map's cells; a cell covers ``stride`` pixels."""
    rows, columns = (torch.arange(n, device=device) * stride + (stride - 1) / 2 for n in shape)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=-1)


def _convolution(incoming: int, outgoing: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(incoming, outgoing, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outgoing),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    """Two convolutions and a shortcut (He et al. 2016, the basic block)."""

    def __init__(self, incoming: int, outgoing: int, stride: int = 1) -> None:
        super().__init__()
        self.first = _convolution(incoming, outgoing, stride=stride)
        self.second = nn.Sequential(nn.Conv2d(outgoing, outgoing, 3, padding=1, bias=False), nn.BatchNorm2d(outgoing))
        self.shortcut = nn.Identity()
        if stride != 1 or incoming != outgoing:
            self.shortcut = nn.Sequential(
                nn.Conv2d(incoming, outgoing, 1, stride, bias=False), nn.BatchNorm2d(outgoing)
            )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(self.first(x)) + self.shortcut(x))
