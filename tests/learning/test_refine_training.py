"""The loss of refinement and a run of seconds on painted vertebrae."""

import csv
import json

import numpy as np
import pytest
import torch

from vertenet.errors import AnnotationError, ModelError
from vertenet.learning.crop_augmentation import STILL
from vertenet.learning.crops import STORED_SIZE, Crops
from vertenet.learning.refine_loss import heatmap_divergence, laplace_nll, refinement_loss
from vertenet.learning.refine_training import RefineRecipe, train_refiner, validate_refiner
from vertenet.networks import build, load_weights
from vertenet.networks.refiner import cell_centres

SMALL = {"width": 4, "decoder": 8}


def boxes(n=48, seed=0):
    """Bright quadrilaterals on a dark ground: upright boxes of random height, a little off the middle."""
    rng = np.random.default_rng(seed)
    images = rng.integers(20, 40, (n, STORED_SIZE, STORED_SIZE)).astype(np.uint8)
    points = np.empty((n, 6, 2), np.float32)
    for i in range(n):
        left, top = rng.integers(48, 58, 2)
        height = int(rng.integers(28, 48))
        images[i, top : top + height, left : left + 54] = 220
        right, bottom = left + 53, top + height - 1
        middle = (left + right) / 2
        points[i] = [[right, top], [left, top], [right, bottom], [left, bottom], [middle, top], [middle, bottom]]
    return Crops(images, points, np.array([f"box {i}" for i in range(n)]))


def run(folder, **changes):
    settings = {"options": SMALL, "steps": 4, "batch": 8, "warmup": 2}
    recipe = RefineRecipe(**{**settings, **changes})
    return train_refiner(recipe, boxes(), boxes(16, 1), folder, training_data="boxes", synthetic_only=True)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_the_best_sigma_is_the_mean_absolute_error(beta):
    errors = torch.from_numpy(np.abs(np.random.default_rng(0).laplace(scale=1.7, size=4000))).float()
    log_sigma = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.Adam([log_sigma], lr=0.05)
    for _ in range(300):
        optimiser.zero_grad()
        laplace_nll(errors, log_sigma, beta).mean().backward()
        optimiser.step()
    assert log_sigma.exp().item() == pytest.approx(errors.mean().item(), rel=0.01)


def test_with_full_weight_positions_learn_from_their_plain_absolute_error():
    error = torch.tensor([0.3, 2.0], requires_grad=True)
    laplace_nll(error, torch.tensor([-1.0, 2.0]), beta=1.0).sum().backward()
    torch.testing.assert_close(error.grad, torch.ones(2))


def test_a_heatmap_differs_least_from_what_is_asked_where_it_is_the_gaussian_of_the_point():
    points = torch.tensor([[[40.2, 51.7]]])
    distance = (cell_centres((48, 48), 2) - points[0, 0]).square().sum(-1)
    right = (-distance / 8).reshape(1, 1, 48, 48)
    assert heatmap_divergence(right, points, 2).item() == pytest.approx(0, abs=1e-5)
    assert heatmap_divergence(right.roll(1, dims=-1), points, 2).item() > 0.1
    assert heatmap_divergence(right / 4, points, 2).item() > 0.1


def test_unknown_points_and_points_beyond_the_window_neither_count_nor_spoil_the_gradient():
    outputs = {
        "points": torch.full((1, 6, 2), 50.0),
        "log_sigma": torch.zeros(1, 6),
        "heat": torch.zeros(1, 6, 48, 48),
    }
    for value in outputs.values():
        value.requires_grad_()
    points = torch.full((1, 6, 2), 52.0)
    points[0, 1] = float("nan")
    points[0, 2, 0] = 97.0
    loss, parts = refinement_loss(outputs, points, 96)
    loss.backward()
    assert parts["error_px"] == pytest.approx(2.0)
    counted = outputs["points"].grad.abs().sum(-1)[0] > 0
    assert counted.tolist() == [True, False, False, True, True, True]
    assert all(torch.isfinite(value.grad).all() for value in outputs.values())
    empty, _ = refinement_loss(outputs, torch.full((1, 6, 2), float("nan")), 96)
    assert empty.item() == 0


def test_a_run_leaves_weights_card_recipe_and_log(tmp_path):
    weights = run(tmp_path / "run")
    network, card = load_weights(weights)
    assert (card.network, card.training_data, card.synthetic_only) == ("refiner", "boxes", True)
    assert network.input_size == (96, 96)
    assert card.metrics["steps"] == 4
    assert card.metrics["windows"] == 16
    assert json.loads((tmp_path / "run/recipe.json").read_text())["augmentation"]["rotation"] > 0
    rows = list(csv.DictReader((tmp_path / "run/log.csv").open()))
    assert [row["step"] for row in rows] == ["4"]


def test_the_same_seed_gives_the_same_weights_and_another_does_not(tmp_path):
    first, again, other = (
        load_weights(run(tmp_path / name, seed=seed))[0].state_dict() for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


def test_a_folder_that_holds_a_run_and_a_run_on_nothing_are_refused(tmp_path):
    run(tmp_path)
    with pytest.raises(ModelError, match="holds a training run"):
        run(tmp_path)
    with pytest.raises(AnnotationError, match="0 vertebrae to train on"):
        train_refiner(
            RefineRecipe(), boxes()[:0], boxes(), tmp_path / "none", training_data="none", synthetic_only=True
        )


def test_a_run_ends_after_its_minutes(tmp_path):
    _, card = load_weights(run(tmp_path, steps=100_000, minutes=0.01))
    assert card.metrics["steps"] < 1000


def test_painted_boxes_are_learned_to_a_fraction_of_their_depth(tmp_path):
    options = {"width": 6, "decoder": 12}
    torch.manual_seed(0)
    before = validate_refiner(build("refiner", **options), boxes(16, 1), STILL)
    weights = run(tmp_path, options=options, steps=70, batch=16, learning_rate=1e-2, ema=0.9, augmentation=STILL)
    after = validate_refiner(load_weights(weights)[0], boxes(16, 1), STILL)
    assert after.median < 0.02 < 0.2 < before.median
    assert after.mean < 0.04
