"""Output heads: what is read from the decoder's stride-4 map and from the encoder's deepest map."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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

    def around(self, x: Tensor, places: Tensor) -> Tensor:
        """What `forward` gives at some places and their eight neighbours, without computing the rest.

        Offsets are read at a few peaks of a map, and taught at a few cells: two 7x7 convolutions over all of it would
        be a third of VerteNet's work. The patch under each place is cut out, and both convolutions run over it alone;
        beyond the border the hidden map is zero, as `forward` pads it.

        Parameters
        ----------
        x : (B, C, h, w)
        places : (B, n) int
            ``row * w + column``.

        Returns
        -------
        Tensor
            (B, n, outputs, 3, 3). At the places' neighbours beyond the border it means nothing.
        """
        first, _, last = self
        before, after = first.kernel_size[0] // 2, last.kernel_size[0] // 2
        h, w = x.shape[-2:]
        rows, columns = places // w, places % w
        hidden = F.relu(F.conv2d(patches_at(x, rows, columns, 1 + before + after), first.weight, first.bias))
        if after:
            hidden = hidden * _inside(rows, columns, 1 + after, (h, w)).to(hidden.dtype)
        values = F.conv2d(hidden, last.weight, last.bias).float()
        return values.unflatten(0, places.shape)


class SideHead(nn.Module):
    """One logit per image from the mean of the deepest map: positive where anterior is on the right."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.decide = nn.Linear(channels, 1)

    def forward(self, deepest: Tensor) -> Tensor:
        """(B, C, h, w) to (B,)."""
        return self.decide(torch.mean(deepest, dim=(2, 3))).squeeze(1).float()


def patches_at(x: Tensor, rows: Tensor, columns: Tensor, reach: int) -> Tensor:
    """(B * n, C, side, side): the squares of ``2 * reach + 1`` cells around (B, n) cells; zero beyond the border."""
    channels, w = x.shape[1], x.shape[3] + 2 * reach
    step = torch.arange(2 * reach + 1, device=x.device)
    index = (rows[..., None, None] + step[:, None]) * w + columns[..., None, None] + step
    cells = F.pad(x, (reach,) * 4).flatten(2)
    cut = cells.gather(2, index.flatten(1)[:, None].expand(-1, channels, -1))
    return cut.unflatten(2, index.shape[1:]).transpose(1, 2).flatten(0, 1)


def _inside(rows: Tensor, columns: Tensor, reach: int, shape: tuple[int, int]) -> Tensor:
    """(B * n, 1, side, side) bool: which cells of the squares around (B, n) cells lie on the map."""
    step = torch.arange(-reach, reach + 1, device=rows.device)
    r, c = rows.flatten()[:, None] + step, columns.flatten()[:, None] + step
    down, across = (r >= 0) & (r < shape[0]), (c >= 0) & (c < shape[1])
    return (down[:, None, :, None]) & (across[:, None, None, :])
