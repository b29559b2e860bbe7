"""The sacrum and the iliac wings, from hardly seen to a white mass in which L5 is hidden.

On a lateral densitometer image L5 is seen through the wings: whoever takes the white body at the bottom for the sacrum
names every vertebra one level too high.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import Body, Column
from .canvas import Canvas
from .streams import stream
from .switches import Switches


@dataclass(frozen=True)
class Wings:
    """How the sacrum and the iliac wings show.

    Attributes
    ----------
    fossa : float
        Factor on the thickness below the rim.
    lift : float
        Height of the crests above where they usually lie, vertebral depths.
    back : float
        How far behind its usual place the summit lies, vertebral depths.
    fall : float
        How steeply the crests go down in front of the summit, beside their bow.
    blur_mm : float
        Over how much more than usual the upper border rises: two crests side by side, seen by a divergent beam.
    mass : float
        Factor on the mass of the sacrum and of the ilium beside it.
    sacrum : float or None
        Strength of the outlines of the sacral segments; None for a sacrum without.
    """

    fossa: float = 1.0
    lift: float = 0.0
    back: float = 0.0
    fall: float = 0.0
    blur_mm: float = 0.0
    mass: float = 1.0
    sacrum: float | None = None


def draw_wings(seed: int, switches: Switches, film: bool) -> Wings:
    """Wings of the strength that the switch ``pelvis`` asks for; the rest of their shape is drawn.

    The divergent beam of a film throws the crests higher, and its softer beam makes less of the bone and more of the
    outlines of the sacrum.
    """
    rng = stream(seed, "wings")
    amount = switches.pelvis * float(rng.uniform(0.7, 1.3))
    return Wings(
        fossa=(0.3 if film else 0.8) * amount,
        lift=float(rng.uniform(0.0, 0.4)) if film else 0.0,
        back=float(rng.uniform(0.0, 1.0)) if film else float(rng.uniform(-0.3, 0.8)),
        fall=float(rng.uniform(0.0, 0.5)),
        blur_mm=float(rng.uniform(0.0, 22.0)),
        mass=0.15 + 0.1 * amount if film else 0.5 + 0.25 * amount,
        sacrum=float(rng.uniform(0.3, 1.5)) if film or rng.random() < 0.6 else None,
    )


def project_pelvis(canvas: Canvas, column: Column, seed: int, switches: Switches, wings: Wings) -> None:
    """Add the sacrum with its wings, and both iliac wings whose crests cross L4/L5 and L5."""
    shape = stream(seed, "pelvis").uniform(0.0, 1.0, 12)
    bone, strength = switches.bone, switches.overlap * switches.bone
    s1 = column["S1"]
    unit, core = column.unit, bone * wings.mass
    forward, down = s1.forward, np.array([-s1.forward[1], s1.forward[0]])
    turn, step, centre = 0.0, 0.72 * unit, s1.centre.copy()
    lean = float(np.arctan2(down[1], down[0]))
    wing = s1.centre - forward * 0.35 * unit + down * 0.45 * unit
    canvas.ellipsoid(wing, (1.15 * unit, 0.75 * unit), 75, lean, 0.24 * core, 0.06 * bone, 0.8)
    if wings.sacrum is not None:
        _segments(canvas, s1, unit, wings.sacrum * bone)
    for k in range(4):
        turn += np.radians(9 + 5 * k)
        direction = down * np.cos(turn) - forward * np.sin(turn)
        centre = centre + direction * step * (1 - 0.12 * k)
        lean = float(np.arctan2(direction[1], direction[0]))
        size = 1 - 0.12 * k
        canvas.ellipsoid(centre, (0.5 * unit, 0.44 * size * unit), 60 * size, lean, 0.2 * core, 0.15 * core, 0.6)
        behind = centre - forward * 0.35 * unit
        canvas.ellipsoid(behind, (0.5 * unit, 0.34 * unit), 50 * size, lean, 0.2 * core, 0.1 * bone, 0.7)
    above = column.bodies[-2]
    for side in (0, 1):
        lift = (switches.crests + 0.3 * (shape[4] - 0.5) * side + wings.lift) * unit
        top = above.centre + np.array([(0.1 + 0.5 * shape[5] - wings.back) * unit + 4 * side, 3 * side - lift])
        _wing(canvas, top, unit, shape, strength, wings)


def _segments(canvas: Canvas, s1: Body, unit: float, strength: float) -> None:
    """S2 to S5 with their outlines: in front one line bent backward, behind it the segments, ever shallower."""
    forward, front, turn = s1.forward, s1.ia, 0.0
    for k in range(4):
        turn += np.radians(9 + 5 * k)
        lower = np.array(
            [
                forward[0] * np.cos(turn) + forward[1] * np.sin(turn),
                forward[1] * np.cos(turn) - forward[0] * np.sin(turn),
            ]
        )
        end = front + np.array([-lower[1], lower[0]]) * 0.66 * unit * (1 - 0.12 * k)
        deep = unit * (0.70 - 0.11 * k)
        corners = np.stack([front - lower * deep, front, end, end - lower * (deep - 0.09 * unit)])
        canvas.plate(corners, 55 - 8 * k, 0.05 * strength, 0.40 * strength * (1 - 0.15 * k))
        front = end


def _wing(canvas: Canvas, top: np.ndarray, unit: float, shape: np.ndarray, strength: float, wings: Wings) -> None:
    """One iliac wing below its crest: a dome, thick at the rim and thin in the fossa."""
    _, _, right, bottom = canvas.field.extent
    found = canvas.window(top[0] - 2.6 * unit, top[1] - 2, min(top[0] + 3.4 * unit, right), bottom)
    if found is None:
        return
    where, x, y = found
    u = (x - np.float32(top[0])) / np.float32(unit)
    before = (0.16 + 0.12 * shape[7]) * u**2 + wings.fall * u
    crest = np.where(u < 0, (0.42 + 0.2 * shape[6]) * np.abs(u) ** 1.9, before)
    ends = np.clip((2.3 + u) * 2, 0, 1) * np.clip((3.2 - u) * 2, 0, 1)
    depth = y - np.float32(top[1]) - (crest * unit).astype(np.float32)
    inside = np.clip(depth / (2.5 + 4 * shape[9] + wings.blur_mm), 0, 1) * ends.astype(np.float32)
    # The wings end where the sockets of the hips begin.
    inside *= np.clip((170 - depth) / 50, 0, 1)
    rim = np.exp(-(((depth - 4) / (3.5 + 4 * shape[10])) ** 2)) * (0.15 + 0.3 * shape[11])
    plate = wings.fossa * (0.16 + 0.26 * np.clip(depth / 60, 0, 1) + 0.35 * wings.mass * np.clip(0.3 - u, 0, 1.5))
    canvas.mass[where] += (inside * (rim + plate) * np.float32(strength)).astype(np.float32)
