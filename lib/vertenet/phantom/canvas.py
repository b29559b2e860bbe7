"""A canvas in millimetres: line integrals along the x-ray, added shape by shape in small windows.

Everything that is drawn is a thickness (mm of material along the ray) times a density (g/cm3), so the canvas holds
mass per area and shapes that overlap simply add, as they do in a radiograph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Field:
    """Where the pixels lie: pixel (column, row) has its centre at ``(x0 + column * sx, y0 + row * sy)`` mm."""

    rows: int
    columns: int
    x0: float
    y0: float
    sx: float
    sy: float

    def to_pixels(self, mm: np.ndarray) -> np.ndarray:
        """(..., 2) millimetres to pixels."""
        return (np.asarray(mm, dtype=np.float64) - [self.x0, self.y0]) / [self.sx, self.sy]

    def to_mm(self, pixels: np.ndarray) -> np.ndarray:
        """(..., 2) pixels to millimetres; the inverse of `to_pixels`."""
        return np.asarray(pixels, dtype=np.float64) * [self.sx, self.sy] + [self.x0, self.y0]

    @property
    def pixel(self) -> float:
        """Mean pixel size, mm."""
        return (self.sx + self.sy) / 2

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom edge, mm: the outer edges of the outermost pixels."""
        left, top = self.to_mm([-0.5, -0.5])
        right, bottom = self.to_mm([self.columns - 0.5, self.rows - 0.5])
        return float(left), float(top), float(right), float(bottom)


class Canvas:
    """Mass per area on the pixels of a `Field`, float32 (rows, columns), in ``mass``."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.mass = np.zeros((field.rows, field.columns), np.float32)
        self.xs = (field.x0 + np.arange(field.columns) * field.sx).astype(np.float32)
        self.ys = (field.y0 + np.arange(field.rows) * field.sy).astype(np.float32)

    def window(self, left: float, top: float, right: float, bottom: float):
        """The pixels of a box in mm: (slices, x (1, n), y (m, 1)), or None when the box misses the image."""
        field = self.field
        c0 = max(int(np.floor((left - field.x0) / field.sx)) - 1, 0)
        c1 = min(int(np.ceil((right - field.x0) / field.sx)) + 2, field.columns)
        r0 = max(int(np.floor((top - field.y0) / field.sy)) - 1, 0)
        r1 = min(int(np.ceil((bottom - field.y0) / field.sy)) + 2, field.rows)
        if c0 >= c1 or r0 >= r1:
            return None
        return (slice(r0, r1), slice(c0, c1)), self.xs[None, c0:c1], self.ys[r0:r1, None]

    def ellipsoid(
        self,
        centre,
        radii,
        depth: float,
        angle: float = 0.0,
        core: float = 0.15,
        shell: float = 0.0,
        power: float = 0.5,
    ):
        """Add an ellipsoid.

        Parameters
        ----------
        centre : (x, y) mm
        radii : (along, across) mm
            In the image plane, turned by ``angle`` radians (positive turns x towards y).
        depth : float
            Full thickness along the ray at the centre, mm.
        core : float
            Density, g/cm3; may be negative (gas).
        shell : float
            Extra density of a rim 1 mm thick.
        power : float
            Fall of the thickness towards the outline: 0.5 an ellipsoid, more for shapes that taper off.
        """
        (cx, cy), (a, b) = centre, radii
        reach_x = np.hypot(a * np.cos(angle), b * np.sin(angle))
        reach_y = np.hypot(a * np.sin(angle), b * np.cos(angle))
        found = self.window(cx - reach_x, cy - reach_y, cx + reach_x, cy + reach_y)
        if found is None:
            return
        where, x, y = found
        u = (x - cx) * np.float32(np.cos(angle)) + (y - cy) * np.float32(np.sin(angle))
        v = (y - cy) * np.float32(np.cos(angle)) - (x - cx) * np.float32(np.sin(angle))
        outer = np.maximum(1 - (u / a) ** 2 - (v / b) ** 2, 0) ** np.float32(power)
        total = outer * np.float32(depth / 10 * (core + shell))
        if shell and min(a, b) > 1.2:
            inner = np.maximum(1 - (u / (a - 1)) ** 2 - (v / (b - 1)) ** 2, 0) ** np.float32(power)
            total -= inner * np.float32(max(depth - 2, 0.0) / 10 * shell)
        self.mass[where] += total

    def plate(self, corners: np.ndarray, thickness: float, core: float, rim: float, rim_mm: float = 1.3):
        """Add a convex plate seen face on: ``corners`` (n, 2) mm in order, ``rim`` the extra density of its border."""
        corners = np.asarray(corners, float)
        found = self.window(*corners.min(0), *corners.max(0))
        if found is None:
            return
        where, x, y = found
        inside = convex_distance(corners, x, y)
        soft = np.clip(inside / self.field.pixel + 0.5, 0, 1)
        border = np.clip(1 - inside / rim_mm, 0, 1)
        self.mass[where] += np.float32(thickness / 10) * soft * (core + rim * border).astype(np.float32)


def convex_distance(corners: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance to the nearest side of a convex polygon, positive inside; broadcasts x (1, n) and y (m, 1)."""
    corners = np.asarray(corners, float)
    turn = np.sign(_area(corners))
    nearest = None
    for a, b in zip(corners, np.roll(corners, -1, axis=0)):
        nx, ny = np.array([-(b - a)[1], (b - a)[0]]) / np.linalg.norm(b - a) * turn
        side = (x - np.float32(a[0])) * np.float32(nx) + (y - np.float32(a[1])) * np.float32(ny)
        nearest = side if nearest is None else np.minimum(nearest, side)
    return nearest


def _area(corners: np.ndarray) -> float:
    x, y = corners.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)
