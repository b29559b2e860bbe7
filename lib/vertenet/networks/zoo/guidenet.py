"""GuideNet (DICTA 2021): VerteNet's predecessor, with the same heads, targets, losses and decoding."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ..vertenet import Plan, VerteNet
from .plans import PLAIN
from .registry import register


@register("guidenet")
def guidenet(*, input_size: Sequence[int] = (1024, 512), pretrained: bool | str = False) -> nn.Module:
    """GuideNet: ResNet34 with plain fusion 512, 256, 128, 64."""
    network = VerteNet(Plan("resnet34", input_size, PLAIN), pretrained=pretrained)
    # As in the Vertebra-Landmark-Detection (ISBI 2020) that it follows: the heads of offsets begin without biases.
    for head in (network.offset, network.corners):
        for layer in head.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.zeros_(layer.bias)
    return network
