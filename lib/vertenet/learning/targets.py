"""Training targets on the network's grid: Gaussian heatmaps and offsets (CenterNet; VerteNet's three heads).

Positions come in grid cells: frame pixels divided by the network's stride. Channel order of ``wh`` is the authors',
see `vertenet.inference.decode.WH_CORNERS`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch

from ..inference.decode import WH_CORNERS
from ..spine import CORNERS, STANDARD_LEVELS, UPPER_THORACIC
from .samples import BODIES

_SIX = len(STANDARD_LEVELS)
_ABOVE = slice(BODIES.index(UPPER_THORACIC[0]), BODIES.index(UPPER_THORACIC[-1]) + 1)
_OTHERS_SHARE = 0.3
_TO_WH_ORDER = [CORNERS.index(name) for name in WH_CORNERS]


@dataclass(frozen=True, eq=False)
class Targets:
    """What the heads should say for a batch of B images on an h by w grid.

    Attributes
    ----------
    hm : (B, 1, h, w) Gaussians of T12 to L5, overlapping by maximum
    level : (B, 9, h, w) Gaussians of all bodies above T11, then one map per level of `CENTRE_LEVELS`
    reg : (B, 2, h, w) centre minus cell
    wh : (B, 8, h, w) centre minus corner, (x, y) pairs
    weight : (B, 1, h, w) where ``reg`` and ``wh`` are taught, 0 to 1
    places : (B, n) int, ``row * w + column`` of the cell of each vertebra, 0 for those that are not usable; all weight
        lies there and, with a ``spread`` of 1, at their eight neighbours
    taught : (B, 9) bool, levels of which it is known whether and where they are; ``level`` teaches nothing of others
    """

    hm: torch.Tensor
    level: torch.Tensor
    reg: torch.Tensor
    wh: torch.Tensor
    weight: torch.Tensor
    places: torch.Tensor
    taught: torch.Tensor

    def __getitem__(self, images: slice) -> Targets:
        """The targets of some of the images."""
        return Targets(*(getattr(self, item.name)[images] for item in fields(self)))


def gaussian_radius(height: torch.Tensor, width: torch.Tensor, iou: float = 0.7) -> torch.Tensor:
    """Largest corner displacement that keeps the intersection over union of a box at ``iou`` (CornerNet, section 3.2).

    The least of the three cases (both corners move in, both out, one of each); cells in, cells out.
    """
    total, area = height + width, height * width
    mixed = (total - torch.sqrt(total**2 - 4 * area * (1 - iou) / (1 + iou))) / 2
    inner = (total - torch.sqrt(total**2 - 4 * area * (1 - iou))) / 4
    outer = (-iou * total + torch.sqrt((iou * total) ** 2 + 4 * iou * (1 - iou) * area)) / (4 * iou)
    return torch.minimum(torch.minimum(mixed, inner), outer)


def make_targets(
    corners: torch.Tensor,
    centres: torch.Tensor,
    grid: tuple[int, int],
    spread: int = 1,
    taught: torch.Tensor | None = None,
) -> Targets:
    """Targets of a batch, on the device of ``corners``.

    Parameters
    ----------
    corners : (B, n, 4, 2) cells, NaN where unknown; T12 to L5, then any of the others of `BODIES`, in their order
    centres : (B, 8, 2) cells, NaN where unknown or outside
    grid : (h, w)
    spread : int
        Offsets are taught at every cell at most this far from the centre's (0: the authors', at the centre alone).
    taught : (B, 9) bool, optional
        See `Targets`; default all.
    """
    h, w = grid
    batch = len(corners)
    middle = corners.mean(dim=2)
    size = torch.tensor([w, h], dtype=middle.dtype, device=middle.device)
    usable = torch.isfinite(corners).flatten(2).all(dim=-1) & _inside(middle, size)
    radius = _radii(corners)
    bells = _gaussians(torch.where(usable[..., None], middle, torch.nan), radius, grid)
    hm = bells[:, :_SIX].amax(dim=1, keepdim=True)
    above = bells[:, _ABOVE].amax(dim=1, keepdim=True) if corners.shape[1] > _SIX else torch.zeros_like(hm)
    levels = torch.cat([above, _gaussians(centres, _centre_radii(radius[:, :_SIX]), grid)], dim=1)

    reg, wh, weight = (middle.new_zeros(batch, channels, h, w) for channels in (2, 8, 1))
    taught = torch.ones_like(levels[..., 0, 0], dtype=torch.bool) if taught is None else taught
    offsets = (middle[:, :, None] - corners[:, :, _TO_WH_ORDER]).flatten(2)
    image, vertebra = torch.nonzero(usable, as_tuple=True)
    cell = middle[image, vertebra].floor().long()
    steps = [(dr, dc) for dr in range(-spread, spread + 1) for dc in range(-spread, spread + 1)]
    # The centre's own cell comes last, so that it wins over the surroundings of a close neighbour.
    for dr, dc in sorted(steps, key=lambda step: step == (0, 0)):
        r, c = cell[:, 1] + dr, cell[:, 0] + dc
        keep = (r >= 0) & (r < h) & (c >= 0) & (c < w)
        b, v, r, c = image[keep], vertebra[keep], r[keep], c[keep]
        # The other bodies are taught for the count and the scale; precision is wanted of T12 to L5.
        share = torch.where(v < _SIX, 1.0, _OTHERS_SHARE)
        weight[b, 0, r, c] = share if (dr, dc) == (0, 0) else 0.5 * share
        reg[b, :, r, c] = middle[b, v] - torch.stack([c, r], dim=-1).to(middle.dtype)
        wh[b, :, r, c] = offsets[b, v]
    whole = torch.where(usable[..., None], middle, 0).floor().long()
    return Targets(hm, levels, reg, wh, weight, whole[..., 1] * w + whole[..., 0], taught)


def _inside(points: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    return ((points >= 0) & (points < size)).all(dim=-1)


def _radii(corners: torch.Tensor) -> torch.Tensor:
    """(B, n) Gaussian radius of each vertebra from its mean height and mean width; NaN where unknown."""
    sa, sp, ia, ip = corners.unbind(dim=2)
    height = (torch.linalg.vector_norm(sa - ia, dim=-1) + torch.linalg.vector_norm(sp - ip, dim=-1)) / 2
    width = (torch.linalg.vector_norm(sa - sp, dim=-1) + torch.linalg.vector_norm(ia - ip, dim=-1)) / 2
    return gaussian_radius(height, width).floor().clamp(min=1)


def _centre_radii(radius: torch.Tensor) -> torch.Tensor:
    """(B, 8): T11 and S1 borrow the mean radius of the six between them (their corners are not taught)."""
    mean = torch.nanmean(radius, dim=1, keepdim=True)
    mean = torch.where(torch.isfinite(mean), mean, torch.full_like(mean, 2.0))
    six = torch.where(torch.isfinite(radius), radius, mean)
    return torch.cat([mean, six, mean], dim=1)


def _gaussians(points: torch.Tensor, radius: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """(B, k, h, w): one Gaussian per point at its integer cell, sigma a sixth of the diameter; zero for NaN points."""
    h, w = grid
    cell = points.floor()
    sigma = ((2 * radius + 1) / 6)[..., None, None]
    dx = torch.arange(w, device=points.device)[None, None, None, :] - cell[..., 0, None, None]
    dy = torch.arange(h, device=points.device)[None, None, :, None] - cell[..., 1, None, None]
    bell = torch.exp(-(dx**2 + dy**2) / (2 * sigma**2))
    return torch.nan_to_num(bell, nan=0.0)
