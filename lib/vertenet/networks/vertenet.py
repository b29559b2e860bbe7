"""VerteNet: an EfficientNetV2 encoder, three fusion blocks, and heads for vertebral centres and corners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import OptionError
from .attention import GRID
from .encoders import STRIDES, create_encoder
from .fusion import FORMS, PARTS, Form, Fusion
from .heads import RARE, MapHead, SideHead
from .sizes import check_images, checked_size

#: The levels of the ``level`` maps of networks that have them. The map of T10 shows every body above T11: a network
#: that is taught to be silent about them has to stretch its names over a long field.
LEVEL_NAMES = ("T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1")

#: Strides at which the decoder fuses, from deep to shallow.
FUSED_STRIDES = (16, 8, 4)


@dataclass(frozen=True)
class Plan:
    """Everything that tells one VerteNet variant from another.

    Attributes
    ----------
    encoder : timm name
    input_size : (rows, columns) of the image; multiples of 256 where the stride-16 map has a dual-resolution attention,
        so that its pooled copy holds the grid; of 32 at least
    parts : attentions of the fusion blocks at strides 16, 8 and 4, each some of `fusion.PARTS`
    hidden : width of the heads
    corner_kernels : kernel sizes of the ``wh`` head
    level_names : levels of the ``level`` maps, or None for a network without them (and without ``anterior``)
    form : ``code`` or ``figure``, see `fusion.Fusion`
    """

    encoder: str
    input_size: Sequence[int]
    parts: Sequence[Sequence[str]] = (PARTS, PARTS, PARTS)
    hidden: int = 256
    corner_kernels: tuple[int, int] = (7, 7)
    level_names: tuple[str, ...] | None = None
    form: Form = "code"

    def __post_init__(self) -> None:
        # Options that were stored in a card's JSON come back as lists.
        object.__setattr__(self, "parts", tuple(tuple(block) for block in self.parts))
        if len(self.parts) != len(FUSED_STRIDES) or not all(set(block) <= set(PARTS) for block in self.parts):
            raise OptionError(
                f"parts is {self.parts}, but it names the attentions of three fusion blocks",
                remedy=f"Give three tuples, each with some of {', '.join(PARTS)}",
            )
        if self.form not in FORMS:
            raise OptionError(f"form is {self.form!r}", remedy=f"Use one of {', '.join(FORMS)}")
        gridded = [stride for stride, block in zip(FUSED_STRIDES, self.parts) if {"drsa", "drca"} & set(block)]
        multiple = max([STRIDES[-1], *(2 * GRID * stride for stride in gridded)])
        object.__setattr__(self, "input_size", checked_size(self.input_size, multiple))


class VerteNet(nn.Module):
    """Vertebral centres and corners as maps at a quarter of the image's size.

    Attributes
    ----------
    input_size : (rows, columns) of the images
    stride : int
        Image pixels per map cell, 4.
    level_names : tuple of str, or None
        Levels of the channels of ``level``.
    """

    stride = 4

    def __init__(self, plan: Plan, *, pretrained: bool | str = False) -> None:
        super().__init__()
        self.plan = plan
        self.input_size = plan.input_size
        self.level_names = plan.level_names
        self.encoder = create_encoder(plan.encoder, pretrained)
        skips = self.encoder.feature_info.channels()
        self.decoder = _decoder(skips, plan)
        width = skips[0]
        self.centre = MapHead(width, plan.hidden, 1, bias=RARE)
        self.offset = MapHead(width, plan.hidden, 2)
        self.corners = MapHead(width, plan.hidden, 8, plan.corner_kernels)
        if plan.level_names:
            self.levels = MapHead(width, plan.hidden, len(plan.level_names), bias=RARE)
            self.side = SideHead(skips[-1])

    def features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The decoder's stride-4 map and the encoder's deepest map of images (B, 3, H, W)."""
        check_images(x, self.input_size)
        *skips, deepest = self.encoder(x)
        low = deepest
        for fusion, skip in zip(self.decoder, reversed(skips)):
            low = fusion(low, skip)
        return low, deepest

    def forward(self, x: Tensor, places: Tensor | None = None) -> dict[str, Tensor]:
        """Maps of images (B, 3, H, W) with values in [-0.5, 0.5]; h = H/4, w = W/4.

        Returns
        -------
        dict
            ``hm`` (B, 1, h, w): probability that a vertebra's centre lies in the cell.
            ``reg`` (B, 2, h, w): x and y of the centre within its cell, in cells.
            ``wh`` (B, 8, h, w): centre minus corner in cells, (x, y) each for SP, SA, IP, IA: the authors' order of
            top-left, top-right, bottom-left, bottom-right with anterior on the right.
            With ``level_names`` also ``level`` (B, n, h, w): the same as ``hm`` for each level by name, and
            ``anterior`` (B,): logit that the anterior side is on the right.
            With ``places`` (B, n), ``row * w + column``, not ``reg`` and ``wh``, but ``reg_at`` (B, n, 2, 3, 3) and
            ``wh_at`` (B, n, 8, 3, 3), the same at these cells and their neighbours, for a fraction of the work.
        """
        low, deepest = self.features(x)
        maps = {"hm": torch.sigmoid(self.centre(low))}
        if places is None:
            maps |= {"reg": self.offset(low), "wh": self.corners(low)}
        else:
            maps |= {"reg_at": self.offset.around(low, places), "wh_at": self.corners.around(low, places)}
        if self.level_names:
            maps["level"] = torch.sigmoid(self.levels(low))
            maps["anterior"] = self.side(deepest)
        return maps


def _decoder(channels: Sequence[int], plan: Plan) -> nn.ModuleList:
    """Fusion blocks from deep to shallow; ``channels`` are the encoder's, from shallow to deep."""
    rows, columns = plan.input_size
    *skips, low = channels
    blocks = nn.ModuleList()
    for stride, skip, parts in zip(FUSED_STRIDES, reversed(skips), plan.parts):
        blocks.append(Fusion(low, skip, (rows // stride, columns // stride), parts, plan.form))
        low = skip
    return blocks
