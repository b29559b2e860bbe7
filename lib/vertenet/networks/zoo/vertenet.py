"""VerteNet of the paper, the same with named levels, and the light variant for two CPU cores."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ..fusion import PARTS
from ..vertenet import LEVEL_NAMES, Plan, VerteNet
from .plans import ENCODER
from .registry import register

Parts = Sequence[Sequence[str]]


@register("vertenet")
def vertenet(
    *, input_size: Sequence[int] = (1024, 512), parts: Parts = (PARTS, PARTS, PARTS), pretrained: bool | str = False
) -> nn.Module:
    """The paper's network, as its checkpoint has it."""
    return VerteNet(Plan(ENCODER, input_size, parts), pretrained=pretrained)


@register("vertenet-levels")
def vertenet_levels(
    *, input_size: Sequence[int] = (1024, 512), parts: Parts = (PARTS, PARTS, PARTS), pretrained: bool | str = False
) -> nn.Module:
    """VerteNet with maps of the levels T10 to S1 by name and a head for the anterior side."""
    return VerteNet(Plan(ENCODER, input_size, parts, level_names=LEVEL_NAMES), pretrained=pretrained)


@register("vertenet-lite")
def vertenet_lite(
    *,
    input_size: Sequence[int] = (512, 256),
    parts: Parts = (PARTS, ("drca", "csa"), ()),
    encoder: str = "tf_efficientnetv2_b0",
    pretrained: bool | str = False,
) -> nn.Module:
    """Half the image size, EfficientNetV2-B0, light heads, attention on the small maps; levels by name.

    Attention where it is cheap: a fusion block costs in proportion to its map, and attention in the stride-4 block
    would make a training step on a CPU 1.6 times as long.
    """
    plan = Plan(encoder, input_size, parts, hidden=64, corner_kernels=(5, 1), level_names=LEVEL_NAMES)
    return VerteNet(plan, pretrained=pretrained)
