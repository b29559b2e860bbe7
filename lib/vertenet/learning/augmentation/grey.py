"""What the pixels' grey values become: contrast curve, sharpness, noise, an inverted window."""

from __future__ import annotations

import math

import torch
from torchvision.transforms.v2 import functional as F

from ...imaging.contrast import evened
from .draws import Draws
from .ranges import Augmentation

_FIELD = (4, 3)  # rows and columns of the points between which exposure changes smoothly
_LEAST_BLUR = 0.4  # pixels; below it a Gaussian changes nothing that can be seen


def vary_grey_values(image: torch.Tensor, ranges: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """Make local contrast even at times; change gamma, evenness, contrast, brightness, sharpness and noise; at times
    invert the window.

    Parameters
    ----------
    image : (h, w) float in 0 to 1, of any size from 16 by 16
    ranges : Augmentation
        Its geometry and its artefacts are not looked at.
    generator : torch.Generator
        Decides everything.

    Returns
    -------
    (h, w) float in 0 to 1, a new tensor
    """
    draws = Draws(generator)
    if draws.happens(ranges.even):
        reach = draws.uniform(0.05, 0.16)
        image = torch.from_numpy(evened(image.numpy() * 255, reach) / 255)
    varied = F.adjust_gamma(image[None].clamp(0, 1), math.exp(draws.either_way(ranges.gamma)))
    if ranges.exposure:
        varied = varied * _uneven(varied.shape[-2:], ranges.exposure, draws)
    varied = F.adjust_contrast(varied, math.exp(draws.either_way(ranges.contrast)))
    varied = varied + draws.either_way(ranges.brightness)
    if draws.happens(ranges.blur):
        sigma = draws.uniform(min(_LEAST_BLUR, ranges.blur_sigma), ranges.blur_sigma)
        size = 2 * math.ceil(2.5 * sigma) + 1
        varied = F.gaussian_blur(varied, [size, size], [sigma, sigma])
    deviation = draws.uniform(0, ranges.noise)
    if deviation > 0:
        varied = varied + deviation * draws.normal(varied.shape)
    varied = varied.clamp(0, 1)
    return (F.invert(varied) if draws.happens(ranges.invert) else varied)[0]


def _uneven(size: tuple[int, int], strength: float, draws: Draws) -> torch.Tensor:
    """(1, h, w) smooth positive factors between exp(-strength) and exp(strength)."""
    points = torch.tensor([draws.either_way(strength) for _ in range(math.prod(_FIELD))]).reshape(1, *_FIELD)
    # Linear between few points: bicubic interpolation would leave the range.
    return torch.exp(F.resize(points, list(size), antialias=False))
