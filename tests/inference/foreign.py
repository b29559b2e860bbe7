"""Pictures that are no lateral spine, drawn with a few strokes: a hand, a spine from the front, a chest, a page."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

SHAPE = (560, 280)


def hand(seed: int = 0) -> np.ndarray:
    """Metacarpals and phalanges of five fingers above a wrist."""
    rng = np.random.default_rng(seed)
    picture = np.zeros(SHAPE)
    wrist = np.array([140.0, 430.0])
    for finger, degrees in enumerate((-40, -16, -3, 10, 24)):
        angle = np.radians(degrees + rng.normal(0, 2))
        along = np.array([np.sin(angle), -np.cos(angle)])
        place = wrist + 30 * along
        for number, length in enumerate((95, 65, 45, 28) if finger else (60, 50, 38)):
            length *= rng.uniform(0.85, 1.05)
            _stroke(picture, place, place + length * along, 9.0 - 1.4 * number, 150)
            place = place + (length + 9) * along
    for x in (-22, 22):
        _stroke(picture, wrist + np.array([x, 35]), wrist + np.array([x, 150]), 15.0, 150)
    return _finished(picture, rng)


def front_spine(seed: int = 0) -> np.ndarray:
    """A symmetric column: bodies, a pair of pedicles and a spinous process each, ribs to both sides above."""
    rng = np.random.default_rng(seed)
    picture = np.zeros(SHAPE)
    for number in range(9):
        x, y, half = 140 + rng.normal(0, 1), 35 + 60 * number, 26 + 1.5 * number
        for height in (-20, 20):
            _stroke(picture, (x - half, y + height), (x + half, y + height), 3.0, 150)
        for side in (-1, 1):
            _stroke(picture, (x + side * half, y - 20), (x + side * half, y + 20), 3.0, 120)
            _stroke(picture, (x + side * half * 0.6, y - 7), (x + side * half * 0.6, y + 3), 6.0, 170)
            if number < 5:
                _stroke(picture, (x + side * half, y - 8), (x + side * 110, y + 30), 5.0, 90)
        _stroke(picture, (x, y + 5), (x, y + 28), 4.0, 150)
    return _finished(picture, rng)


def chest(seed: int = 0) -> np.ndarray:
    """Two dark lungs, ribs, a heart."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    picture = np.full(SHAPE, 150.0)
    for side in (-1, 1):
        picture[((x - 140 - side * 66) / 50) ** 2 + ((y - 270) / 190) ** 2 < 1] = 40
    picture[((x - 160) / 45) ** 2 + ((y - 350) / 80) ** 2 < 1] = 180
    for number in range(9):
        for side in (-1, 1):
            _stroke(picture, (140, 70 + 48 * number), (140 + side * 130, 110 + 48 * number), 5.0, 50)
    return _finished(gaussian_filter(picture, 4), rng)


def text_page(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    picture = np.full(SHAPE, 255.0)
    for top in range(20, SHAPE[0] - 20, 18):
        for left in range(15, SHAPE[1] - 20, 9):
            if rng.random() < 0.8:
                picture[top : top + rng.integers(4, 11), left : left + rng.integers(2, 7)] = 20
    return picture.astype(np.float32)


def noise(seed: int = 0, smooth: float = 0.0) -> np.ndarray:
    rough = np.random.default_rng(seed).normal(size=SHAPE)
    picture = gaussian_filter(rough, smooth) if smooth else rough
    return np.clip(128 + 50 * picture / picture.std(), 0, 255).astype(np.float32)


def _stroke(picture: np.ndarray, start, end, radius: float, grey: float) -> None:
    """Add a rounded bar, brightest along its middle."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    low = np.maximum(np.floor(np.minimum(start, end) - radius), 0).astype(int)
    high = np.minimum(np.ceil(np.maximum(start, end) + radius) + 1, SHAPE[::-1]).astype(int)
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
    place, along = np.stack([x, y], -1) - start, end - start
    share = np.clip(place @ along / max(along @ along, 1e-9), 0, 1)
    distance = np.linalg.norm(place - share[..., None] * along, axis=-1)
    picture[low[1] : high[1], low[0] : high[0]] += grey * np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1))


def _finished(picture: np.ndarray, rng) -> np.ndarray:
    grey = gaussian_filter(picture, 1.2) + 20 + rng.normal(0, 4, picture.shape)
    return np.clip(245 * grey / grey.max(), 0, 255).astype(np.float32)
