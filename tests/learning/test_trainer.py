"""The training loop on a network small enough to train in a test, over samples with a learnable pattern."""

import csv
import json

import numpy as np
import pytest
import torch

from vertenet.errors import ModelError
from vertenet.learning import Recipe, Samples, train, validate
from vertenet.networks import build, load_weights

SIZE = (256, 256)
OPTIONS = {"input_size": SIZE, "parts": ((), (), ())}


def samples(n=6, seed=0):
    """Bright boxes on a dark ground, six a picture, with exact corners."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 30, (n, *SIZE)).astype(np.uint8)
    corners = np.empty((n, 6, 4, 2), np.float32)
    for i in range(n):
        left, top = rng.integers(80, 130), rng.integers(16, 32)
        for v in range(6):
            y = top + 36 * v
            images[i, y : y + 24, left : left + 40] = 220
            corners[i, v] = [[left + 39, y], [left, y], [left + 39, y + 23], [left, y + 23]]
    middle = corners.mean(2)
    centres = np.concatenate([np.full((n, 1, 2), np.nan), middle, np.full((n, 1, 2), np.nan)], axis=1)
    return Samples(images, corners, centres.astype(np.float32), np.full((n, 2), SIZE, np.int32))


def recipe(**changes):
    settings = {"options": OPTIONS, "steps": 4, "batch": 2, "warmup": 2, "validate_every": 2, "threads": 1}
    return Recipe(**{**settings, **changes})


def run(folder, recipe, **options):
    return train(recipe, samples(), samples(2, 1), folder, training_data="boxes", synthetic_only=True, **options)


def same(a, b):
    ours, theirs = load_weights(a)[0].state_dict(), load_weights(b)[0].state_dict()
    return all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_run_leaves_weights_card_recipe_and_log(tmp_path):
    weights = run(tmp_path / "run", recipe())
    network, card = load_weights(weights)
    assert network.input_size == SIZE
    assert card.training_data == "boxes"
    assert card.synthetic_only
    assert card.metrics["steps"] == 4
    assert json.loads((tmp_path / "run/recipe.json").read_text())["batch"] == 2
    rows = list(csv.DictReader((tmp_path / "run/log.csv").open()))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert float(rows[-1]["wh"]) > 0


def test_the_same_seed_gives_the_same_weights_and_another_does_not(tmp_path):
    first, again = run(tmp_path / "a", recipe()), run(tmp_path / "b", recipe())
    assert same(first, again)
    assert not same(first, run(tmp_path / "c", recipe(seed=2)))


def test_a_killed_run_resumes_to_the_bit(tmp_path):
    whole = run(tmp_path / "whole", recipe())

    class KilledError(Exception):
        pass

    def kill(row):
        if row["step"] == 2:
            raise KilledError

    with pytest.raises(KilledError):
        run(tmp_path / "killed", recipe(), report=kill)
    assert same(whole, run(tmp_path / "killed", recipe(), resume=True))


def test_a_folder_that_holds_a_run_is_refused_and_so_is_resuming_with_another_recipe(tmp_path):
    run(tmp_path, recipe())
    with pytest.raises(ModelError, match="holds a training run"):
        run(tmp_path, recipe())
    with pytest.raises(ModelError, match="another recipe"):
        run(tmp_path, recipe(batch=3), resume=True)


def test_training_lowers_the_loss_on_what_it_sees(tmp_path):
    from vertenet.learning.augmentation import Augmentation

    still = Augmentation(rotation=0, scale=0, aspect=0, shift=0, mirror=0, noise=0, blur=0, blank=0)
    run(tmp_path, recipe(steps=24, validate_every=8, augmentation=still, learning_rate=3e-3))
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert float(rows[-1]["wh"]) < 0.5 * float(rows[0]["wh"])
    assert float(rows[-1]["hm"]) < 0.7 * float(rows[0]["hm"])


def test_validation_of_an_untrained_network_claims_nothing():
    torch.manual_seed(0)
    result = validate(build("vertenet-lite", **OPTIONS), samples(2))
    assert result.levels_right == 0.0
