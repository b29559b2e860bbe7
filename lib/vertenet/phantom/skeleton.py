"""Vertebrae with their arches and spinous processes, osteophytes and ribs."""

from __future__ import annotations

import numpy as np

from .body import Body, Column
from .canvas import Canvas
from .solids import project_body
from .streams import stream
from .switches import Switches


def project_skeleton(canvas: Canvas, column: Column, seed: int, switches: Switches) -> None:
    """Add every bone of the patient above the pelvis to ``canvas`` (g/cm2)."""
    rng = stream(seed, "skeleton")
    order = [body.name for body in column.bodies]
    jitter = rng.normal(0.0, 1.0, (len(order), 8))
    ribs = rng.normal(0.0, 1.0, (16, 2, 4))
    shape = rng.uniform(0.0, 1.0, 12)
    for body, wobble in zip(column.bodies, jitter):
        shown = switches.sacrum**2 if body.name == "S1" else 1.0
        project_body(canvas, body, switches.bone * shown, switches.cancellous)
        if body.name != "S1":
            broad = 1 + 0.7 * shape[5] + 0.15 * max(switches.posterior - 1, 0.0)
            _pedicles(canvas, body, wobble, switches.bone, shape[9:])
            _arch(canvas, body, column.unit, wobble, switches.bone * switches.posterior, broad)
    _osteophytes(canvas, column, stream(seed, "osteophytes"), switches)
    strength = switches.overlap * switches.bone
    thoracic = [name for name in order if name.startswith("T")]
    for name, wobble in zip(thoracic, ribs):
        for side in (0, 1):
            _rib(canvas, column[name], column.unit, int(name[1:]), side, wobble[side], shape, strength)


def _pedicles(canvas: Canvas, body: Body, wobble: np.ndarray, bone: float, shape: np.ndarray) -> None:
    """Both pedicles over one another: the upper half of the body goes on behind its posterior wall.

    Where they leave it the wall is not to be seen, and the superior endplate runs on into their upper cortex; below
    them the foramen is as dark as the disc.
    """
    forward = body.forward
    tilt = float(np.arctan2(forward[1], forward[0]))
    wall, depth = body.ip - body.sp, body.depth
    tall = 0.46 + 0.16 * shape[1] + 0.03 * wobble[5]
    middle = 0.04 + 0.10 * shape[0] + 0.02 * wobble[4] + tall / 2
    long, into = (0.72 + 0.05 * wobble[6]) * depth, (0.10 + 0.15 * shape[1]) * depth
    for side in (-1, 1):
        shift = side * (0.02 * depth + 12 * np.tan(np.radians(body.axial))) + into - long / 2
        radii = (long / 2, tall / 2 * np.linalg.norm(wall))
        centre = body.sp + (middle + 0.02 * side * wobble[7]) * wall + shift * forward
        canvas.ellipsoid(centre, radii, 10.0, tilt - 0.08, (0.24 + 0.22 * shape[2]) * bone, 0.25 * bone, 0.35)


def _arch(canvas: Canvas, body: Body, unit: float, wobble: np.ndarray, bone: float, broad: float) -> None:
    """Articular pillar, transverse processes end on, and the spinous process of one vertebra.

    ``broad`` over 1: joints as arthrosis makes them, which fill the gaps between one another and reach the bodies, so
    that of what is behind these only the foramina stay dark.
    """
    forward = body.forward
    down = np.array([-forward[1], forward[0]])
    size = body.depth / unit
    wall = (body.sp + body.ip) / 2
    height = np.linalg.norm(body.ip - body.sp)
    tilt = float(np.arctan2(forward[1], forward[0]))
    thoracic = body.name.startswith("T")
    skew = np.tan(np.radians(body.axial)) * 12

    def at(back: float, along: float) -> np.ndarray:
        return wall - forward * back * unit * size + down * along * height

    width = unit * size
    for side, shift in enumerate((-skew, skew)):
        shift = shift + 0.03 * width * wobble[4 + side]
        lean = tilt + np.radians((80 if thoracic else 74) + 4 * wobble[6])
        shapes = (
            # back, along, radii, thickness, angle, core, shell, power
            (0.40, 0.16 + 0.03 * wobble[0], (0.60 * height, 0.19 * broad * width), 12, lean, 0.36, 0.20, 0.8),  # pillar
            (
                0.33,
                -0.52 + 0.03 * wobble[1],
                (0.34 * height, 0.15 * broad * width),
                11,
                lean,
                0.30,
                0.20,
                0.8,
            ),  # upper facet
            (
                0.52,
                0.62 + 0.03 * wobble[2],
                (0.34 * height, 0.14 * broad * width),
                10,
                lean,
                0.30,
                0.20,
                0.8,
            ),  # lower facet
            (0.42, -0.10, (0.14 * width, 0.19 * height), 20, tilt, 0.16, 0.25, 0.5),  # transverse process, end on
        )
        for back, along, radii, thickness, angle, core, shell, power in shapes:
            spot = at(back, along) + forward * shift
            canvas.ellipsoid(spot, radii, thickness, angle, core * bone, shell * bone, power)
    reach = (1.15 if thoracic else 1.08) + 0.05 * wobble[2]
    droop = 0.75 if thoracic else 0.32
    tall = 0.36 if thoracic else 0.80
    base_top, base_low = at(0.50, 0.05), at(0.55, 0.05 + tall)
    tip_top, tip_low = at(reach, 0.05 + droop), at(reach - 0.04, 0.05 + droop + tall * (0.80 + 0.05 * wobble[3]))
    # Its edge is a blunt one: hardly whiter than its middle.
    canvas.plate(np.stack([base_top, tip_top, tip_low, base_low]), 7.0, 0.36 * bone, 0.18 * bone)


