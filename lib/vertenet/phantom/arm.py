"""Arm and shoulder: the patient lies on one side with the arms forward, and the field reaches them."""

from __future__ import annotations

import numpy as np

from .body import Column
from .canvas import Canvas
from .streams import stream
from .switches import Switches


def project_arm(soft: Canvas, bone: Canvas, column: Column, seed: int, switches: Switches) -> None:
    """Add the shoulder girdle's white mass before the uppermost vertebrae, and one or two arms that hang forward."""
    rng = stream(seed, "arm")
    amount = switches.arm
    if amount <= 0:
        return
    unit = column.unit
    shoulder = column["T3"].centre + unit * np.array([rng.uniform(1.2, 3.6), rng.uniform(-1.2, 1.0)])
    for _ in range(int(rng.integers(2, 5))):
        spot = shoulder + unit * rng.normal(0.0, (0.9, 0.6))
        radii = unit * rng.uniform(0.5, 1.3, 2)
        bone.ellipsoid(spot, radii, 30, rng.uniform(0, np.pi), 0.4 * amount, 0.3 * amount, 0.7)
    soft.ellipsoid(shoulder, (3.2 * unit, 2.4 * unit), 90, rng.uniform(0, np.pi), amount, 0.0, 1.0)
    for _ in range(int(rng.integers(1, 3))):
        lean = rng.uniform(0.35, 1.45)
        along = np.array([np.cos(lean), np.sin(lean)])
        half = rng.uniform(2.2, 4.6) * unit
        middle = shoulder + along * half + unit * rng.normal(0.0, 0.3, 2)
        width = rng.uniform(0.24, 0.38) * unit
        bone.ellipsoid(middle, (half, width), 2 * width, lean, 0.12 * amount, 1.3 * amount, 0.45)
        head = shoulder + unit * rng.normal(0.0, 0.2, 2)
        bone.ellipsoid(head, (0.75 * unit, 0.7 * unit), 45, 0.0, 0.22 * amount, 0.5 * amount)
        soft.ellipsoid(middle, (1.2 * half, 4.0 * width), 60, lean, 0.9 * amount, 0.0, 0.8)
