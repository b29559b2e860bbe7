"""What the tests of the augmentation share: a spine in a small frame."""

from __future__ import annotations

import torch

from tests.strategies import SpineShape, corner_array

SIZE = (256, 128)


def spine(seed: int = 3, size: tuple[int, int] = SIZE) -> tuple[torch.Tensor, torch.Tensor]:
    """Corners (6, 4, 2) and centres (8, 2), T11 to S1, of a spine that faces right in an image of ``size``."""
    shape = SpineShape((1104, 402), depth=0.2, lordosis=0.8, tilt=0.0, noise=0.5, seed=seed)
    corners = torch.from_numpy(corner_array(shape)).float() * torch.tensor([size[1] / 402, size[0] / 1104])
    middles = corners.mean(dim=1)
    ends = [2 * middles[0] - middles[1], 2 * middles[-1] - middles[-2]]
    centres = torch.cat([ends[0][None], middles, ends[1][None]])
    inside = ((centres >= 0) & (centres < torch.tensor([size[1], size[0]]))).all(dim=1)
    return corners, torch.where(inside[:, None], centres, torch.nan)


def picture(seed: int = 0, size: tuple[int, int] = SIZE) -> torch.Tensor:
    """Grey values between 0.1 and 0.9 without a pattern."""
    return 0.1 + 0.8 * torch.rand(size, generator=torch.Generator().manual_seed(seed))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