def _osteophytes(canvas: Canvas, column: Column, rng: np.random.Generator, switches: Switches) -> None:
    """Beaks that grow forward from the anterior rims, a little above or below the corner they start from."""
    chance = rng.uniform(size=(len(column.bodies), 2))
    size = rng.uniform(0.4, 1.0, (len(column.bodies), 2))
    if switches.osteophytes <= 0:
        return
    for body, odds, big in zip(column.bodies, chance, size):
        down = np.array([-body.forward[1], body.forward[0]])
        for corner, sign, odd, scale in ((body.sa, -1.0, odds[0], big[0]), (body.ia, 1.0, odds[1], big[1])):
            if odd > 0.25 + 0.6 * switches.osteophytes:
                continue
            length = 7.0 * switches.osteophytes * scale
            tip = corner + body.forward * length * 0.8 + down * sign * 0.35 * length
            wall = corner - down * sign * 0.8 * length + body.forward * 0.3
            beak = np.stack([corner - body.forward * 3.0 - down * sign, tip, wall])
            canvas.plate(beak, 30.0, 0.16 * switches.bone, 0.22 * switches.bone)


def _rib(canvas, body: Body, unit, number: int, side: int, wobble, shape, strength: float) -> None:
    """One rib: from the vertebra back to its angle, then forward and down across everything in front of it.

    Both branches are single-valued in x, so a rib is a band of given height about a curve.
    """
    head = (body.sp + body.sa) / 2 - body.forward * 0.4 * body.depth
    head = head + np.array([0.0, 2.0 + wobble[0]])
    back = (0.95 + 0.08 * wobble[1]) * unit * (0.8 if number == 12 else 1.0) * min(1.0, 0.62 + 0.04 * number)
    drop = (0.55 + 0.05 * wobble[2] + (0.25 if number >= 11 else 0.0)) * unit
    angle = head + np.array([-back, drop]) + np.array([2.0, 1.5]) * side
    steep = 0.45 if number == 12 else 0.1 if number == 11 else 0.0
    slope = 0.45 + 0.16 * shape[0] + 0.03 * wobble[3] + steep
    bow = 0.03 + 0.09 * shape[8] + 0.015 * wobble[1]
    length = {12: 0.9 + 1.3 * shape[1], 11: 2.6 + 0.8 * shape[2]}.get(
        number, 4.6 + 0.3 * min(number, 8) + 0.4 * wobble[2]
    ) * unit
    height = (5.0 if number < 12 else 4.0) + 0.4 * wobble[0]
    _band(canvas, head, angle, lambda t: t * t * (3 - 2 * t), 1.0, height * 0.8, 0.24 * strength, 0.8)
    end = angle + np.array([length, slope * length])
    _band(canvas, angle, end, lambda t: t + bow * np.sin(np.pi * t), 0.5, height, 0.22 * strength, 0.8)


def _band(canvas: Canvas, start, end, rise, far: float, half: float, density: float, edge: float) -> None:
    """A tube about a curve y(x); ``far`` is its strength at the end, ``edge`` that of its two borders."""
    (xa, ya), (xb, yb) = start, end
    left, right = min(xa, xb), max(xa, xb)
    found = canvas.window(left - half, min(ya, yb) - half * 3, right + half, max(ya, yb) + half * 3)
    if found is None:
        return
    where, x, y = found
    t = (x - xa) / (xb - xa)
    inside = np.clip(t, 0, 1)
    centre = ya + (yb - ya) * rise(inside)
    tilt = np.gradient(centre[0], x[0]) if x.shape[1] > 1 else np.zeros(1)
    secant = np.sqrt(1 + tilt**2)[None].astype(np.float32)
    across = ((y - centre.astype(np.float32)) / (np.float32(half) * secant)) ** 2
    over = np.maximum(np.maximum(t - 1, -t) * np.float32(abs(xb - xa)), 0) / np.float32(half)
    q = np.minimum(across + over**2, 1)
    profile = np.sqrt(1 - q)
    strength = (1 - (1 - far) * inside) * np.clip((1.02 - t) * 7, 0, 1) * density
    # Cortex: the ray runs along the upper and lower border of the rib.
    rim = np.exp(-(((1 - np.sqrt(q)) * half / 1.1 - 0.8) ** 2)) * (q < 1) * edge
    canvas.mass[where] += (strength * (0.5 * profile + rim)).astype(np.float32)
