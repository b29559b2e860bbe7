"""The losses of VerteNet: penalty-reduced focal loss on heatmaps, L1 on offsets.

Every loss is a sum divided by a count of what was taught. The counts may be given: a batch that is spread over
processes or gone through in parts is divided by the counts of the whole, so that the parts add up to its loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..networks.heads import patches_at
from .targets import Targets


class Counts(NamedTuple):
    """By what the losses of a batch are divided; 0-dimensional tensors, at least 1.

    Attributes
    ----------
    centres : vertebrae that the heatmap teaches
    offsets : sum of the weights of the cells that teach offsets
    levels : centres that the level maps teach
    images : images, whichever way they face
    """

    centres: Tensor
    offsets: Tensor
    levels: Tensor
    images: Tensor


def count(targets: Targets, faces_right: Tensor) -> Tensor:
    """(4,) the `Counts` of a batch before they are held above 1, as one tensor that processes can add up."""
    right = faces_right[:, None, None, None]
    level = targets.level.eq(1) & targets.taught[..., None, None] & right
    return torch.stack(
        [
            (targets.hm.eq(1) & right).sum().float(),
            (targets.weight * right).sum(),
            level.sum().float(),
            torch.tensor(float(len(faces_right)), device=faces_right.device),
        ]
    )


def focal_loss(prediction: Tensor, target: Tensor, mask: Tensor, total: Tensor) -> Tensor:
    """Penalty-reduced pixel-wise focal loss (CornerNet, equation 1; alpha 2, beta 4) where ``mask`` is true.

    Parameters
    ----------
    prediction : (B, k, h, w) after the sigmoid
    target : (B, k, h, w); cells where it is exactly 1 are positive
    mask : bool, broadcast to (B, k, h, w)
    total : by what the sum is divided, the number of positive cells
    """
    prediction = prediction.float().clamp(1e-4, 1 - 1e-4)
    gain = torch.where(
        target.eq(1),
        (1 - prediction) ** 2 * torch.log(prediction),
        (1 - target) ** 4 * prediction**2 * torch.log(1 - prediction),
    )
    return -(gain * mask).sum() / total


def offset_loss(prediction: Tensor, target: Tensor, weight: Tensor, total: Tensor) -> Tensor:
    """Absolute error, mean of the channels, weighted by ``weight`` (B, 1, h, w); inputs (B, k, h, w)."""
    error = (prediction.float() - target).abs().mean(dim=1, keepdim=True)
    return (error * weight).sum() / total


def offset_loss_at(prediction: Tensor, target: Tensor, weight: Tensor, places: Tensor, total: Tensor) -> Tensor:
    """`offset_loss` from predictions at ``places`` (B, n) and around them, (B, n, k, 3, 3), where all the weight lies.

    A cell that lies around several places counts once.
    """
    w = target.shape[-1]
    rows, columns = places // w, places % w
    shape = (*places.shape, -1, 3, 3)
    wanted, share = (patches_at(value, rows, columns, 1).reshape(shape) for value in (target, weight))
    step = torch.arange(-1, 2, device=places.device)
    cells = ((rows[..., None, None] + step[:, None]) * (w + 2) + columns[..., None, None] + step).flatten(1)
    repeated = (cells[:, :, None] == cells[:, None, :]).tril(-1).any(dim=-1).reshape(*places.shape, 1, 3, 3)
    error = (prediction.float() - wanted).abs().mean(dim=2, keepdim=True)
    return (error * share * ~repeated).sum() / total


def total_loss(
    maps: Mapping[str, Tensor], targets: Targets, faces_right: Tensor, counts: Counts | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """The plain sum of all losses and its parts, detached.

    Parameters
    ----------
    maps : of a centre network, see `vertenet.networks.VerteNet`; its offsets everywhere, or at the targets' places
    targets : Targets
    faces_right : (B,) bool
        Landmarks are taught on images that face right alone; the orientation head, where there is one, on all.
    counts : Counts, optional
        Those of the whole that this batch is a part of; default its own.
    """
    if counts is None:
        counts = Counts(*count(targets, faces_right).clamp(min=1))
    right = faces_right[:, None, None, None]
    weight = targets.weight * right
    parts = {"hm": focal_loss(maps["hm"], targets.hm, right, counts.centres)}
    for name, target in (("reg", targets.reg), ("wh", targets.wh)):
        if name in maps:
            parts[name] = offset_loss(maps[name], target, weight, counts.offsets)
        else:
            parts[name] = offset_loss_at(maps[f"{name}_at"], target, weight, targets.places, counts.offsets)
    if "level" in maps:
        taught = targets.taught[..., None, None] & right
        parts["level"] = focal_loss(maps["level"], targets.level, taught, counts.levels)
    if "anterior" in maps:
        truth = faces_right.float()
        error = F.binary_cross_entropy_with_logits(maps["anterior"].float(), truth, reduction="sum")
        parts["anterior"] = error / counts.images
    return sum(parts.values()), {name: value.detach() for name, value in parts.items()}
