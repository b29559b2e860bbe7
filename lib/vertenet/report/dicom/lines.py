"""Polylines in source pixels: their stretches, and the parts of them that lie inside an image."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def runs(edge: np.ndarray, wanted: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """Stretches of the edge without a gap, of those of its points that are wanted."""
    if len(edge) < 2:
        return
    step = np.diff(edge[:, 1])
    joined = step <= 3 * np.median(step)
    wanted = np.ones(len(edge), bool) if wanted is None else wanted
    joined &= wanted[:-1] & wanted[1:]
    start = None
    for place, together in enumerate([*joined, False]):
        if together and start is None:
            start = place
        elif not together and start is not None:
            yield edge[start : place + 1]
            start = None


def inside(line: np.ndarray, columns: int, rows: int) -> Iterator[np.ndarray]:
    """Clip a polyline to the outer edges of the border pixels, segment by segment (Liang and Barsky 1984)."""
    low, high = np.array([-0.5, -0.5]), np.array([columns - 0.5, rows - 0.5])
    part: list[np.ndarray] = []
    for start, stop in zip(line, line[1:]):
        step = stop - start
        with np.errstate(divide="ignore", invalid="ignore"):
            first, last = (low - start) / step, (high - start) / step
        still = step == 0
        if (still & ((start < low) | (start > high))).any():
            enter, leave = 1.0, 0.0
        else:
            enter = max(0.0, np.where(still, 0.0, np.minimum(first, last)).max())
            leave = min(1.0, np.where(still, 1.0, np.maximum(first, last)).min())
        if enter >= leave:
            if len(part) > 1:
                yield np.array(part)
            part = []
            continue
        if enter > 0 and len(part) > 1:
            yield np.array(part)
        if enter > 0 or not part:
            part = [start + enter * step]
        part.append(start + leave * step)
        if leave < 1:
            yield np.array(part)
            part = []
    if len(part) > 1:
        yield np.array(part)
