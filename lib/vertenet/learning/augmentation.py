"""Random geometry and grey values for a training batch; landmarks move with the pixels.

Deliberately without mirror images among the landmark samples: orientation decides which corner is anterior. A few
mirrored images are made all the same, for the orientation head alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random changes; angles in degrees, the rest as fractions."""

    rotation: float = 8.0
    scale: float = 0.18
    aspect: float = 0.12
    shift: float = 0.10
    mirror: float = 0.2
    gamma: float = 0.5
    contrast: float = 0.4
    brightness: float = 0.15
    noise: float = 0.05
    blur: float = 0.3
    blank: float = 0.2


def augment(
    images: torch.Tensor,
    corners: torch.Tensor,
    centres: torch.Tensor,
    ranges: Augmentation,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Change a batch at random.

    Parameters
    ----------
    images : (B, h, w) float in 0 to 1
    corners : (B, 6, 4, 2) and centres : (B, 8, 2), pixels

    Returns
    -------
    images (B, h, w), corners, centres (NaN for centres that left the image), faces_right (B,) bool
    """
    batch, h, w = images.shape

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator) * 2 - 1

    angle = uniform(batch) * math.radians(ranges.rotation)
    zoom = torch.exp(uniform(batch) * ranges.scale)
    aspect = torch.exp(uniform(batch) * ranges.aspect)
    sx, sy = zoom * aspect, zoom / aspect
    cos, sin = torch.cos(angle), torch.sin(angle)
    # Forward map about the middle of the image: p' = A (p - m) + m + t, in pixels.
    forward = torch.stack([torch.stack([sx * cos, -sx * sin], -1), torch.stack([sy * sin, sy * cos], -1)], -2)
    middle = torch.tensor([(w - 1) / 2, (h - 1) / 2])
    shift = uniform(batch, 2) * ranges.shift * torch.tensor([w, h])

    def move(points: torch.Tensor) -> torch.Tensor:
        flat = points.reshape(batch, -1, 2) - middle
        return (flat @ forward.transpose(1, 2) + middle + shift[:, None]).reshape(points.shape)

    # grid_sample asks the inverse map, in coordinates from -1 to 1 (align_corners=True: pixel centres at the ends).
    inverse = torch.linalg.inv(forward)
    half = middle
    theta = torch.cat(
        [
            inverse * half[None, None, :] / half[None, :, None],
            (-(inverse @ shift[..., None])[..., 0] / half)[..., None],
        ],
        dim=-1,
    )
    grid = F.affine_grid(theta, [batch, 1, h, w], align_corners=True)
    border = "border" if float(torch.rand(1, generator=generator)) < 0.3 else "zeros"
    moved = F.grid_sample(images[:, None], grid, mode="bilinear", padding_mode=border, align_corners=True)[:, 0]
    corners, centres = move(corners), move(centres)
    gone = (centres < 0).any(-1) | (centres[..., 0] >= w) | (centres[..., 1] >= h)
    centres = torch.where(gone[..., None], torch.nan, centres)

    moved = _grey_values(moved, ranges, uniform, generator)
    faces_right = torch.rand(batch, generator=generator) >= ranges.mirror
    moved = torch.where(faces_right[:, None, None], moved, moved.flip(-1))
    return moved, corners, centres, faces_right


def _grey_values(images: torch.Tensor, ranges: Augmentation, uniform, generator: torch.Generator) -> torch.Tensor:
    batch, h, w = images.shape
    per_image = (batch, 1, 1)
    images = images.clamp(0, 1) ** torch.exp(uniform(*per_image) * ranges.gamma)
    images = (images - 0.5) * torch.exp(uniform(*per_image) * ranges.contrast) + 0.5
    images = images + uniform(*per_image) * ranges.brightness
    blurred = F.avg_pool2d(images[:, None], 3, stride=1, padding=1, count_include_pad=False)[:, 0]
    mix = (torch.rand(*per_image, generator=generator) < ranges.blur).float()
    images = images + mix * (blurred - images)
    amount = torch.rand(*per_image, generator=generator) * ranges.noise
    images = images + amount * torch.randn(images.shape, generator=generator)
    for b in range(batch):
        if float(torch.rand(1, generator=generator)) < ranges.blank:
            top, width = (int(v) for v in torch.rand(2, generator=generator) * torch.tensor([h, w * 0.35]))
            tall = int(h * 0.25 * torch.rand(1, generator=generator)) + 1
            value = float(torch.rand(1, generator=generator) < 0.5)
            side = slice(w - width, w) if float(torch.rand(1, generator=generator)) < 0.7 else slice(0, width)
            images[b, top : top + tall, side] = value
    return images.clamp(0, 1)
