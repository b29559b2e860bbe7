from __future__ import annotations

import numpy as np
import pytest

from tests.strategies import SpineShape, corner_array
from vertenet.spine import Spine


@pytest.fixture
def corners() -> np.ndarray:
    """(6, 4, 2) corners of a normal spine in an image of 1104 x 402, anterior right, to half pixels."""
    shape = SpineShape(size=(1104, 402), depth=0.19, lordosis=1.0, tilt=0.03, noise=0.5, seed=7)
    return np.round(corner_array(shape) * 2) / 2


@pytest.fixture
def plain(corners) -> Spine:
    return Spine.from_array(corners)
