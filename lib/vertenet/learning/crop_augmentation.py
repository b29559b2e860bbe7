"""Random windows and grey values for a batch of stored crops; points move with the pixels.

The window is the network's input cut from a stored crop after a random similarity: that is how a coarse stage that is
a little wrong presents a vertebra. Most draws are small and some reach the limits, as its errors do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..inference.crops import CROP_DEPTH
from .crops import OUTSIDE


@dataclass(frozen=True)
class CropAugmentation:
    """Limits of the random changes.

    Attributes
    ----------
    rotation : degrees
    scale, aspect : natural logarithms of the factor
    shift : vertebral depths
    tail : share of the windows that are drawn from the whole of these ranges, the others from a third of them
    gamma : natural logarithm of the exponent on grey values
    shading : how much brighter one side of the crop may be made than the other, as a share of the grey range
    noise : standard deviation, as a share of the grey range
    bend : standard deviation of a smooth displacement of the pixels, vertebral depths
    blur, median, sharpen, blank : chances of a Gaussian blur, of a 5 x 5 median, of unsharp masking and of a blanked
        rectangle
    blur_sigma : the widest blur, crop pixels

    Stretching, bending, blurring and sharpening are there for the predicted error more than for the points: it can only
    notice what it has been shown.
    """

    rotation: float = 12.0
    scale: float = 0.15
    aspect: float = 0.18
    shift: float = 0.15
    tail: float = 0.3
    gamma: float = 0.4
    shading: float = 0.3
    noise: float = 0.04
    bend: float = 0.03
    blur: float = 0.35
    blur_sigma: float = 2.0
    median: float = 0.12
    sharpen: float = 0.15
    blank: float = 0.12


#: No change at all: the window that a perfect coarse stage would ask for.
STILL = CropAugmentation(**dict.fromkeys(CropAugmentation.__dataclass_fields__, 0))


def windows(
    images: Tensor, points: Tensor, size: int, limits: CropAugmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Cut a random window from each stored crop and change its grey values.

    Parameters
    ----------
    images : (B, s, s) uint8
        As in `vertenet.learning.crops.Crops`.
    points : (B, k, 2) float
        Crop pixels; NaN unknown.
    size : int
        Side of the window, pixels.

    Returns
    -------
    inputs : (B, 2, size, size) float
        Grey values, about 0 to 1, and validity; what `vertenet.networks.refiner.RefinerNetwork` takes.
    points : (B, k, 2) float
        Window pixels.
    """
    batch, stored = len(images), images.shape[-1]

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator) * 2 - 1

    reach = torch.where(torch.rand(batch, generator=generator) < limits.tail, 1.0, 1 / 3)
    angle = uniform(batch) * reach * math.radians(limits.rotation)
    zoom, aspect = (uniform(batch) * reach * limit for limit in (limits.scale, limits.aspect))
    sx, sy = torch.exp(zoom + aspect), torch.exp(zoom - aspect)
    cos, sin = torch.cos(angle), torch.sin(angle)
    forward = torch.stack([torch.stack([sx * cos, -sx * sin], -1), torch.stack([sy * sin, sy * cos], -1)], -2)
    shift = (uniform(batch, 2) * reach[:, None] * limits.shift * CROP_DEPTH)[:, None]
    before, after = (stored - 1) / 2, (size - 1) / 2

    side = torch.arange(size, dtype=torch.float32) - after
    bend = _displacement(batch, size, limits.bend * reach, generator)
    asked = torch.stack(torch.meshgrid(side, side, indexing="xy"), dim=-1).reshape(1, -1, 2) - shift
    asked = asked + bend.permute(0, 2, 3, 1).reshape(batch, -1, 2)
    grid = (asked @ torch.linalg.inv(forward).transpose(1, 2)).reshape(batch, size, size, 2) / before
    valid = (images != OUTSIDE).float()[:, None]
    grey = images.float()[:, None] / 255
    level = (grey * valid).sum((1, 2, 3)) / valid.sum((1, 2, 3)).clamp_min(1)
    grey = torch.where(valid > 0, grey, level[:, None, None, None])
    # Bicubic, for a bilinear second sampling would make training crops softer than those that prediction cuts.
    grey = F.grid_sample(grey, grid, mode="bicubic", padding_mode="border", align_corners=True)[:, 0]
    valid = F.grid_sample(valid, grid, mode="nearest", align_corners=True)[:, 0]
    moved = _against((points - before) @ forward.transpose(1, 2) + shift + after, bend)

    grey = _grey_values(grey.clamp(0, 1), limits, uniform, generator)
    return torch.stack([grey * valid, valid], dim=1), moved


