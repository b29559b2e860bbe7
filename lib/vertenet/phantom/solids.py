"""Vertebral bodies as solids, projected along the left-right x-ray.

A body is a block whose axial section is a superellipse (flat behind, rounder in front), with concave walls, concave
endplates inside a level rim, a cortical shell and trabecular bone. Its thickness along the ray follows from the
chord of the section. The section is cut into slices across the patient; coronal tilt moves a slice up or down and
axial rotation moves it forward or back, which is what doubles the endplates and walls of a scoliotic spine.
"""

from __future__ import annotations

import numpy as np

from .body import Body
from .canvas import Canvas

#: g/cm3: cancellous bone, and what cortex adds to it.
TRABECULAR = 0.14
CORTICAL = 0.75
_ENDPLATE_MM = 0.75
_SHELL_MM = 0.55
#: Slices across a body: enough that neighbours differ by less than a pixel or so when it is tilted.
_SLICES = (8, 16)


def project_body(canvas: Canvas, body: Body, bone: float = 1.0, cancellous: float = 1.0) -> None:
    """Add one vertebral body; ``bone`` scales its density, ``cancellous`` that of its inside alone."""
    corners = body.corners
    lean = body.half_width * (abs(np.tan(np.radians(body.coronal))) + abs(np.tan(np.radians(body.axial))))
    low, high = corners.min(0) - 1.5 - lean, corners.max(0) + 1.5 + lean
    found = canvas.window(*low, *high)
    if found is None:
        return
    where, x, y = found
    top, bottom = _side(body.sp, body.sa, x, y), _side(body.ia, body.ip, x, y)
    front, back = _side(body.sa, body.ia, x, y), _side(body.ip, body.sp, x, y)
    # Rectangular (0 to 1) places inside the body: along the depth and down the height.
    along = np.clip(back / np.maximum(front + back, 1e-3), 0, 1)
    down = np.clip(top / np.maximum(top + bottom, 1e-3), 0, 1)
    hollow = 4 * down * (1 - down)
    front = front - np.float32(body.waist_anterior) * hollow
    back = back - np.float32(body.waist_posterior) * hollow
    dish = np.clip(1 - np.abs(2 * along - 1) ** 2.6, 0, 1)
    share = body.sag_superior * dish, body.sag_inferior * dish

    slope, skew = np.tan(np.radians(body.coronal)), np.tan(np.radians(body.axial))
    pixel = np.float32(canvas.field.pixel)
    width = np.float32(body.half_width)
    density = bone * (1 + 0.9 * body.collapse)
    slices = _SLICES[bool(body.half_width * max(abs(slope), abs(skew)) > 2.2)]
    step = 2 * body.half_width / slices
    # S1 is fused with S2: its lower end is a scar, not an endplate.
    fused = np.float32(0.3 if body.name == "S1" else 1.0)
    mass = np.zeros_like(top)
    straight = abs(slope) < 0.004 and abs(skew) < 0.004
    half = _chord(front, back, width)
    shell = _shell(front, back, width, 0.0 if straight else skew * body.half_width)
    for k in range(slices // 2, slices) if straight else range(slices):
        z = -body.half_width + (k + 0.5) * step
        if not straight:
            half = _chord(front + skew * z, back - skew * z, width)
        length = np.clip(half - (abs(z) - step / 2), 0, step)
        flat = 1 - (abs(z) / body.half_width) ** 4
        upper = top - share[0] * np.float32(flat) - np.float32(slope * z)
        lower = bottom - share[1] * np.float32(flat) + np.float32(slope * z)
        filled = np.clip(upper / pixel + 0.5, 0, 1) * np.clip(lower / pixel + 0.5, 0, 1)
        plates = _layer(upper, pixel) + fused * _layer(lower, pixel)
        mass += (
            length
            * filled
            * (TRABECULAR * np.float32(cancellous) + CORTICAL * plates)
            * np.float32(2 if straight else 1)
        )
    inside = np.clip(np.minimum(top, bottom) / pixel + 0.5, 0, 1)
    mass += CORTICAL * 0.8 * shell * inside
    canvas.mass[where] += mass * np.float32(density / 10)


def _side(a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance from the line a to b, mm, positive on the right of the direction of travel (y down: the inside)."""
    nx, ny = np.array([-(b - a)[1], (b - a)[0]], np.float32) / np.float32(np.linalg.norm(b - a))
    return (x - np.float32(a[0])) * nx + (y - np.float32(a[1])) * ny


def _chord(front: np.ndarray, back: np.ndarray, half_width) -> np.ndarray:
    """Half the length of the ray inside a superellipse, mm, from the distances to its front and back walls."""
    place = np.clip((back - front) / np.maximum(back + front, 1e-3), -1, 1)
    rest = np.where(place > 0, 1 - np.abs(place) ** 3.0, 1 - np.abs(place) ** 5.0)
    return half_width * np.cbrt(np.maximum(rest, 0)) * ((front > 0) & (back > 0))


def _shell(front: np.ndarray, back: np.ndarray, width, swing: float) -> np.ndarray:
    """Length of the ray inside the cortical walls, mm; ``swing`` is how far rotation moves them at the sides, mm."""
    count = 1 if swing == 0 else int(np.clip(np.ceil(1.4 * abs(swing) / 0.7), 2, 10))
    offsets = 0.7 * swing * (2 * np.arange(count) + 1 - count) / count
    total = np.zeros_like(front)
    for offset in offsets:
        f, b = front + np.float32(offset), back - np.float32(offset)
        total += _chord(f, b, width) - _chord(f - _SHELL_MM, b - _SHELL_MM, width - _SHELL_MM)
    return np.maximum(total, 0) * np.float32(2 / count)


def _layer(distance: np.ndarray, pixel: np.float32) -> np.ndarray:
    """Share of a pixel inside the cortical endplate, which begins at distance 0."""
    spread = max(float(pixel), 0.3)
    return np.clip((_ENDPLATE_MM - distance) / spread + 0.5, 0, 1)
