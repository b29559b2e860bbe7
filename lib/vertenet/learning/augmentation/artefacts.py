"""What lies over the anatomy: bowel gas and metal in the body, blanked borders and text from the machine.

Images are (h, w) float in 0 to 1 that face right, changed in place; landmarks are frame pixels, NaN where unknown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from .draws import Draws
from .paint import XY, block, rod, shade, write

#: Places of L2 to L5 among the eight centres T11 to S1.
GAS_LEVELS = slice(3, 7)
#: Height of a SmartScan band as a share of the image's: 29 mm of the 330 to 500 mm that are scanned.
BAND = (0.055, 0.09)
#: Widest band as a share of the image's width.
WIDEST_BAND = 0.5
MOST_BANDS = 7


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The landmarks of an image: ``corners`` (6, 4, 2), SA, SP, IA, IP of T12 to L5; ``centres`` (8, 2), T11 to S1."""

    corners: torch.Tensor
    centres: torch.Tensor

    def body(self, shape: tuple[int, int]) -> XY:
        """Width and height of a usual vertebral body; a guess from the image's ``shape`` where none is known."""
        sa, sp, ia, _ = self.corners.unbind(dim=1)
        width = torch.nanmedian((sa - sp).norm(dim=-1)).item()
        height = torch.nanmedian((sa - ia).norm(dim=-1)).item()
        return width if width > 0 else 0.16 * shape[1], height if height > 0 else 0.06 * shape[0]


def add_gas(image: torch.Tensor, landmarks: Landmarks, draws: Draws) -> None:
    """Soft dark loops over L2 to L5 and in front of them; none where no centre is known."""
    places = known(landmarks.centres[GAS_LEVELS])
    if not places:
        return
    width, height = landmarks.body(image.shape)
    strongest = draws.uniform(0.2, 0.7)
    for _ in range(draws.integer(2, 9)):
        x, y = draws.choice(places)
        centre = (x + width * draws.uniform(-0.3, 2.2), y + height * draws.uniform(-0.8, 1.1))
        size = width * draws.uniform(0.2, 0.7)
        radii = (size, size * draws.uniform(0.5, 0.9))
        shade(image, centre, radii, draws.uniform(0, math.pi), strongest * draws.uniform(0.5, 1))


def add_metal(image: torch.Tensor, landmarks: Landmarks, draws: Draws) -> None:
    """Pedicle screws with their rod, surgical clips, or a plate or button; clips where no vertebra is whole."""
    width, height = landmarks.body(image.shape)
    halo = draws.uniform(2, 5)
    whole = known(landmarks.corners.flatten(1))
    kind = draws.choice(("screws", "clips", "plate")) if whole else "clips"
    if kind == "screws":
        first = draws.integer(0, max(len(whole) - 2, 0))
        heads = [_screw(image, corners, height, halo) for corners in whole[first : first + draws.integer(2, 3)]]
        rod(image, heads[0], heads[-1], 0.1 * height, halo)
    elif kind == "plate":
        sa_x, sa_y, *_ = draws.choice(whole)
        centre = (sa_x + width * draws.uniform(-1.2, 1.5), sa_y + height * draws.uniform(0, 1))
        _stick(image, centre, height * draws.uniform(0, 1.2), draws.uniform(0, math.pi), 0.2 * height, halo)
    else:
        places = known(landmarks.centres) or [(image.shape[1] / 2, image.shape[0] / 2)]
        x, y = draws.choice(places)
        for _ in range(draws.integer(2, 6)):
            centre = (x + width * draws.uniform(0.2, 1.8), y + height * draws.uniform(-1, 1))
            _stick(image, centre, 0.25 * height, draws.uniform(0, math.pi), 0.05 * height, 0.5 * halo)


