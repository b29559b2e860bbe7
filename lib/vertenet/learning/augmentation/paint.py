"""The brushes: each changes an image in place within a small window, and nothing outside it.

Images are (h, w) float in 0 to 1; positions are pixels (x, y), centres at integers.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from PIL import ImageFont

XY = tuple[float, float]
_GLOW = 0.35  # how far towards white the halo beside metal rises


def shade(image: torch.Tensor, centre: XY, radii: XY, angle: float, strength: float) -> None:
    """A soft dark ellipse: at its middle ``1 - strength`` of the grey value remains, at its rim all of it.

    ``radii`` along and across the direction ``angle`` (radians).
    """
    patch, x, y = _patch(image, centre, centre, max(radii))
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = x - centre[0], y - centre[1]
    along, across = (x * cos + y * sin) / radii[0], (y * cos - x * sin) / radii[1]
    patch *= 1 - strength * (1 - along**2 - across**2).clamp(min=0) ** 2


def rod(image: torch.Tensor, start: XY, end: XY, radius: float, halo: float) -> None:
    """A saturated rod with round ends from ``start`` to ``end``, and a glow that fades over ``halo`` pixels."""
    patch, x, y = _patch(image, start, end, radius + halo + 1)
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    along = ((x - start[0]) * dx + (y - start[1]) * dy) / length if length else torch.zeros(())
    along = along.clamp(0, 1)
    distance = torch.hypot(x - start[0] - along * dx, y - start[1] - along * dy) - radius
    cover = (0.5 - distance).clamp(0, 1)
    glow = _GLOW * (1 - distance / halo).clamp(0, 1) ** 2
    patch += (1 - patch) * torch.maximum(cover, glow)


def block(image: torch.Tensor, top: int, left: int, bottom: int, right: int, value: float) -> None:
    """Blank the pixels from (top, left) to before (bottom, right); what lies outside the image is ignored."""
    image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = value


def write(image: torch.Tensor, text: str, size: int, corner: XY, plate: bool) -> None:
    """White ``text`` of ``size`` pixels with its upper left corner at ``corner``, on a black plate where asked.

    What does not fit into the image is cut off.
    """
    mask = text_mask(text, size)
    left, top = (int(v) for v in corner)
    patch = image[max(top, 0) : max(top + mask.shape[0], 0), max(left, 0) : max(left + mask.shape[1], 0)]
    mask = mask[max(-top, 0) :, max(-left, 0) :][: patch.shape[0], : patch.shape[1]]
    patch.copy_(mask if plate else torch.maximum(patch, mask))


def text_mask(text: str, size: int) -> torch.Tensor:
    """(rows, columns) float: ``text`` in white on black, a pixel of space around it; small letters are not fainter."""
    drawn = _font(size).getmask(text, mode="L")
    ink = np.array(drawn, dtype=np.float32).reshape(drawn.size[1], drawn.size[0])
    return torch.from_numpy(np.pad(ink / max(ink.max(initial=0), 1), 1))


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _patch(image: torch.Tensor, start: XY, end: XY, margin: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A view of the pixels at most ``margin`` beside the box of two points, with their columns and rows."""
    h, w = image.shape
    left, right = sorted((start[0], end[0]))
    top, bottom = sorted((start[1], end[1]))
    columns = slice(max(math.floor(left - margin), 0), max(math.ceil(right + margin) + 1, 0))
    rows = slice(max(math.floor(top - margin), 0), max(math.ceil(bottom + margin) + 1, 0))
    x = torch.arange(w, dtype=image.dtype)[None, columns]
    y = torch.arange(h, dtype=image.dtype)[rows, None]
    return image[rows, columns], x, y
