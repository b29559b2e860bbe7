"""Where the patient lies in the field, and what the scanner left blank.

A phantom is either plainly whole (reach of at least `SAFE_REACH` depths over the whole corridor) or plainly cropped
(something between 0.2 and 1.05 depths is cut over at least 15 mm): a truth nobody could argue with.
"""

from __future__ import annotations

import numpy as np

from ..spine import Transition
from .body import Column
from .canvas import Field
from .corridor import SAFE_REACH, Corridor
from .crop import Rectangle
from .difficulty import Difficulty
from .profiles import ScannerProfile
from .streams import stream
from .switches import Switches

#: Height of a SmartScan band, mm.
BAND_MM = 29.0
_LEAST_STRETCH_MM = 16.0


def place(
    column: Column, corridor: Corridor, profile: ScannerProfile, difficulty: Difficulty, switches: Switches, seed: int
) -> tuple[Field, tuple[Rectangle, ...]]:
    """The field and its blanked rectangles (edges in pixels, disjoint), anterior to the right."""
    rng = stream(seed, "placement")
    freedom = rng.uniform(-1, 1, 6)
    cut = rng.uniform(0.27, 0.95)
    rows, columns, sx, sy = _matrix(profile, difficulty, rng)
    full = rows
    top, rows = _vertical(column, corridor, switches, difficulty, profile, rows, sy, freedom)
    if switches.clipped_top:
        # A short field is a narrow one: nobody scans wider than high.
        columns = min(columns, max(int(0.75 * rows * sy / sx), int(132 / sx)))
    elif profile.reach is not None:
        columns = max(int(columns * min(rows / full, 1.0)), int(132 / sx))
    left = _horizontal(column, corridor, switches, difficulty, columns * sx, freedom, cut)
    field = Field(rows, columns, left + sx / 2, top + sy / 2, sx, sy)
    return field, _blanks(field, column, corridor, switches, stream(seed, "blanking"), cut)


def _matrix(profile: ScannerProfile, difficulty: Difficulty, rng) -> tuple[int, int, float, float]:
    odds = np.array([2.0] + [1.0] * (len(profile.sizes) - 1))
    index = int(rng.choice(len(odds), p=odds / odds.sum()))
    stretch = rng.uniform(-1, 1, 4)
    film = rng.uniform()
    if difficulty.name == "easy":
        index = 0
    rows, columns = profile.sizes[index]
    sx = sy = profile.spacing_mm
    if difficulty.random_geometry:
        # Another zoom of the patient and a slightly different aspect; the truth's spacing follows.
        sx *= 1 + 0.12 * stretch[0]
        sy = sx * (1 + 0.05 * stretch[1])
        columns = max(int(columns * (1 + 0.12 * stretch[2])), int(132 / sx))
        rows = int(rows * (1 + 0.15 * stretch[3]))
        if film < 0.3 and profile.reach is None:
            # The wide, short field of a lumbar film: bodies fill more of the frame.
            rows = int((330.0 + 70.0 * stretch[3]) / sy)
            columns = max(int(rows * sy * (0.65 + 0.2 * stretch[2]) / sx), int(132 / sx))
    return rows, columns, sx, sy