def add_blanks(image: torch.Tensor, landmarks: Landmarks, draws: Draws) -> None:
    """Steps blanked black or white as GE's SmartScan does: front above, back below, never over a known vertebra."""
    value = float(draws.happens(0.5))
    where = draws.choice(("front", "back", "both"))
    for front in (True,) if where == "front" else (False,) if where == "back" else (True, False):
        _staircase(image, landmarks, front, value, draws)


def add_text(image: torch.Tensor, draws: Draws) -> None:
    """A side marker or a line of words and numbers, at the top or the bottom."""
    h, w = image.shape
    text = draws.choice(("L", "R", "{a}{b}", "LAT {n}", "DXA {a}{n}", "{a}: {n}.{m} mm", "{n}/{m}", "{a}{b}{a} {n}{m}"))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    text = text.format(
        a=draws.choice(letters), b=draws.choice(letters), n=draws.integer(0, 2099), m=draws.integer(0, 99)
    )
    row = h * (draws.uniform(0, 0.12) if draws.happens(0.6) else draws.uniform(0.85, 0.95))
    write(image, text, draws.integer(7, 18), (w * draws.uniform(0, 0.8), row), plate=draws.happens(0.3))


def known(points: torch.Tensor) -> list[list[float]]:
    """The rows of (n, k) without a NaN."""
    return points[torch.isfinite(points).all(dim=1)].tolist()


def _screw(image: torch.Tensor, corners: list[float], height: float, halo: float) -> XY:
    """From behind the pedicle into three quarters of the body; returns its head's place."""
    (sa_x, sa_y), (sp_x, sp_y), _, (ip_x, ip_y) = (corners[i : i + 2] for i in range(0, 8, 2))
    x, y = 0.7 * sp_x + 0.3 * ip_x, 0.7 * sp_y + 0.3 * ip_y
    forward = (sa_x - sp_x, sa_y - sp_y)
    head = (x - 0.6 * forward[0], y - 0.6 * forward[1])
    rod(image, head, (x + 0.75 * forward[0], y + 0.75 * forward[1]), 0.09 * height, halo)
    rod(image, head, head, 0.2 * height, halo)
    return head


def _stick(image: torch.Tensor, centre: XY, length: float, angle: float, radius: float, halo: float) -> None:
    x, y = length / 2 * math.cos(angle), length / 2 * math.sin(angle)
    rod(image, (centre[0] - x, centre[1] - y), (centre[0] + x, centre[1] + y), radius, halo)


def _staircase(image: torch.Tensor, landmarks: Landmarks, front: bool, value: float, draws: Draws) -> None:
    """Bands from the top (front) or from the bottom (back), the widest first."""
    h, w = image.shape
    band = round(h * draws.uniform(*BAND))
    reach = w * draws.uniform(0.1, WIDEST_BAND)
    for step in range(draws.integer(1, MOST_BANDS)):
        top = step * band if front else h - (step + 1) * band
        wide = int(min(reach, _clearance(landmarks, (h, w), front, top, top + band)))
        if front:
            block(image, top, w - wide, top + band, w, value)
        else:
            block(image, top, 0, top + band, wide, value)
        reach *= draws.uniform(0.6, 1.0)


def _clearance(landmarks: Landmarks, shape: tuple[int, int], front: bool, top: int, bottom: int) -> float:
    """Columns free of vertebrae at one side of the rows ``top`` to ``bottom``; bodies may extend between corners."""
    width, height = landmarks.body(shape)
    # T11 and the sacrum have a centre alone: two points half a body before and behind stand for them.
    half = torch.tensor([width / 2, 0.0])
    points = torch.cat([landmarks.corners.flatten(0, 1), landmarks.centres - half, landmarks.centres + half])
    # A body is as tall as its corners are apart: a band that ends between them is near one of the two.
    near = [x for x, y in known(points) if top - height <= y < bottom + height]
    margin = 0.15 * width
    if not near:
        return float("inf")
    return max(shape[1] - 1 - max(near) - margin if front else min(near) - margin, 0.0)
