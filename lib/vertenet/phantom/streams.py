"""Independent random streams: forcing one switch changes that thing and leaves the rest of the phantom as it was."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, purpose: str) -> np.random.Generator:
    """The generator of ``seed`` for one named purpose ("anatomy", "switch/gas" ...); the same on every machine."""
    return np.random.default_rng(np.random.SeedSequence(int(seed), spawn_key=(zlib.crc32(purpose.encode()),)))
