"""Readers without a network, for tests of everything around it: landmarks at fixed places, or a death on demand.

They live in workers' processes, so they are found by their names here.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

from vertenet.assess import assess
from vertenet.cohort.reader import ImageReader, Job, Outcome, ReadingOptions
from vertenet.errors import ModelError
from vertenet.reading import Levels, ModelIdentity
from vertenet.spine import STANDARD_LEVELS, Corner, Spine, Vertebra

MODEL = ModelIdentity("fixed", "ab" * 32, "nothing", synthetic_only=True, decoder="levels")


class FixedPredictor:
    """A spine at the same place of every image, by its size; levels are certain where the first pixel is bright."""

    def __call__(self, radiograph, *, anterior=None, factor=1.2):
        rows, columns = radiograph.pixels.shape
        height = rows / 8
        vertebrae = []
        for number, level in enumerate(STANDARD_LEVELS):
            top = height * (number + 1)
            places = {"SA": (0.6, 0), "SP": (0.4, 0), "IA": (0.6, 0.8), "IP": (0.4, 0.8)}
            corners = {name: Corner(x * columns, top + y * height) for name, (x, y) in places.items()}
            vertebrae.append(Vertebra(level, corners))
        spine = Spine(tuple(vertebrae), anterior="right")
        certain = bool(np.ravel(radiograph.pixels)[0] > 100)
        levels = Levels(certain, 5.0 if certain else 0.5)
        return assess(radiograph, spine, model=MODEL, levels=levels, factor=factor, latency_s=0.01)


class FixedReader(ImageReader):
    """`ImageReader` without its model."""

    def __init__(self, options: ReadingOptions) -> None:
        self.options, self.predictor = options, FixedPredictor()
        scratch = options.scratch
        self.scratch = Path(scratch) if scratch and Path(scratch).is_dir() else None


class SlowReader(FixedReader):
    """Takes a twentieth of a second, so that a kill finds it at work."""

    def __call__(self, job: Job) -> Outcome:
        time.sleep(0.05)
        return super().__call__(job)


class MortalReader(FixedReader):
    """Is killed by every image called ``deadly`` and, the first time, by one called ``once``."""

    def __call__(self, job: Job) -> Outcome:
        name, mark = job.item.name, Path(job.item.path).parent / ".died"
        if name.startswith("deadly") or (name.startswith("once") and not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(job)


class HangingReader(FixedReader):
    """Never comes back from an image called ``endless``."""

    def __call__(self, job: Job) -> Outcome:
        if job.item.name.startswith("endless"):
            time.sleep(600)
        return super().__call__(job)


class UnfitReader:
    def __init__(self, options: ReadingOptions) -> None:
        raise ModelError("the weights are damaged", subject=options.weights)


class StillbornReader:
    def __init__(self, options: ReadingOptions) -> None:
        os.kill(os.getpid(), signal.SIGKILL)
