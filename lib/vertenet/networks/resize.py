"""The same weights at another image size."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from .attention import PixelNorm
from .zoo import build


def resized(module: nn.Module, input_size: tuple[int, int]) -> nn.Module:
    """A network with the weights of ``module`` for images of another size.

    Everything convolutional and the 8 x 8 grid of attention carry over as they are; only per-pixel norms are tied to
    the size. Their weights and biases are resampled over (rows, columns), bilinearly between pixel centres and
    antialiased where they shrink. The result is a start for fine-tuning at that size rather than an equal network:
    what the convolutions learned of sizes in pixels does not scale.

    Parameters
    ----------
    module : a network from `build`
    input_size : (rows, columns)

    Returns
    -------
    torch.nn.Module
        A new module, in the mode (training or evaluation) of the old one.

    Raises
    ------
    OptionError
        The network cannot be built for that size.
    """
    name, options = module.built_as
    other = build(name, **{**options, "input_size": tuple(input_size)})
    state = module.state_dict()
    for path, part in other.named_modules():
        if isinstance(part, PixelNorm):
            for entry in (f"{path}.weight", f"{path}.bias"):
                state[entry] = _resample(state[entry], tuple(part.weight.shape))
    other.load_state_dict(state)
    return other.train(module.training)


def _resample(grid: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """(rows, columns) values to another size."""
    return F.interpolate(grid[None, None], size=size, mode="bilinear", align_corners=False, antialias=True)[0, 0]
