"""From mass along the ray to grey levels: energy mode, point spread, noise, motion, tone, text, quantisation, JPEG."""

from __future__ import annotations

import io

import numpy as np
from scipy import ndimage

from .canvas import Field
from .profiles import ScannerProfile
from .streams import stream
from .switches import Switches

#: Effective attenuation at single-energy DXA, 1/cm of water and cm2/g of bone over the tissue it displaces.
MU_SOFT, MU_BONE = 0.20, 0.26


def expose(
    soft: np.ndarray, bone: np.ndarray, field: Field, profile: ScannerProfile, switches: Switches, seed: int
) -> np.ndarray:
    """Grey values 0 to 255, (rows, columns) float32, before blanking and storage.

    Parameters
    ----------
    soft, bone : (rows, columns) float32
        g/cm2 along the ray.
    """
    rng = stream(seed, "noise")
    log = MU_SOFT * soft + MU_BONE * bone
    sigma = profile.psf_sigma_mm * switches.blur
    # Photon noise: its share of the signal grows with the square root of the attenuation behind it.
    grain = np.exp((np.clip(log, 0, 9) - 4.0) / 2) * np.float32(profile.noise * switches.noise)
    grain *= _speckle(rng, soft.shape)
    if profile.energy == "single":
        signal = _blurred(log, field, sigma) + grain
        signal -= profile.flatten * _background(signal, field)
        grey = _stretched(signal, *profile.window)
    else:
        signal = bone + np.float32(profile.soft_residue) * (_background(soft, field, 60.0) * 0.6 + (soft - 22.0) * 0.02)
        signal = _blurred(signal, field, sigma) + 2.6 * grain
        low, high = profile.window
        grey = np.clip((signal - low) / (high - low), 0, 1)
    return _toned(grey, profile.gamma, switches.tone, stream(seed, "tone")) * np.float32(255)


def _blurred(image: np.ndarray, field: Field, sigma_mm: float) -> np.ndarray:
    return ndimage.gaussian_filter(image, (sigma_mm / field.sy, sigma_mm / field.sx), mode="nearest", truncate=3.0)


def _background(image: np.ndarray, field: Field, sigma_mm: float = 22.0) -> np.ndarray:
    """The slowly varying part, from a reduced copy."""
    step = max(int(sigma_mm / field.pixel / 6), 1)
    rows, columns = image.shape
    small = ndimage.uniform_filter(image, step, mode="nearest")[step // 2 :: step, step // 2 :: step]
    small = ndimage.gaussian_filter(small, sigma_mm / field.pixel / step, mode="nearest")
    r = (np.arange(rows) - step // 2) / step
    c = (np.arange(columns) - step // 2) / step
    tall = _interpolated(small, r)
    return _interpolated(tall.T, c).T


def _interpolated(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Rows of ``values`` at fractional places, linear."""
    place = np.clip(place, 0, len(values) - 1)
    low = np.minimum(place.astype(int), max(len(values) - 2, 0))
    share = (place - low).astype(np.float32)[:, None]
    return values[low] * (1 - share) + values[np.minimum(low + 1, len(values) - 1)] * share


def _speckle(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Unit noise, slightly smooth along the scan line and with a gain that differs a little from line to line."""
    white = rng.standard_normal(shape, dtype=np.float32)
    smooth = 0.86 * white
    smooth[:, 1:] += 0.45 * white[:, :-1]
    lines = rng.normal(0.0, 0.12, (shape[0], 1)).astype(np.float32)
    return smooth + lines


def _stretched(signal: np.ndarray, low: float, high: float) -> np.ndarray:
    sample = signal[::4, ::4]
    a, b = np.quantile(sample, [low, high])
    return np.clip((signal - a) / max(b - a, 1e-6), 0, 1)


def _toned(grey: np.ndarray, gamma: float, amount: float, rng: np.random.Generator) -> np.ndarray:
    """A monotone curve: the scanner's gamma, and for ``amount`` > 0 a random gamma, shoulder, window and offset."""
    draw = rng.uniform(-1, 1, 5)
    bend = gamma * np.exp(0.65 * amount * draw[0])
    grid = np.linspace(0, 1, 1024)
    curve = grid**bend
    steep = 1 + 5 * amount * max(draw[1], 0)
    if steep > 1:
        centre = 0.5 + 0.2 * draw[2] * amount
        s = 1 / (1 + np.exp(-steep * (curve - centre)))
        s = (s - s[0]) / (s[-1] - s[0])
        curve = curve + amount * (s - curve)
    low = 0.18 * amount * max(draw[3], 0)
    high = 1 - 0.35 * amount * max(draw[4], 0)
    curve = low + (high - low) * curve
    return np.interp(grey, grid, curve).astype(np.float32)


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


def _glyph(character: str) -> np.ndarray:
    return np.array([[int(digit) >> shift & 1 for shift in (2, 1, 0)] for digit in _GLYPHS[character]], bool)
