"""The losses of VerteNet: penalty-reduced focal loss on heatmaps, L1 on offsets."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F

from .targets import Targets


def focal_loss(prediction: torch.Tensor, target: torch.Tensor, alpha: float = 2.0, beta: float = 4.0) -> torch.Tensor:
    """Penalty-reduced pixel-wise focal loss (CornerNet, equation 1), summed over the map, per Gaussian.

    ``prediction`` after the sigmoid and ``target`` are (B, k, h, w); cells where the target is exactly 1 are positive.
    """
    prediction = prediction.float().clamp(1e-4, 1 - 1e-4)
    positive = target.eq(1)
    gain = torch.where(
        positive,
        (1 - prediction) ** alpha * torch.log(prediction),
        (1 - target) ** beta * prediction**alpha * torch.log(1 - prediction),
    )
    return -gain.sum() / positive.sum().clamp(min=1)


def offset_loss(prediction: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted mean absolute error in cells where ``weight`` (B, 1, h, w) is positive; inputs (B, k, h, w)."""
    error = (prediction.float() - target).abs().mean(dim=1, keepdim=True)
    return (error * weight).sum() / weight.sum().clamp(min=1)


def total_loss(
    maps: Mapping[str, torch.Tensor], targets: Targets, faces_right: torch.Tensor
) -> tuple[torch.Tensor, dict[str, float]]:
    """The plain sum of all losses and its parts.

    ``faces_right`` (B,) bool: landmarks are taught on images that face right alone; the orientation head, where the
    network has one, on all.
    """
    keep = faces_right
    parts = {
        "hm": focal_loss(maps["hm"][keep], targets.hm[keep]),
        "reg": offset_loss(maps["reg"][keep], targets.reg[keep], targets.weight[keep]),
        "wh": offset_loss(maps["wh"][keep], targets.wh[keep], targets.weight[keep]),
    }
    if "level" in maps:
        parts["level"] = focal_loss(maps["level"][keep], targets.level[keep])
    if "anterior" in maps:
        parts["anterior"] = F.binary_cross_entropy_with_logits(maps["anterior"].float(), faces_right.float())
    return sum(parts.values()), {name: float(value.detach()) for name, value in parts.items()}
