"""docs/add-a-method.md keeps its word: its file alone, put into the folder of the zoo, trains and predicts."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from vertenet.inference import Predictor
from vertenet.learning import Recipe, Samples, train
from vertenet.networks import build, describe, names, zoo
from vertenet.networks.zoo import registry
from vertenet.radiograph import Radiograph

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "add-a-method.md"
SIZE = (64, 64)


@pytest.fixture(scope="module")
def code() -> dict[str, str]:
    """The guide's blocks of Python by what they are."""
    table, method, test = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return {"table": table, "method": method, "test": test}


@pytest.fixture
def direct(code, tmp_path, monkeypatch):
    """The guide's method in a second folder of the zoo; gone after the test."""
    monkeypatch.setattr(registry, "_BUILDERS", dict(registry._BUILDERS))
    (tmp_path / "direct.py").write_text(code["method"], encoding="utf-8")
    monkeypatch.setattr(zoo, "__path__", [*zoo.__path__, str(tmp_path)])
    zoo._import_files()
    yield
    del sys.modules[f"{zoo.__name__}.direct"]
    del zoo.direct


def samples(count: int) -> Samples:
    """Noise with corners; enough to train on, not to learn from."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (count, *SIZE)).astype(np.uint8)
    corners = rng.uniform(5, 59, (count, 6, 4, 2)).astype(np.float32)
    centres = np.full((count, 8, 2), np.nan, np.float32)
    centres[:, 1:7] = corners.mean(axis=2)
    return Samples(images, corners, centres, np.full((count, 2), SIZE, np.int32))


def test_the_method_of_the_guide_is_found_trains_and_predicts(direct, tmp_path):
    assert "direct" in names()
    assert describe("direct") == "ResNet18 and a linear layer: positions straight from mean features."
    settings = {"steps": 2, "batch": 2, "warmup": 1, "validate_every": 2, "threads": 1, "device": "cpu"}
    recipe = Recipe(network="direct", options={"input_size": SIZE}, **settings)
    weights = train(recipe, samples(4), samples(1), tmp_path / "run", training_data="noise", synthetic_only=True)
    reading = Predictor(weights, threads=1)(Radiograph(samples(1).images[0].astype(np.float32), anterior="right"))
    points = reading.spine.to_array()
    assert points.shape == (6, 4, 2)
    assert np.isfinite(points).all()
    assert not reading.levels.certain


def test_the_tests_of_the_guide_pass(direct, code):
    tests: dict = {}
    exec(compile(code["test"], str(GUIDE), "exec"), tests)
    found = [function for name, function in tests.items() if name.startswith("test_")]
    assert len(found) == 2
    for function in found:
        function()


def test_a_row_of_the_guides_table_is_a_network(code, monkeypatch):
    monkeypatch.setattr(registry, "_BUILDERS", dict(registry._BUILDERS))
    exec(compile(code["table"], str(GUIDE), "exec"), {})
    with torch.device("meta"):
        network = build("vertenet-resnet18", input_size=(256, 256))
    assert network.plan.encoder == "resnet18"
