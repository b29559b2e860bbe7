"""The corner refiner: not a network of whole images but of crops of one vertebra, see `vertenet.inference.refine`."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ..refiner import RefinerNetwork
from .registry import register


@register("refiner", listed=False)
def refiner(*, input_size: Sequence[int] = (96, 96), width: int = 16, decoder: int = 32) -> nn.Module:
    """Crops (B, 2, 96, 96) to six points each with their expected errors."""
    return RefinerNetwork(input_size, width, decoder)