def _vertical(column, corridor, switches, difficulty, profile, rows, sy, freedom) -> tuple[float, int]:
    """Top edge of the field in mm, and the number of rows."""
    last = column["S1" if switches.lstv is Transition.SACRALISED_L5 else "L5"]
    lowest = last.corners[:, 1].max()
    safe = corridor.polygon(reach=SAFE_REACH)[:, 1]
    if switches.clipped_bottom:
        floor = max(safe.max() + 3.0, last.corners[:, 1].min() + 4.0)
        bottom = floor + (freedom[0] + 1) / 2 * max(lowest - 3.0 - floor, 0.0)
    elif switches.field_bottom is not None and (profile.reach is None or profile.reach.below_mm[0] < 20.0):
        bottom = max(safe.max() + 3.0, lowest + switches.field_bottom * column.unit)
    elif profile.reach is not None:
        low, high = profile.reach.below_mm
        bottom = max(safe.max(), lowest) + low + (freedom[0] + 1) / 2 * (high - low)
    else:
        tall = max(rows * sy - 400.0, 0.0)
        floor = max(safe.max(), lowest) + 3.0
        bottom = floor + 12.0 + 16.0 * (freedom[0] + 1) * (0.4 + 0.6 * difficulty.field_freedom) + 0.55 * tall
        if difficulty.random_geometry:
            bottom += 60.0 * max(freedom[3], 0.0)
    top = bottom - rows * sy
    t12 = column["T12"].corners[:, 1]
    if switches.clipped_top:
        ceiling = min(safe.min() - 3.0, t12.max() - 4.0)
        edge = ceiling - (freedom[1] + 1) / 2 * max(ceiling - (t12.min() + 3.0), 0.0)
        rows = max(int((bottom - edge) / sy), 64)
        top = bottom - rows * sy
    elif profile.reach is not None:
        low, high = profile.reach.above_mm
        rows = max(int((bottom - t12.min() + low + (freedom[1] + 1) / 2 * (high - low)) / sy), 64)
        top = bottom - rows * sy
    return top, rows


def _horizontal(column, corridor, switches, difficulty, width, freedom, cut) -> float:
    """Left edge of the field in mm."""
    safe = corridor.edge(SAFE_REACH)[:, 0].max()
    backs = min(column[name].corners[:, 0].min() for name in ("T12", "L1", "L2", "L3", "L4"))
    if switches.crop == "border":
        edge = corridor.edge()
        lost = cut * corridor.depth
        # The right border that cuts off ``cut`` depths where the corridor reaches furthest, moved in until at least
        # a fifth of a depth is missing over the least stretch.
        right = edge[:, 0].max() - lost
        dense_y = np.linspace(edge[0, 1], edge[-1, 1], 400)
        dense_x = np.interp(dense_y, edge[:, 1], edge[:, 0])
        over = np.sort(dense_x)[::-1][int(400 * _LEAST_STRETCH_MM / (edge[-1, 1] - edge[0, 1])) + 1]
        right = min(right, over - 0.22 * corridor.depth)
        front = column["L4"].corners[:, 0].max()
        right = max(right, front + 0.12 * corridor.depth)
        return float(right - width)
    low, high = safe + 2.0 - width, backs - 18.0
    if high < low:
        return float(low)
    # The lumbar spine usually lies left of the middle: bodies from 0.3 to 0.6 of the width.
    usual = np.clip(column["L3"].centre[0] - 0.44 * width, low, high)
    freed = low + (freedom[2] + 1) / 2 * (high - low)
    return float(usual + difficulty.field_freedom * (freed - usual))


def _blanks(field, column, corridor, switches, rng, cut) -> tuple[Rectangle, ...]:
    coin = rng.uniform(size=4)
    if switches.crop in ("black", "white"):
        bands = _cropping_bands(field, column, corridor, rng, cut)
        return bands + (_low_bands(field, column, rng) if coin[0] < 0.4 else ())
    if switches.blanking is None:
        return ()
    high = _high_bands(field, column, corridor, rng) if coin[1] < 0.75 else ()
    low = _low_bands(field, column, rng) if coin[2] < 0.75 or not high else ()
    return high + low


def _rows_of(field: Field, top_mm: float, bottom_mm: float) -> tuple[int, int]:
    """First row and one past the last row of a stretch, inside the field."""
    first = round((top_mm - field.extent[1]) / field.sy)
    last = round((bottom_mm - field.extent[1]) / field.sy)
    return int(np.clip(first, 0, field.rows)), int(np.clip(last, 0, field.rows))


def _right_band(field: Field, limit_mm: float, top_mm: float, bottom_mm: float) -> tuple[Rectangle, ...]:
    r0, r1 = _rows_of(field, top_mm, bottom_mm)
    c0 = int(np.clip(round((limit_mm - field.extent[0]) / field.sx), 0, field.columns))
    return ((c0 - 0.5, r0 - 0.5, field.columns - 0.5, r1 - 0.5),) if r0 < r1 and c0 < field.columns else ()


