"""Samples with a pattern that a small network learns: six bright boxes on a dark ground, with exact corners."""

import numpy as np

from vertenet.learning import Samples

SIZE = (128, 128)


def boxes(n=6, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 30, (n, *SIZE)).astype(np.uint8)
    corners = np.empty((n, 6, 4, 2), np.float32)
    for i in range(n):
        left, top = rng.integers(40, 65), rng.integers(8, 16)
        for v in range(6):
            y = top + 18 * v
            images[i, y : y + 12, left : left + 20] = 220
            corners[i, v] = [[left + 19, y], [left, y], [left + 19, y + 11], [left, y + 11]]
    middle = corners.mean(2)
    unknown = np.full((n, 1, 2), np.nan)
    centres = np.concatenate([unknown, middle, unknown], axis=1)
    return Samples(images, corners, centres.astype(np.float32), np.full((n, 2), SIZE, np.int32))
