"""Readings for the report tests, made without a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.measure.scenes import radiograph, staircase, straight_spine, tissue
from vertenet.assess import assess
from vertenet.radiograph import Radiograph
from vertenet.reading import Levels, ModelIdentity, Reading
from vertenet.spine import Spine, Vertebra

MODEL = ModelIdentity("vertenet-lite", "3fa9c12e" + "0" * 56, "phantoms", synthetic_only=True, decoder="levels")


def cropped() -> tuple[Radiograph, Reading]:
    """A white staircase over L1 and L2, levels certain."""
    image = radiograph(np.where(staircase([200] * 4, height=90), 255, tissue()))
    return image, assess(image, straight_spine(), model=MODEL, latency_s=0.5)


def unsure() -> tuple[Radiograph, Reading]:
    """Nothing wrong with the image, but L3 is missing and the levels are uncertain."""
    image = radiograph(tissue(), spacing=None)
    spine = Spine(tuple(Vertebra("L3") if v.level == "L3" else v for v in straight_spine()))
    return image, replace(assess(image, spine, model=MODEL), levels=Levels(False, 0.2))
