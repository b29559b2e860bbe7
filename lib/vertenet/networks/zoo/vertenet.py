"""VerteNet of the paper, and the light variant for two CPU cores."""

from __future__ import annotations

from torch import nn

from ..vertenet import LEVEL_NAMES, Plan, VerteNet
from .registry import register


@register("vertenet")
def vertenet(*, input_size: tuple[int, int] = (1024, 512), pretrained: bool | str = False) -> nn.Module:
    """The paper's network: 24.22 M parameters, 74.8 GMAC at 1024 x 512."""
    return VerteNet(Plan("tf_efficientnetv2_s", tuple(input_size)), pretrained=pretrained)


@register("vertenet-lite")
def vertenet_lite(
    *,
    input_size: tuple[int, int] = (512, 256),
    pretrained: bool | str = False,
    parts: tuple[tuple[str, ...], ...] = (("drsa", "drca", "csa"), ("drsa", "drca", "csa"), ()),
    widths: tuple[int, int, int] = (112, 48, 32),
) -> nn.Module:
    """Half the image size, a smaller encoder, no attention on the largest map, and maps of the levels by name."""
    plan = Plan(
        encoder="tf_efficientnetv2_b0",
        input_size=tuple(input_size),
        widths=tuple(widths),
        parts=tuple(tuple(p) for p in parts),
        hidden=64,
        corner_kernels=(5, 1),
        level_names=LEVEL_NAMES,
    )
    return VerteNet(plan, pretrained=pretrained)
