"""What must be known of a network to feed it and to read its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Layout:
    """The shape of a network, without the network.

    Attributes
    ----------
    input_size : (rows, columns) of its images
    stride : int
        Image pixels per map cell.
    level_names : tuple of str, or None
        Levels of the channels of ``level``.
    names_points : bool
        True for a `vertenet.networks.LandmarkNetwork`, which names its points itself.
    channels : int
        Of its input.
    """

    input_size: tuple[int, int]
    stride: int
    level_names: tuple[str, ...] | None = None
    names_points: bool = False
    channels: int = 1

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping) -> Layout:
        levels = data["level_names"]
        return cls(
            tuple(data["input_size"]),
            data["stride"],
            None if levels is None else tuple(levels),
            data["names_points"],
            data["channels"],
        )


class Runtime(Protocol):
    """Something that runs a network.

    Attributes
    ----------
    name : str
        One of `vertenet.inference.runtimes.RUNTIMES`.
    layout : Layout
    """

    name: str
    layout: Layout

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs by name, with the batch axis first, of (B, channels, rows, columns) float32 images; any B."""
        ...


def in_batches(run, images: np.ndarray, at_once: int) -> dict[str, np.ndarray]:
    """``run`` over at most ``at_once`` images at a time: the memory of a pass grows with its batch."""
    parts = [run(images[start : start + at_once]) for start in range(0, len(images), at_once)]
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
