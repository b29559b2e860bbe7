"""Networks that answer with named points at once, without centres to decode: HRNet, NFDP and their like.

All other networks of the zoo are centre networks: their maps ``hm``, ``reg`` and ``wh`` (and ``level``) are taught by
`vertenet.learning.targets` and read by `vertenet.inference.decode`. A landmark network brings its own loss and its own
decoding, so that a method is one file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from .sizes import check_images, checked_size

#: Points of a landmark network: the corners SA, SP, IA, IP of each of T12, L1, L2, L3, L4, L5, in this order.
VERTEBRAE, CORNERS_EACH = 6, 4
POINTS = VERTEBRAE * CORNERS_EACH


class LandmarkNetwork(nn.Module, ABC):
    """Base of networks that know the 24 points by name.

    Positions are pixels of the frame, that is of the network's input: x to the right, y down. Vertebrae come in the
    order of `vertenet.spine.STANDARD_LEVELS`, corners in that of `vertenet.spine.CORNERS`. Images face right.

    Parameters
    ----------
    input_size : (rows, columns) of the images, multiples of 32, the deepest stride of the usual encoders
    stride : int
        Input pixels per cell of the finest map.

    Raises
    ------
    OptionError
        The size is not a multiple of 32.
    """

    level_names = None

    def __init__(self, input_size: Sequence[int], stride: int = 4) -> None:
        super().__init__()
        self.input_size = checked_size(input_size, 32)
        self.stride = stride

    @abstractmethod
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """What the network says of images (B, 3, rows, columns) in [-0.5, 0.5], under names of its own."""

    @abstractmethod
    def loss(self, maps: Mapping[str, Tensor], corners: Tensor) -> dict[str, Tensor]:
        """Parts of the loss by name; training minimises their sum.

        Parameters
        ----------
        maps : what `forward` returned for B images
        corners : (B, 6, 4, 2) frame pixels, NaN where unknown; points that are not `known` do not count
        """

    @abstractmethod
    def landmarks(self, maps: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Points (B, 6, 4, 2) in frame pixels, and how sure the network is of each, (B, 6, 4) in 0 to 1."""

    def known(self, corners: Tensor) -> Tensor:
        """(B, 6, 4) bool: the point is known and lies in the image."""
        rows, columns = self.input_size
        size = torch.tensor([columns, rows], dtype=corners.dtype, device=corners.device)
        return ((corners >= 0) & (corners <= size - 1)).all(dim=-1)  # a comparison with NaN is false

    def check_images(self, x: Tensor) -> None:
        """Raise ModelError unless ``x`` is (B, 3, rows, columns)."""
        check_images(x, self.input_size)
