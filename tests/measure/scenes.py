"""Images made by hand for the crop tests: a straight spine in tissue, with what is laid over it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from scipy import ndimage

from vertenet.radiograph import Radiograph, Spacing, SpacingSource
from vertenet.spine import Spine

ROWS, COLUMNS = 900, 400
#: Depth of every vertebra, the pitch from one to the next, their height, the first top edge and the posterior wall.
DEPTH, PITCH, HEIGHT, TOP, BACK = 80.0, 100.0, 75.0, 150.0, 100.0
#: All 13 guides are 80 px long and level, so the corridor runs from x = 180 to x = 180 + 1.2 * 80.
WALL, EDGE = BACK + DEPTH, BACK + DEPTH + 1.2 * DEPTH
#: y of the discs T12/L1 ... L4/L5.
DISCS = TOP + HEIGHT + (PITCH - HEIGHT) / 2 + PITCH * np.arange(5)


def straight_spine() -> Spine:
    """T12 to L5 as equal upright rectangles, anterior to the right."""
    xy = np.empty((6, 4, 2))
    for i in range(6):
        top, bottom = TOP + PITCH * i, TOP + PITCH * i + HEIGHT
        xy[i] = [[WALL, top], [BACK, top], [WALL, bottom], [BACK, bottom]]
    return Spine.from_array(xy)


def tissue(seed: int = 0, mean: float = 90.0, noise: float = 8.0, blur: float = 1.2) -> np.ndarray:
    """Soft tissue with slow variation and the scanner's noise; near black with ``mean`` near 0 (dual energy)."""
    rng = np.random.default_rng(seed)
    slow = ndimage.gaussian_filter(rng.standard_normal((ROWS, COLUMNS)), 40)
    fine = ndimage.gaussian_filter(rng.standard_normal((ROWS, COLUMNS)), blur)
    return mean + 0.25 * mean * slow / slow.std() + noise * fine / fine.std()


def staircase(widths: list[int], height: int = 80, top: int = 0) -> np.ndarray:
    """(rows, columns) bool: bands of ``height`` rows from the right border, ``widths`` wide, from row ``top`` down."""
    mask = np.zeros((ROWS, COLUMNS), bool)
    for i, width in enumerate(widths):
        mask[top + i * height : top + (i + 1) * height, COLUMNS - width :] = True
    return mask


def radiograph(pixels: np.ndarray, quality: int | None = None, spacing: float | None = 0.5) -> Radiograph:
    """8-bit storage, as JPEG of a quality where one is given."""
    stored = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    if quality is not None:
        file = io.BytesIO()
        Image.fromarray(stored).save(file, "JPEG", quality=quality)
        stored = np.asarray(Image.open(file))
    size = None if spacing is None else Spacing(spacing, spacing, SpacingSource.USER)
    return Radiograph(stored.astype(np.float32), size)
