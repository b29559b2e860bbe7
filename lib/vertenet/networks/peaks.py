"""Networks as they are read: one tensor of grey images in, named tensors out, the same for every runtime.

Training wants dense maps; reading looks at a few peaks. `PeakView` finds the peaks in the graph itself and evaluates
the offset heads there alone, which gives what the dense maps hold at those places. Shapes do not hang on what an image
shows, so the graph can be exported, compiled and captured.
"""

from __future__ import annotations

import threading

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .refiner import RefinerNetwork
from .vertenet import VerteNet

#: Most peaks that are looked at: more than `vertenet.inference.decode` takes, so that it finds its own among them.
PEAKS = 28


class PeakView(nn.Module):
    """A VerteNet that answers with its heatmaps and the offsets at their peaks.

    Outputs: ``hm``, ``places`` (B, n) int64 flat cells, ``reg_at`` (B, n, 2, 3, 3) and
    ``wh_at`` (B, n, 8, 3, 3) there, ``deepest`` (B, C) the mean of each channel of the deepest map; with levels also
    ``level`` and ``anterior``.
    """

    def __init__(self, network: VerteNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, grey: Tensor) -> dict[str, Tensor]:
        """``grey``: (B, 1, H, W) in [-0.5, 0.5]."""
        network = self.network
        low, deepest = network.features(grey.expand(-1, 3, -1, -1))
        hm = torch.sigmoid(network.centre(low))
        level = torch.sigmoid(network.levels(low)) if network.level_names else None
        places = _peaks(hm if level is None else torch.maximum(hm, level.amax(dim=1, keepdim=True)), PEAKS)
        if level is not None:  # the authors' decoding ranks the heatmap alone
            places = torch.cat([places, _peaks(hm, 6)], dim=1)
        found = {
            "hm": hm,
            "places": places,
            "reg_at": network.offset.around(low, places),
            "wh_at": network.corners.around(low, places),
            "deepest": deepest.float().mean(dim=(2, 3)),
        }
        return found if level is None else {**found, "level": level, "anterior": network.side(deepest)}


class WholeView(nn.Module):
    """Any other network: what its ``forward`` returns, and ``deepest`` where it has an encoder."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        # Servers call from several threads, and a hook has no other way to hand its tensor back to its caller.
        self._deepest = threading.local()
        encoder = getattr(network, "encoder", None)
        if encoder is not None:
            encoder.register_forward_hook(self._keep)
        self._encodes = encoder is not None

    def forward(self, grey: Tensor) -> dict[str, Tensor]:
        """``grey``: (B, 1, H, W) in [-0.5, 0.5]."""
        found = {name: value.float() for name, value in self.network(grey.expand(-1, 3, -1, -1)).items()}
        return {**found, "deepest": self._deepest.value} if self._encodes else found

    def _keep(self, module, inputs, output) -> None:
        deepest = output[-1] if isinstance(output, (list, tuple)) else output
        self._deepest.value = deepest.float().mean(dim=(2, 3))


def view_of(network: nn.Module) -> nn.Module:
    """How a network of the zoo is read."""
    if isinstance(network, RefinerNetwork):
        return network
    return PeakView(network) if type(network) is VerteNet else WholeView(network)


def _peaks(evidence: Tensor, count: int) -> Tensor:
    """(B, count) flat cells of the highest local maxima (3x3) of (B, 1, h, w) maps that are not negative."""
    peaks = torch.where(evidence == F.max_pool2d(evidence, 3, 1, 1), evidence, torch.full_like(evidence, -1.0))
    return peaks.flatten(1).topk(count, dim=1).indices
