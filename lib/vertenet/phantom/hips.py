"""What lies below the lumbar spine and no densitometer scans: hips, thighs and buttocks, for films that show them."""

from __future__ import annotations

import numpy as np

from .body import Column
from .canvas import Canvas
from .streams import stream
from .switches import Switches

#: Centre of the hip joints from that of S1: forward and down, mm, mean and spread (pelvic incidence about 50 degrees).
_HIP_MM = ((26.0, 12.0), (104.0, 8.0))


def project_hips(soft: Canvas, bone: Canvas, column: Column, seed: int, switches: Switches) -> None:
    """Add both hip joints with the bone about them, the femora, and the wide soft tissue of the pelvis."""
    rng = stream(seed, "hips")
    s1 = column["S1"].centre
    joint = s1 + [rng.normal(*axis) for axis in _HIP_MM]
    _flesh(soft, s1, joint, rng, switches.thickness)
    _rectum(soft, s1, rng, switches.gas)
    strength = switches.bone * rng.uniform(0.35, 1.1)
    # The side further from the film is larger and, unless the patient stands exactly sideways, elsewhere.
    apart = rng.normal(0.0, (9.0, 6.0))
    for side, size in ((-0.5, 1.0), (0.5, rng.uniform(1.04, 1.16))):
        _hip(bone, s1, joint + side * apart, size * column.unit / 35.0, strength, rng)


def _hip(bone: Canvas, s1: np.ndarray, joint: np.ndarray, size: float, strength: float, rng) -> None:
    """Femoral head in its socket, shaft, ischium, pubis, and the thick bar of the ilium from socket to sacrum."""
    head = rng.uniform(22.0, 25.0) * size
    bone.ellipsoid(joint, (head, head), 2 * head, 0.0, 0.22 * strength, 0.25 * strength)
    bone.ellipsoid(joint, (1.25 * head, 1.2 * head), 34, 0.0, 0.14 * strength, 0.5 * strength, 0.6)
    lean = rng.normal(1.5, 0.12)
    shaft = joint + 95 * size * np.array([np.cos(lean), np.sin(lean)])
    bone.ellipsoid(shaft, (95 * size, 15 * size), 29, lean, 0.25 * strength, 0.7 * strength)
    bone.ellipsoid(joint + size * np.array([-22.0, 42.0]), (32 * size, 15 * size), 28, 1.9, 0.22 * strength, 0.2)
    bone.ellipsoid(joint + size * np.array([34.0, 26.0]), (30 * size, 11 * size), 24, 0.7, 0.22 * strength, 0.2)
    bar = s1 + np.array([8.0, 24.0]) - joint
    centre, reach = joint + 0.5 * bar, 0.62 * float(np.linalg.norm(bar))
    angle = float(np.arctan2(bar[1], bar[0]))
    bone.ellipsoid(centre, (reach, 24 * size), rng.uniform(18, 34), angle, 0.2 * strength, 0.12 * strength, 0.7)


def _rectum(soft: Canvas, s1: np.ndarray, rng, gas: float) -> None:
    """Gas in the hollow of the sacrum."""
    for _ in range(int(rng.integers(0, 4)) if gas else 0):
        place = s1 + np.array([rng.uniform(-25.0, 30.0), rng.uniform(45.0, 120.0)])
        size = rng.uniform(8.0, 24.0)
        soft.ellipsoid(place, (size, size * rng.uniform(0.6, 1.0)), 1.6 * size, rng.uniform(0, np.pi), -0.95, 0.0)


def _flesh(soft: Canvas, s1: np.ndarray, joint: np.ndarray, rng, thickness: float) -> None:
    """Buttocks behind and the breadth of the pelvis from side to side, growing from the iliac crests downward."""
    buttock = s1 + np.array([-rng.uniform(35.0, 70.0), rng.uniform(55.0, 105.0)])
    radii = (rng.uniform(70.0, 105.0) * thickness, rng.uniform(55.0, 80.0) * thickness)
    soft.ellipsoid(buttock, radii, rng.uniform(10.0, 80.0), np.pi / 2, 1.0, 0.0, 1.2)
    breadth = rng.uniform(10.0, 60.0) * thickness
    soft.ellipsoid(joint, (rng.uniform(110.0, 150.0), rng.uniform(95.0, 140.0)), breadth, np.pi / 2, 1.0, 0.0, 1.0)
