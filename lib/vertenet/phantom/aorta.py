"""The abdominal aorta and its calcified plaques, with the AAC-24 cells known exactly.

The posterior wall lies 1 to 2.5 mm (SD 2 to 3) in front of the discs; the diameter falls from 25 mm at T12 to 19 mm at
L4. A cell is one wall in front of one of L1 to L4; its grade follows from the calcified share of its length (Kauppila
1997): 0 none, 1 up to a third, 2 up to two thirds, 3 above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import Column
from .canvas import Canvas
from .corridor import SEGMENTS, Corridor
from .streams import stream

WALLS = ("anterior", "posterior")
#: Shares drawn for each grade; kept off the boundaries of one and two thirds.
_SHARES = {0: (0.0, 0.0), 1: (0.10, 0.28), 2: (0.41, 0.59), 3: (0.75, 0.97)}


def thirds_grade(share: float) -> int:
    """AAC-24 grade of a calcified share of a segment's length.

    >>> [thirds_grade(share) for share in (0, 0.2, 1 / 3, 0.5, 0.9)]
    [0, 1, 1, 2, 3]
    """
    if share <= 0:
        return 0
    return 1 if share <= 1 / 3 else 2 if share <= 2 / 3 else 3


@dataclass(frozen=True, eq=False)
class Aorta:
    """Walls and plaques in the sagittal plane, mm.

    Attributes
    ----------
    y : (n,) float64
        Heights, from head to foot.
    posterior, anterior : (n,) float64
        x of the two walls.
    plaques : mapping of (segment, wall) to tuple of (top, bottom)
        Calcified stretches as y in mm, disjoint, inside the segment.
    shares : mapping of (segment, wall) to float
        Calcified share of the segment's length.
    """

    y: np.ndarray
    posterior: np.ndarray
    anterior: np.ndarray
    plaques: dict[tuple[str, str], tuple[tuple[float, float], ...]]
    shares: dict[tuple[str, str], float]

    def wall(self, name: str) -> np.ndarray:
        return self.posterior if name == "posterior" else self.anterior


def sample_aorta(column: Column, corridor: Corridor, total: int, seed: int) -> Aorta:
    """Draw the vessel (by seed) and plaques whose grades add up to ``total`` (0 to 24)."""
    rng = stream(seed, "aorta")
    bodies = [b for b in column.bodies if b.name[0] in "TL"]
    fronts = np.array([(b.sa + b.ia) / 2 for b in bodies])
    y = np.arange(fronts[0, 1], column["S1"].centre[1], 1.0)
    spine = np.interp(y, fronts[:, 1], fronts[:, 0])
    kernel = np.exp(-0.5 * (np.arange(-40, 41) / 14.0) ** 2)
    padded = np.pad(spine, 40, mode="edge")
    smooth = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    gap = max(rng.normal(2.0, 1.8), 0.3) + 1.5 * np.sin(y / rng.uniform(25, 60) + rng.uniform(0, 6.3))
    posterior = np.maximum(smooth + gap, spine + 0.2)
    place = (y - column["T12"].centre[1]) / (column["L4"].centre[1] - column["T12"].centre[1])
    diameter = np.interp(place, [0, 1], [25.0, 19.0]) * rng.normal(1.0, 0.06)
    diameter = diameter + 0.8 * np.sin(y / rng.uniform(15, 40) + rng.uniform(0, 6.3))
    anterior = posterior + diameter
    cells = _cells(total, rng)
    plaques, shares = {}, {}
    for index, segment in enumerate(SEGMENTS):
        for wall in WALLS:
            x = posterior if wall == "posterior" else anterior
            top, bottom = (_crossing(corridor, 2 * (index + k), y, x) for k in (0, 1))
            grade = cells[segment, wall]
            pieces = _pieces(grade, rng)
            shares[segment, wall] = float(sum(b - a for a, b in pieces))
            plaques[segment, wall] = tuple((top + a * (bottom - top), top + b * (bottom - top)) for a, b in pieces)
    return Aorta(y, posterior, anterior, plaques, shares)


def _crossing(corridor: Corridor, station: int, y: np.ndarray, x: np.ndarray) -> float:
    """Height at which a disc plane meets a wall."""
    (x0, y0), slope = corridor.wall[station], corridor.slope[station]
    height = y0
    for _ in range(4):
        height = y0 + slope * (np.interp(height, y, x) - x0)
    return float(height)


def _cells(total: int, rng: np.random.Generator) -> dict[tuple[str, str], int]:
    """Spread a total over the cells: low segments and the posterior wall calcify first."""
    odds = {
        (s, w): (1.0 + i) ** 1.5 * (1.3 if w == "posterior" else 1.0) for i, s in enumerate(SEGMENTS) for w in WALLS
    }
    cells = dict.fromkeys(odds, 0)
    for _ in range(total):
        free = [cell for cell, grade in cells.items() if grade < 3]
        weight = np.array([odds[cell] * (1 + cells[cell]) for cell in free])
        cells[free[int(rng.choice(len(free), p=weight / weight.sum()))]] += 1
    return cells


def _pieces(grade: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Disjoint stretches (0 to 1) whose lengths add up to a share of the wanted grade."""
    if grade == 0:
        return []
    share = float(rng.uniform(*_SHARES[grade]))
    count = int(rng.integers(1, 4)) if grade < 3 else int(rng.integers(1, 3))
    lengths = share * rng.dirichlet(np.full(count, 3.0))
    gaps = (1 - share) * rng.dirichlet(np.full(count + 1, 1.5))
    pieces, place = [], 0.0
    for gap, length in zip(gaps, lengths):
        place += gap
        pieces.append((float(place), float(min(place + length, 1.0))))
        place += length
    return pieces


