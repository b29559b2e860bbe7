"""What happens to an image after exposure: motion between scan lines, burned-in text, grey levels, JPEG."""

from __future__ import annotations

import io

import numpy as np

from .canvas import Field
from .streams import stream


def sway(field: Field, amount: float, seed: int) -> np.ndarray:
    """(rows,) displacement of each scan line, pixels: a slow sway of ``amount`` pixels."""
    rng = stream(seed, "motion")
    phase, length = rng.uniform(0, 2 * np.pi, 3), rng.uniform([25, 60, 140], [60, 140, 300])
    y = np.arange(field.rows) * field.sy
    waves = np.sin(y[:, None] / length * 2 * np.pi + phase)
    return amount * waves @ np.array([0.3, 0.3, 0.4])


def swayed(image: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Move every row to the right by its ``shift`` (pixels), linear interpolation."""
    columns = np.arange(image.shape[1])
    place = np.clip(columns[None] - shift[:, None], 0, image.shape[1] - 1)
    low = np.minimum(place.astype(int), image.shape[1] - 2)
    share = (place - low).astype(np.float32)
    first = np.take_along_axis(image, low, 1)
    return first + share * (np.take_along_axis(image, low + 1, 1) - first)


def quantised(grey: np.ndarray, bits: int) -> np.ndarray:
    """Round to the levels of a ``bits`` deep image, still 0 to 255, float32."""
    top = 2**bits - 1
    return (np.rint(np.clip(grey, 0, 255) * (top / 255)) * (255 / top)).astype(np.float32)


def jpeg(grey: np.ndarray, quality: int) -> np.ndarray:
    """What a JPEG of that quality gives back."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.rint(grey).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), dtype=np.float32)


#: A 5 x 3 pixel alphabet for burned-in text.
_GLYPHS = {
    "A": "757755", "L": "444447", "R": "757655", "T": "722222", "D": "655556", "X": "552255", "0": "755557",
    "1": "262227", "2": "717447", "3": "717117", "5": "747117", "7": "711222", "m": "006777", " ": "000000",
}  # fmt: skip


def burn_text(grey: np.ndarray, seed: int) -> np.ndarray:
    """Burn a side marker and a line of text into a corner."""
    rng = stream(seed, "text")
    image = grey.copy()
    line = ["R", "L", "DXA LAT", "LAT 27", "A 2035 mm", "L T 1"][int(rng.integers(6))]
    scale = int(rng.integers(1, 4)) * max(1, image.shape[1] // 400)
    mark = np.concatenate([np.pad(_glyph(c), ((0, 0), (0, 1))) for c in line], axis=1)
    mark = np.kron(mark, np.ones((scale, scale), bool))
    rows, columns = image.shape
    if mark.shape[0] + 8 > rows or mark.shape[1] + 8 > columns:
        return image
    row = int(rng.integers(3, max(rows // 12, 8))) if rng.random() < 0.6 else rows - mark.shape[0] - 5
    column = int(rng.integers(3, columns - mark.shape[1] - 3))
    spot = image[row : row + mark.shape[0], column : column + mark.shape[1]]
    if rng.random() < 0.3:
        spot[:] = 0
    spot[mark] = 255
    return image


def burn_lines(grey: np.ndarray, kind: str, seed: int) -> np.ndarray:
    """Burn thin lines: ``boxes`` and slanting lines about the spine as reports draw them, or a calibration ``grid``."""
    rng = stream(seed, "lines")
    image = grey.copy()
    rows, columns = image.shape
    tone = np.float32(rng.uniform(90, 255))
    wide = max(1, round(columns / rng.uniform(250, 500)))
    if kind == "grid":
        step = int(rng.uniform(0.18, 0.4) * columns)
        for start in range(int(rng.integers(step)), columns, step):
            image[:, start : start + wide] = np.maximum(image[:, start : start + wide], tone)
        for start in range(int(rng.integers(step)), rows, step):
            image[start : start + wide] = np.maximum(image[start : start + wide], tone)
        return image
    for _ in range(int(rng.integers(1, 11))):
        height, width = (max(int(rng.uniform(0.03, 0.09) * rows), 8), max(int(rng.uniform(0.05, 0.2) * columns), 8))
        r, c = int(rng.integers(0, rows - height)), int(rng.integers(0, columns - width))
        image[r : r + height, [c, c + width - 1]] = tone
        image[[r, r + height - 1], c : c + width] = tone
    if rng.random() < 0.5:
        place = np.arange(rows)
        column = np.rint(columns * rng.uniform(0.15, 0.6) + rng.uniform(-0.25, 0.25) * columns * place / rows)
        inside = (column >= 0) & (column < columns)
        image[place[inside], column[inside].astype(int)] = tone
    return image


def stitched(grey: np.ndarray, seed: int) -> np.ndarray:
    """Join two exposures: a bright line across the upper half, noise lines about it, another tone above than below."""
    rng = stream(seed, "seam")
    image = grey.copy()
    rows = len(image)
    row = int(rng.uniform(0.08, 0.5) * rows)
    image[:row] = np.clip(image[:row] * rng.uniform(0.75, 1.2) + rng.uniform(-20, 20), 0, 255)
    for _ in range(int(rng.integers(2, 9))):
        near = int(np.clip(row + rng.normal(0, 0.015) * rows, 0, rows - 1))
        image[near] = np.clip(image[near] + rng.uniform(8, 40), 0, 255)
    thick = max(1, rows // 700)
    image[row : row + thick] = rng.uniform(200, 255)
    return image


def _glyph(character: str) -> np.ndarray:
    return np.array([[int(digit) >> shift & 1 for shift in (2, 1, 0)] for digit in _GLYPHS[character]], bool)
