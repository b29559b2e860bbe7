"""Soft tissue along the ray, g/cm2 (centimetres of water): abdomen, lungs, organs, gas; and what is foreign to it."""

from __future__ import annotations

import numpy as np

from .body import Column
from .canvas import Canvas
from .noise import enlarged
from .streams import stream
from .switches import Switches

#: Air in inflated lung: the share of water that is missing along the ray.
_LUNG_AIR = 0.74


def project_tissue(canvas: Canvas, column: Column, seed: int, switches: Switches) -> None:
    """Add the patient's soft tissue, lungs and gas."""
    rng = stream(seed, "tissue")
    draw = rng.uniform(0.0, 1.0, 16)
    back = _back_of(column, canvas.ys)
    x, y = canvas.xs[None], canvas.ys[:, None]
    _abdomen(canvas, column, back, x, y, draw, switches.thickness)
    _lungs(canvas, column, back, x, y, draw)
    _organs(canvas, column, rng)
    _gas(canvas, column, stream(seed, "gas"), switches.gas)


def _back_of(column: Column, ys: np.ndarray) -> np.ndarray:
    """(rows,) x of the posterior vertebral walls."""
    walls = np.array([(body.sp + body.ip) / 2 for body in column.bodies])
    return np.interp(ys, walls[:, 1], walls[:, 0]).astype(np.float32)


def _abdomen(canvas, column, back, x, y, draw, thickness) -> None:
    """An elliptic trunk: wide at chest and pelvis, narrow at the waist."""
    waist = float(column["L3"].centre[1])
    hips = float(column["S1"].centre[1])
    wide = (
        27.0
        * thickness
        * (1 - 0.10 * np.exp(-(((y - waist) / 60) ** 2)) + 0.16 * np.clip((y - waist) / (hips - waist), 0, 1.5))
    )
    smooth = np.convolve(np.pad(back, 60, mode="edge"), np.ones(121) / 121, mode="valid")[:, None]
    behind = smooth - (68 + 30 * draw[0]) * thickness - 12 * np.clip((y - waist) / 80, 0, 1)
    front = smooth + (165 + 60 * draw[1]) * thickness
    middle, half = (front + behind) / 2, (front - behind) / 2
    chord = np.sqrt(np.maximum(1 - np.abs((x - middle) / half) ** 2.6, 0))
    canvas.mass += (wide * chord).astype(np.float32)


def _lungs(canvas, column, back, x, y, draw) -> None:
    """Two lungs whose bases are the diaphragm: a wedge with its tip behind T12 to L1, rising forward to a dome."""
    t12 = column["T12"]
    tip_x = float(t12.sp[0] - (12 + 26 * draw[2]))
    tip_y = float(t12.centre[1] + (-14 + 34 * draw[3]))
    total = np.zeros_like(canvas.mass)
    for side in (0, 1):
        rise = 75 + 50 * draw[4] + 12 * (draw[5] - 0.5) * side
        scale = 45 + 40 * draw[6]
        base_y = tip_y - 10 * draw[7] * side
        forward = np.maximum(x - tip_x, 0)
        dome = (base_y - rise * (1 - np.exp(-forward / scale)) + 0.0009 * np.maximum(forward - 60, 0) ** 2).astype(
            np.float32
        )
        depth = np.maximum(dome - y, 0)
        rear = np.maximum(x - (back[:, None] - (30 + 18 * draw[8])), 0)
        height = np.minimum(depth / (30 + 25 * draw[9]), 1)
        total += np.sqrt(height * np.minimum(rear / 28, 1)) * np.float32(6.0 + 2.5 * draw[10])
    # Heart and great vessels lie between the lungs, in front of the spine.
    heart_y = float(column["T9"].centre[1])
    heart = np.exp(-(((x - (back[:, None] + 95)) / 45) ** 2) - ((y - heart_y) / 55) ** 2)
    total *= 1 - (0.45 * heart).astype(np.float32)
    canvas.mass -= np.minimum(total * _LUNG_AIR, 0.8 * canvas.mass)


def _organs(canvas, column, rng) -> None:
    """Uneven soft tissue at three sizes, two kidneys beside L1 to L3, and the mottle of stool and small gas."""
    field, trunk = canvas.field, canvas.mass.copy()
    for size, strength in ((45.0, 0.55), (16.0, 0.22), (6.0, 0.10)):
        rows = int(np.ceil(field.rows * field.sy / size)) + 3
        columns = int(np.ceil(field.columns * field.sx / size)) + 3
        canvas.mass += enlarged(rng.normal(0.0, strength, (rows, columns)), field.rows, field.columns)
    middle = column["L2"].centre
    for _ in range(2):
        spot = _near(rng, middle, (-15, 20), (-15, 25))
        canvas.ellipsoid(spot, (52, 26), 30, np.radians(rng.uniform(75, 105)), rng.uniform(0.1, 0.35), 0.0, 0.6)
    bowel = column["L3"].centre
    for _ in range(int(rng.integers(8, 30))):
        spot = _near(rng, bowel, (15, 110), (-60, 100))
        size = rng.uniform(2.5, 9)
        canvas.ellipsoid(
            spot, (size, size * rng.uniform(0.5, 1)), size, rng.uniform(0, 3), -rng.uniform(0.1, 0.5), 0.0, 0.7
        )
    # Uneven, but no tissue out of thin air beside the patient.
    np.clip(canvas.mass, 0, 1.25 * trunk, out=canvas.mass)