def _staircase(field, column, bottom_mm, start_mm, rng) -> tuple[Rectangle, ...]:
    """Right-hand bands from ``bottom_mm`` up to the top edge, ever wider, never over a body, at most half the width."""
    left, top, right, _ = field.extent
    bands: tuple[Rectangle, ...] = ()
    limit = start_mm
    while bottom_mm > top + field.sy:
        upper = max(bottom_mm - BAND_MM, top)
        clear = _fronts(column, upper, bottom_mm) + 4.0
        used = max(limit, clear, left + 0.5 * (right - left))
        bands += _right_band(field, used, upper, bottom_mm)
        limit -= rng.uniform(0.0, 14.0)
        bottom_mm = upper
    return bands


def _fronts(column: Column, top: float, bottom: float) -> float:
    near = [
        b.corners[:, 0].max() for b in column.bodies if b.corners[:, 1].max() > top and b.corners[:, 1].min() < bottom
    ]
    return max(near, default=-np.inf)


def _cropping_bands(field, column, corridor, rng, cut) -> tuple[Rectangle, ...]:
    """A staircase whose lowest bands cut the corridor by ``cut`` depths, from L1 down to somewhere."""
    edge = corridor.edge()
    reach = rng.uniform()
    usable = min(edge[-1, 1], field.extent[3]) - edge[0, 1]
    stretch = _LEAST_STRETCH_MM + 6.0 + reach**1.5 * max(usable - _LEAST_STRETCH_MM - 12.0, 0.0)
    lower = edge[0, 1] + stretch
    bands: tuple[Rectangle, ...] = ()
    y = lower
    while y > edge[0, 1] + 0.5:
        upper = max(y - BAND_MM, edge[0, 1] - 4.0) if y - BAND_MM > edge[0, 1] + 6 else edge[0, 1] - 4.0
        ys = np.linspace(max(upper, edge[0, 1]), min(y, edge[-1, 1]), 60)
        outer = np.interp(ys, edge[:, 1], edge[:, 0])
        inner = np.interp(ys, corridor.wall[:, 1], corridor.wall[:, 0])
        depth = cut * corridor.depth
        limit = max(outer.min() - depth, min(inner.max() + 0.1 * corridor.depth, outer.min() - 0.22 * corridor.depth))
        bands += _right_band(field, limit, upper, y)
        y = upper
        cut = min(cut + rng.uniform(0.0, 0.1), 1.0)
    # Above the corridor the staircase goes on to the top of the image.
    return bands + _staircase(field, column, y, limit, rng)


def _high_bands(field, column, corridor, rng) -> tuple[Rectangle, ...]:
    """A staircase in front of the chest that ends above the corridor, wherever the reader still needs nothing."""
    safe = corridor.polygon(reach=SAFE_REACH)
    start = safe[:, 1].min() - 4.0 - rng.uniform(0.0, 60.0)
    return _staircase(field, column, start, field.extent[2] - rng.uniform(10.0, 45.0), rng)


def _low_bands(field, column, rng) -> tuple[Rectangle, ...]:
    """Bands from the left edge behind the pelvis, ever wider towards the feet, never over a lumbar body."""
    left, _, right, bottom = field.extent
    bands: tuple[Rectangle, ...] = ()
    y = float(np.clip(column["L3"].centre[1] + rng.uniform(-40.0, 60.0), None, bottom - 2 * BAND_MM))
    width = rng.uniform(6.0, 20.0)
    while y < bottom - field.sy:
        lower = min(y + BAND_MM, bottom)
        near = [
            b.corners[:, 0].min()
            for b in column.bodies
            if b.name != "S1" and b.corners[:, 1].max() > y and b.corners[:, 1].min() < lower
        ]
        limit = min(left + width, min(near, default=np.inf) - 4.0, left + 0.5 * (right - left))
        r0, r1 = _rows_of(field, y, lower)
        c1 = int(np.clip(round((limit - left) / field.sx), 0, field.columns))
        if c1 > 0 and r0 < r1:
            bands += ((-0.5, r0 - 0.5, c1 - 0.5, r1 - 0.5),)
        width += rng.uniform(3.0, 14.0)
        y = lower
    return bands
