"""Smooth random fields: a coarse grid enlarged without its squares showing."""

from __future__ import annotations

import numpy as np


def enlarged(coarse: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Cubic-smooth enlargement of a coarse grid, separable."""
    return (_weights(coarse.shape[0], rows) @ coarse.astype(np.float32)) @ _weights(coarse.shape[1], columns).T


def _weights(n: int, wanted: int) -> np.ndarray:
    """(wanted, n) quadratic B-spline weights: smooth, and without the grid's squares showing."""
    place = np.linspace(0.5, n - 1.5, wanted)[:, None] - np.arange(n)[None]
    away = np.abs(place)
    return np.where(away < 0.5, 0.75 - away**2, np.where(away < 1.5, (1.5 - away) ** 2 / 2, 0)).astype(np.float32)
