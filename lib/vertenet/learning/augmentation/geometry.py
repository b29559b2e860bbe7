"""Where the pixels go: crops, expansion, rotation, scale and shift as one affine map, resampled once.

Image and landmarks go through the same torchvision operations (`torchvision.transforms.v2.functional` on an ``Image``
and a ``KeyPoints``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from .draws import Draws
from .ranges import Augmentation

#: Grey value of the canvas beside the image; None repeats the image's edge.
BORDERS = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, None, None, None, 1.0)


@dataclass(frozen=True)
class Window:
    """The part of the image that is kept: first and one past the last row and column."""

    top: int
    left: int
    bottom: int
    right: int

    def holds(self, points: torch.Tensor) -> torch.Tensor:
        """(...) bool for (..., 2) positions in pixels: inside. An unknown position is nowhere."""
        x, y = points.unbind(dim=-1)
        return (x >= self.left) & (x < self.right) & (y >= self.top) & (y < self.bottom)


@dataclass(frozen=True, eq=False)
class Warp:
    """One drawn geometry.

    Attributes
    ----------
    window : Window
        What is kept of the image; the rest becomes border.
    matrix : (3, 3) float64
        From the image to the frame, homogeneous; coordinates of edges, a pixel's centre at 1/2.
    border : float or None
        One of `BORDERS`.
    """

    window: Window
    matrix: np.ndarray
    border: float | None


def draw_warp(shape: tuple[int, int], ranges: Augmentation, draws: Draws) -> Warp:
    """Draw a geometry for an image of ``shape`` (h, w) that faces right."""
    h, w = shape
    cut = draws.choice(("top", "bottom", "both")) if draws.happens(ranges.end_crop) else ""
    top = round(h * draws.uniform(0, ranges.end_crop_share)) if cut in ("top", "both") else 0
    bottom = h - (round(h * draws.uniform(0, ranges.end_crop_share)) if cut in ("bottom", "both") else 0)
    front = ranges.anterior_crop_share if draws.happens(ranges.anterior_crop) else 0.0
    window = Window(top, 0, bottom, w - round(w * draws.uniform(0, front)))
    matrix = _about_the_middle(shape, ranges, draws) @ _expansion(shape, ranges, draws) @ _stretch(window, shape)
    return Warp(window, matrix, draws.choice(BORDERS))


def warp(image: torch.Tensor, points: torch.Tensor, drawn: Warp) -> tuple[torch.Tensor, torch.Tensor]:
    """Move an image and the points in it.

    Parameters
    ----------
    image : (h, w) float
    points : (..., 2) float, pixels (centres at integers); NaN stays NaN

    Returns
    -------
    image (h, w), points (..., 2): they are kept where they leave the frame
    """
    h, w = image.shape
    window = drawn.window
    if np.array_equal(drawn.matrix, np.eye(3)):
        return image.clone(), points.clone()
    # What torchvision fills with is black, exactly; its own fill blends twice and leaves a seam around the image.
    level = drawn.border or 0.0
    picture = tv_tensors.Image(image[None] - level)
    # torchvision's map counts from the edges of pixels, ours from their centres.
    marks = tv_tensors.KeyPoints(points + 0.5, canvas_size=(h, w))
    inverse = np.linalg.inv(drawn.matrix)
    left, top, right, bottom = _room((h, w), inverse) if drawn.border is None else (0, 0, 0, 0)
    padding = [left + window.left, top + window.top, right + w - window.right, bottom + h - window.bottom]
    shift = np.array([[1.0, 0.0, left], [0.0, 1.0, top], [0.0, 0.0, 1.0]])
    coefficients = [*(shift @ inverse)[:2].ravel().tolist(), 0.0, 0.0]

    kept = [window.top, window.left, window.bottom - window.top, window.right - window.left]
    picture, marks = F.crop(picture, *kept), F.crop(marks, *kept)
    picture = F.pad(picture, padding, padding_mode="edge" if drawn.border is None else "constant")
    marks = F.pad(marks, padding)
    picture, marks = (F.perspective(each, None, None, coefficients=coefficients) for each in (picture, marks))
    # The padded canvas is larger than the frame; the map put the frame's first pixel at its own.
    picture, marks = F.crop(picture, 0, 0, h, w), F.crop(marks, 0, 0, h, w)
    return picture.as_subclass(torch.Tensor)[0] + level, marks.as_subclass(torch.Tensor) - 0.5


def _stretch(window: Window, shape: tuple[int, int]) -> np.ndarray:
    """The window fills the frame."""
    sx, sy = shape[1] / (window.right - window.left), shape[0] / (window.bottom - window.top)
    return np.array([[sx, 0, -sx * window.left], [0, sy, -sy * window.top], [0, 0, 1]])


def _expansion(shape: tuple[int, int], ranges: Augmentation, draws: Draws) -> np.ndarray:
    """The image shrinks and lies somewhere on the canvas."""
    if not draws.happens(ranges.expansion):
        return np.eye(3)
    factor = 1 / draws.uniform(1.0, ranges.expansion_factor)
    x, y = (draws.uniform(0, (1 - factor) * n) for n in (shape[1], shape[0]))
    return np.array([[factor, 0, x], [0, factor, y], [0, 0, 1]])


def _about_the_middle(shape: tuple[int, int], ranges: Augmentation, draws: Draws) -> np.ndarray:
    """Rotation, then scale, about the middle of the frame, then shift."""
    angle = math.radians(draws.either_way(ranges.rotation))
    scale, aspect = math.exp(draws.either_way(ranges.scale)), math.exp(draws.either_way(ranges.aspect))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = np.array([shape[1] / 2, shape[0] / 2])
    shift = 2 * middle * [draws.either_way(ranges.shift), draws.either_way(ranges.shift)]
    matrix = np.eye(3)
    matrix[:2, :2] = np.diag([scale * aspect, scale / aspect]) @ turn
    matrix[:2, 2] = middle + shift - matrix[:2, :2] @ middle
    return matrix


def _room(shape: tuple[int, int], inverse: np.ndarray) -> tuple[int, int, int, int]:
    """Pixels (left, top, right, bottom) that the frame asks for beyond the image, and one for the interpolation."""
    h, w = shape
    seen = (inverse @ np.array([[0, w, 0, w], [0, 0, h, h], [1, 1, 1, 1]]))[:2]
    low, high = np.floor(seen.min(axis=1)) - 1, np.ceil(seen.max(axis=1)) + 1
    left, top = np.maximum(-low, 0).astype(int).tolist()
    right, bottom = np.maximum(high - [w, h], 0).astype(int).tolist()
    return left, top, right, bottom