def _displacement(batch: int, size: int, depths: Tensor, generator: torch.Generator) -> Tensor:
    """(B, 2, size, size) smooth random displacements, pixels, of the standard deviations ``depths`` (B,)."""
    coarse = torch.randn(batch, 2, 5, 5, generator=generator) * (depths * CROP_DEPTH)[:, None, None, None]
    return F.interpolate(coarse, (size, size), mode="bicubic", align_corners=True)


def _against(points: Tensor, bend: Tensor) -> Tensor:
    """Where (B, k, 2) window pixels come to lie when pixel p of the window shows what was at p + bend(p)."""
    size, place = bend.shape[-1], points
    for _ in range(8):  # a fixed point: displacements change little over their own length
        grid = (place.nan_to_num(size / 2) / ((size - 1) / 2) - 1)[:, :, None]
        here = F.grid_sample(bend, grid, mode="bilinear", padding_mode="border", align_corners=True)[..., 0]
        place = points - here.transpose(1, 2)
    return place


def _blurred(grey: Tensor, sigma: Tensor) -> Tensor:
    """(B, s, s) each under a Gaussian of its own standard deviation ``sigma`` (B,), pixels; 0 leaves it."""
    reach = torch.arange(-6, 7, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (reach / sigma.clamp_min(1e-3)[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True))[:, None]
    padded = F.pad(grey[None], (6, 6, 6, 6), mode="replicate")
    lines = F.conv2d(padded, kernel[..., None, :], groups=len(grey))
    return F.conv2d(lines, kernel[..., :, None], groups=len(grey))[0]


def _median(grey: Tensor) -> Tensor:
    """(B, s, s) under a 5 x 5 median."""
    padded = F.pad(grey[:, None], (2, 2, 2, 2), mode="replicate")
    return F.unfold(padded, 5).median(dim=1).values.reshape(grey.shape)


def _grey_values(grey: Tensor, limits: CropAugmentation, uniform, generator: torch.Generator) -> Tensor:
    batch, size, _ = grey.shape
    each = (batch, 1, 1)

    def chance(share: float) -> Tensor:
        return (torch.rand(*each, generator=generator) < share).float()

    grey = grey ** torch.exp(uniform(*each) * limits.gamma)
    slope = torch.linspace(-0.5, 0.5, size)
    grey = grey + limits.shading * (uniform(*each) * slope[None, :, None] + uniform(*each) * slope[None, None, :])
    grey = _blurred(grey, (chance(limits.blur) * torch.rand(*each, generator=generator)).flatten() * limits.blur_sigma)
    flat = torch.nonzero(chance(limits.median).flatten()).flatten()
    if len(flat):
        grey = grey.index_copy(0, flat, _median(grey[flat]))
    amount = 3 * chance(limits.sharpen) * torch.rand(*each, generator=generator)
    grey = grey + amount * (grey - _blurred(grey, torch.full((batch,), 2.0)))
    amount = torch.rand(*each, generator=generator) * limits.noise
    grey = grey + amount * torch.randn(grey.shape, generator=generator)
    # A point that a blank hides keeps its place in the loss: this is where a large predicted error is learned.
    for i in torch.nonzero(chance(limits.blank).flatten()).flatten().tolist():
        width, height = (int(size * v) for v in 0.15 + 0.35 * torch.rand(2, generator=generator))
        left, top = (int(v) for v in (torch.rand(2, generator=generator) * 1.3 - 0.3) * size)
        rows, columns = slice(max(top, 0), max(top + height, 0)), slice(max(left, 0), max(left + width, 0))
        grey[i, rows, columns] = float(torch.rand(1, generator=generator) < 0.3)
    return grey