def _near(rng: np.random.Generator, point: np.ndarray, forward, down) -> np.ndarray:
    """A random place about ``point``: mm forward and down, each drawn from (low, high)."""
    return np.array([point[0] + rng.uniform(*forward), point[1] + rng.uniform(*down)])


def _gas(canvas, column, rng, amount: float) -> None:
    """Bowel loops with gas in front of and over L3 to L5."""
    if amount <= 0:
        return
    loops = 2 + round(5 * amount)
    levels = ("L2", "L3", "L4", "L5") if "L5" in column else ("L2", "L3", "L4")
    for _ in range(loops):
        body = column[str(rng.choice(levels))]
        start = _near(rng, body.centre, (-8, 75), (-20, 30))
        heading = rng.uniform(0, 2 * np.pi)
        for _ in range(int(rng.integers(1, 5))):
            a = rng.uniform(6, 16)
            canvas.ellipsoid(
                start, (a, a * rng.uniform(0.6, 0.95)), a * rng.uniform(1.0, 2.0), rng.uniform(0, np.pi),
                -rng.uniform(0.4, 0.9) * (0.5 + 0.5 * amount), 0.0,
            )  # fmt: skip
            heading += rng.normal(0, 0.7)
            start = start + a * 1.2 * np.array([np.cos(heading), np.sin(heading)])
    np.maximum(canvas.mass, 0, out=canvas.mass)


def project_foreign(bone: Canvas, column: Column, seed: int, switches: Switches) -> None:
    """Stones and metal, in the bone channel (they attenuate like very dense bone)."""
    rng = stream(seed, "stones")
    for _ in range(switches.stones):
        body = column[str(rng.choice(["L1", "L2", "L3"]))]
        spot = _near(rng, body.centre, (-18, 34), (-16, 16))
        size = rng.uniform(2.0, 6.0)
        bone.ellipsoid(spot, (size, size * rng.uniform(0.6, 1.0)), size * 1.6, rng.uniform(0, 3), 1.1)
    rng = stream(seed, "metal")
    if switches.metal in ("screws", "construct"):
        names = [body.name for body in column.bodies]
        first = names.index(
            str(rng.choice(["L2", "L3"]) if switches.metal == "screws" else rng.choice(["T10", "T12", "L1"]))
        )
        last = first + (1 if switches.metal == "screws" else int(rng.integers(3, 8)))
        ends = []
        for body in column.bodies[first : min(last, len(names) - 1) + 1]:
            axis, start = body.forward, body.sp * 0.7 + body.ip * 0.3
            head = start - axis * 20
            tip = start + axis * 0.75 * body.depth
            bone.ellipsoid(
                (head + tip) / 2, (np.linalg.norm(tip - head) / 2, 2.4), 10, np.arctan2(axis[1], axis[0]), 4.0
            )
            bone.ellipsoid(head, (5.5, 6.5), 12, 0.0, 4.0)
            ends.append(head)
        for upper, lower in zip(ends, ends[1:]):
            span = lower - upper
            reach = np.linalg.norm(span) / 2 + 8
            bone.ellipsoid((upper + lower) / 2, (reach, 2.6), 10, np.arctan2(span[1], span[0]), 4.0)
    elif switches.metal == "cage":
        for name in rng.choice(["L2", "L3", "L4"], size=int(rng.integers(1, 3)), replace=False):
            upper, lower = column[str(name)], column.below(str(name))
            spot = (upper.im + lower.sm) / 2
            radii = (0.3 * upper.depth, max(np.linalg.norm(lower.sm - upper.im) / 2, 2.5))
            axis = upper.forward
            bone.ellipsoid(spot, radii, 22, np.arctan2(axis[1], axis[0]), 0.5, 2.0, 0.4)
    elif switches.metal == "clips":
        body = column[str(rng.choice(["L1", "L2", "L3"]))]
        for _ in range(int(rng.integers(2, 6))):
            spot = _near(rng, body.centre, (15, 60), (-25, 25))
            bone.ellipsoid(spot, (3.2, 0.8), 2.5, rng.uniform(0, np.pi), 4.0)
    elif switches.metal == "button":
        body = column[str(rng.choice(["T12", "L2", "L4"]))]
        spot = _near(rng, body.centre, (-30, 60), (-15, 15))
        radius = rng.uniform(4.5, 8.0)
        bone.ellipsoid(spot, (radius, radius), 3.0, 0.0, 3.0)
        bone.ellipsoid(spot, (radius * 0.3, radius * 0.3), 3.0, 0.0, -2.0)
