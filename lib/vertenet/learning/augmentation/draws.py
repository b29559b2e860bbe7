"""Random numbers as the augmentation needs them: plain Python values from one torch generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch

T = TypeVar("T")


class Draws:
    """Draws from ``generator`` and from nothing else, so that its state alone decides what comes."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def either_way(self, most: float) -> float:
        """From ``-most`` to ``most``."""
        return self.uniform(-most, most)

    def happens(self, probability: float) -> bool:
        """Never at 0, always at 1."""
        return self.uniform(0.0, 1.0) < probability

    def integer(self, low: int, high: int) -> int:
        """From ``low`` to ``high``, both included."""
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def choice(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]

    def normal(self, shape: Sequence[int]) -> torch.Tensor:
        return torch.randn(tuple(shape), generator=self.generator)
