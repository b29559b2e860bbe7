"""From one sample to one changed sample: geometry, then the body, the grey values, the machine."""

from __future__ import annotations

import torch
from torchvision.transforms.v2 import functional as F

from ...spine import STANDARD_LEVELS
from .artefacts import Landmarks, add_blanks, add_gas, add_metal, add_text
from .draws import Draws
from .geometry import Window, draw_warp, warp
from .grey import vary_grey_values
from .ranges import Augmentation


def augment_sample(
    image: torch.Tensor,
    corners: torch.Tensor,
    centres: torch.Tensor,
    ranges: Augmentation,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, bool]:
    """Change one sample at random.

    Parameters
    ----------
    image : (h, w) float32 in 0 to 1
        Faces right.
    corners : (n, 4, 2) float32, pixels, NaN where unknown
        T12 to L5, and after them any other bodies, in the order of `vertenet.spine.CORNERS`.
    centres : (8, 2) float32, pixels, NaN where unknown
        T11 to S1.
    ranges : Augmentation
    generator : torch.Generator
        On the CPU. Decides everything; the global generators are neither read nor moved.

    Returns
    -------
    image : (h, w) float32 in 0 to 1
    corners : (n, 4, 2)
        Kept where they leave the image. All four are unknown where the vertebra's middle lay on a part that was cut
        off and would now lie on the canvas: nobody can see it there.
    centres : (8, 2)
        Unknown where they left the image or the part that was kept of it.
    faces_right : bool
        False: the image was mirrored *after* its landmarks were placed, for the orientation head alone. Landmarks are
        not mirrored with it, because a mirrored spine would teach the front of the body as its back.
    """
    draws = Draws(generator)
    drawn = draw_warp(image.shape, ranges, draws)
    frame = Window(0, 0, *image.shape)
    middles = corners.mean(dim=1)
    cut_corners, cut_centres = ~drawn.window.holds(middles), ~drawn.window.holds(centres)
    moved, points = warp(image, torch.cat([corners.flatten(0, 1), centres]), drawn)
    corners, centres = points[: -len(centres)].reshape(corners.shape), points[-len(centres) :]
    on_canvas = cut_corners & frame.holds(corners.mean(dim=1))
    corners = torch.where(on_canvas[:, None, None], torch.nan, corners)
    centres = torch.where((cut_centres | ~frame.holds(centres))[:, None], torch.nan, centres)

    landmarks = Landmarks(corners[: len(STANDARD_LEVELS)], centres)
    if draws.happens(ranges.gas):
        add_gas(moved, landmarks, draws)
    if draws.happens(ranges.metal):
        add_metal(moved, landmarks, draws)
    moved = vary_grey_values(moved, ranges, generator)
    if draws.happens(ranges.blank):
        add_blanks(moved, landmarks, draws)
    faces_right = not draws.happens(ranges.mirror)
    if not faces_right:
        moved = F.horizontal_flip(moved)
    # Text comes last: mirrored letters would betray a mirrored image.
    if draws.happens(ranges.text):
        add_text(moved, draws)
    return moved, corners, centres, faces_right
