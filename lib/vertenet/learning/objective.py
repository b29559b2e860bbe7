"""What a network is taught with a batch: the one place that knows centre networks from landmark networks."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..networks.landmarks import VERTEBRAE, LandmarkNetwork
from ..networks.vertenet import VerteNet
from .feed import Batch
from .losses import Counts, count, total_loss
from .processes import summed
from .targets import make_targets


class Objective:
    """The loss of a step's images, of which this process has a share that it goes through in parts.

    The losses of all parts of all processes add up to the loss that one process would have of the whole (for a landmark
    network, whose loss knows only its own part: exactly so where every part knows as many landmarks).

    Parameters
    ----------
    network : of the zoo
    batch : Batch
        This process's share of the step.
    spread : int
        See `make_targets`.
    """

    def __init__(self, network: nn.Module, batch: Batch, spread: int) -> None:
        self.network, self.batch = network, batch
        self.spread = spread
        if isinstance(network, LandmarkNetwork):
            self.images = float(summed(torch.tensor(float(len(batch.images)), device=batch.images.device)))
            return
        grid = tuple(n // network.stride for n in network.input_size)
        corners, centres = batch.corners / network.stride, batch.centres / network.stride
        self.targets = make_targets(corners, centres, grid, spread, batch.taught)
        self.counts = Counts(*summed(count(self.targets, batch.faces_right)).clamp(min=1))

    def places(self, part: slice) -> tuple[Tensor, ...]:
        """What `VerteNet.forward` is to be given besides the images of ``part``: where their offsets are taught."""
        if self.spread > 1 or not isinstance(self.network, VerteNet):
            return ()
        return (self.targets.places[part],)

    def __call__(self, maps: Mapping[str, Tensor], part: slice) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of the images of ``part`` from their maps, and its parts by name, detached."""
        if isinstance(self.network, LandmarkNetwork):
            corners = self.batch.corners[part, :VERTEBRAE]
            share = len(corners) / self.images
            parts = {name: value * share for name, value in self.network.loss(maps, corners).items()}
            return sum(parts.values()), {name: value.detach() for name, value in parts.items()}
        return total_loss(maps, self.targets[part], self.batch.faces_right[part], self.counts)
