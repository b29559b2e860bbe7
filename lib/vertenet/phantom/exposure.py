"""From mass along the ray to grey levels: energy mode, point spread, noise, window and tone curve."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .canvas import Field
from .noise import enlarged
from .profiles import ScannerProfile
from .streams import stream
from .switches import Switches

#: Effective attenuation at single-energy DXA, 1/cm of water and cm2/g of bone over the tissue it displaces.
MU_SOFT, MU_BONE = 0.20, 0.26
#: The same of bone in the softer beam of a film.
MU_BONE_FILM = 0.36


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
    bone = bone * _texture(stream(seed, "texture"), field, profile)
    log = MU_SOFT * soft + (MU_BONE_FILM if profile.energy == "film" else MU_BONE) * bone
    sigma = profile.psf_sigma_mm * switches.blur
    # Photon noise: its share of the signal grows with the square root of the attenuation behind it.
    grain = np.exp((np.clip(log, 0, 9) - 4.0) / 2) * np.float32(profile.noise * switches.noise)
    grain *= _speckle(rng, soft.shape)
    if profile.energy == "film":
        # Scatter fills what is thick: there its grain grows no further.
        most = np.float32(0.012 * switches.noise)
        grain = np.clip(grain, -most, most)
        grey = _developed(_blurred(log, field, sigma), soft, field, stream(seed, "film")) + grain
        grey = np.clip(grey, 0, 1)
    elif profile.energy == "single":
        signal = _blurred(log, field, sigma) + grain
        signal -= profile.flatten * _background(signal, field)
        grey = _windowed(signal, soft, *profile.window)
    else:
        # Fat and lean tissue differ from the two materials of the decomposition: a trace of soft tissue stays.
        uneven = soft - _background(soft, field, 30.0)
        trace = np.float32(profile.soft_residue) * (np.float32(0.07 * switches.residue) * (soft - 18.0) + uneven)
        signal = _blurred(bone + trace, field, sigma)
        signal += 1.5 * grain
        # White begins where little of the patient is denser: the arches behind L5 and the pelvis.
        low, high = profile.window
        high = max(switches.saturation * float(np.quantile(_in_patient(signal, soft), high)), low + 0.4)
        grey = np.clip((signal - low) / (high - low), 0, 1)
    return _toned(grey, profile.gamma, switches.tone, stream(seed, "tone")) * np.float32(255)


def _developed(log: np.ndarray, soft: np.ndarray, field: Field, rng: np.random.Generator) -> np.ndarray:
    """A film shown positive, 0 to 1: the exposure with its scatter on a characteristic curve.

    Exposure, contrast and beam are drawn: films are set by hand, and displays differ.
    """
    draw = rng.uniform(0, 1, 6)
    primary = np.exp(-log)
    # Air beside the patient scatters nothing; what it lets through is cut before it is spread.
    scatter = _background(np.minimum(primary, np.float32(0.02)), field, 35.0)
    exposure = np.log10(primary + np.float32(0.8 * draw[0]) * scatter + 1e-6)
    rows, columns = exposure.shape
    beam = (draw[1] - 0.5) * np.linspace(-0.5, 0.5, rows)[:, None] + (draw[2] - 0.5) * np.linspace(-0.5, 0.5, columns)
    exposure += (0.8 * beam).astype(np.float32)
    # What processing of computed radiographs evens out between thick and thin.
    exposure -= np.float32(0.15 + 0.7 * draw[5]) * _background(exposure, field, 30.0)
    thick, middle, thin = np.quantile(_in_patient(exposure, soft), [0.1, 0.12 + 0.43 * draw[3], 0.9])
    slope = (0.7 + 1.0 * draw[4]) / max(thin - thick, 0.3)
    return (1 / (1 + 10 ** (slope * (exposure - middle)))).astype(np.float32)


def _texture(rng: np.random.Generator, field: Field, profile: ScannerProfile) -> np.ndarray:
    """Bone is not even: a factor about 1 that varies over 2 to 20 mm; on densitometers more than on film, and finer."""
    film = profile.energy == "film"
    scales = ((2.2, 0.13), (7.0, 0.10), (20.0, 0.10)) if film else ((1.0, 0.30), (2.2, 0.25), (7.0, 0.13), (20.0, 0.10))
    total = np.zeros((field.rows, field.columns), np.float32)
    for size, strength in scales:
        rows, columns = (int(n * s / size) + 4 for n, s in ((field.rows, field.sy), (field.columns, field.sx)))
        total += enlarged(rng.normal(0.0, strength, (rows, columns)), field.rows, field.columns)
    total = 1 + total * np.float32(1.0 if film else rng.uniform(0.5, 1.7))
    return np.maximum(total, 0.3)


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


def _windowed(signal: np.ndarray, soft: np.ndarray, low: float, high: float) -> np.ndarray:
    """The display window: quantiles of what lies behind the patient, so that air beside him does not widen it."""
    a, b = np.quantile(_in_patient(signal, soft), [low, high])
    return np.clip((signal - a) / max(b - a, 1e-6), 0, 1)


def _in_patient(image: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """A sample of the pixels behind the patient; of all pixels where hardly any are."""
    sample = image[::4, ::4]
    patient = sample[soft[::4, ::4] > 8]
    return patient if patient.size > 200 else sample


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
