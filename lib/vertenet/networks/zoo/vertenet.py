"""VerteNet of the paper, and the light variant for two CPU cores."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ..fusion import PARTS
from ..vertenet import LEVEL_NAMES, Plan, VerteNet
from .registry import register

Parts = Sequence[Sequence[str]]


@register("vertenet")
def vertenet(
    *, input_size: Sequence[int] = (1024, 512), parts: Parts = (PARTS, PARTS, PARTS), pretrained: bool | str = False
) -> nn.Module:
    """The paper's network: 24.22 M parameters, 74.8 GMAC at 1024 x 512."""
    return VerteNet(Plan("tf_efficientnetv2_s", input_size, parts), pretrained=pretrained)


@register("vertenet-lite")
def vertenet_lite(
    *,
    input_size: Sequence[int] = (512, 256),
    parts: Parts = (PARTS, ("drca", "csa"), ()),
    pretrained: bool | str = False,
) -> nn.Module:
    """Half the image size, a smaller encoder, light heads, attention on the small maps; also maps of levels by name.

    Attention where it is cheap: a fusion block costs in proportion to its map, and attention in the stride-4 block
    would make a training step on a CPU 1.6 times as long.
    """
    plan = Plan("tf_efficientnetv2_b0", input_size, parts, hidden=64, corner_kernels=(5, 1), level_names=LEVEL_NAMES)
    return VerteNet(plan, pretrained=pretrained)
