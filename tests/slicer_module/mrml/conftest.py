"""A scene for each test, and the sample images with the truth about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vertenet.spine import Spine

from ..mrml_scene import REPOSITORY, MrmlScene

SAMPLES = sorted(path for path in (REPOSITORY / "sample_data").iterdir() if path.suffix in (".png", ".jpg", ".dcm"))


def truth_of(path: Path) -> Spine:
    return Spine.from_dict(json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))["spine"])


def sample(number: int) -> Path:
    return SAMPLES[number - 1]


@pytest.fixture
def world():
    with MrmlScene(450, 675) as made:
        yield made


@pytest.fixture
def stage(world):
    made = world.stage()
    yield made
    made.close()


@pytest.fixture
def editing(stage):
    """A stage with a clean image and its 24 corners and 12 mid-endplate points."""
    path = sample(2)
    stage.load(path, path.stem)
    stage.landmarks.show(truth_of(path))
    return stage