def project_aorta(soft: Canvas, bone: Canvas, aorta: Aorta, seed: int) -> None:
    """Add the vessel to the soft tissue (faint: fat around it is thinner) and its plaques to the bone."""
    rng = stream(seed, "plaques")
    found = soft.window(aorta.posterior.min(), aorta.y[0], aorta.anterior.max(), aorta.y[-1])
    if found is not None:
        where, x, y = found
        middle = np.interp(y, aorta.y, (aorta.posterior + aorta.anterior) / 2).astype(np.float32)
        radius = np.interp(y, aorta.y, (aorta.anterior - aorta.posterior) / 2).astype(np.float32)
        chord = np.sqrt(np.maximum(1 - ((x - middle) / radius) ** 2, 0))
        soft.mass[where] += chord * np.float32(rng.uniform(0.10, 0.35))
    for (_, wall), pieces in aorta.plaques.items():
        for top, bottom in pieces:
            _plaque(bone, aorta.y, aorta.wall(wall), top, bottom, rng)


def _plaque(bone: Canvas, ys: np.ndarray, xs: np.ndarray, top: float, bottom: float, rng) -> None:
    """A ragged streak along the wall, about a millimetre thick, brightest where the ray runs along the wall."""
    width, mass = rng.uniform(0.5, 1.1), rng.uniform(0.18, 0.5)
    waves = rng.uniform(0, 6.3, 3)
    middle = np.interp([top, bottom], ys, xs)
    found = bone.window(middle.min() - 6, top, middle.max() + 6, bottom)
    if found is None:
        return
    where, x, y = found
    centre = np.interp(y, ys, xs) + 0.35 * np.sin(y / 1.7 + waves[0])
    ragged = 0.75 + 0.25 * np.sin(y / 2.3 + waves[1]) * np.sin(y / 5.1 + waves[2])
    ends = np.clip(np.minimum(y - top, bottom - y) / 0.6, 0, 1)
    profile = np.exp(-0.5 * ((x - centre) / width) ** 2)
    bone.mass[where] += (profile * ragged * ends * mass).astype(np.float32)
