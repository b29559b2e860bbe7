"""The training loop on a network small enough to train in a test, over samples with a learnable pattern."""

import csv
import json
import math

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.learning.boxes import SIZE, boxes
from tests.learning.small import small
from vertenet.errors import ModelError, OptionError
from vertenet.imaging.frame import Frame
from vertenet.learning import Recipe, TrainingStopped, train, validate
from vertenet.learning.augmentation import Augmentation
from vertenet.learning.feed import AugmentedImages, Plan, make_loader
from vertenet.learning.learner import Learner
from vertenet.networks import build, load_weights
from vertenet.networks.zoo import registry
from vertenet.spine import Spine

#: A network of the zoo, with batch norm, as small as it gets.
LITE = {"network": "vertenet-lite", "options": {"input_size": SIZE, "parts": ((), (), ())}}


@pytest.fixture(scope="module", autouse=True)
def small_network():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._BUILDERS, "small", small)
        yield


def recipe(**changes):
    settings = {"network": "small", "steps": 4, "batch": 2, "warmup": 2, "validate_every": 2, "threads": 1}
    return Recipe(**{**settings, **changes}, device="cpu")


def run(folder, recipe, samples=None, **options):
    return train(recipe, samples or boxes(), boxes(2, 1), folder, training_data="boxes", synthetic_only=True, **options)


def rows(folder):
    return list(csv.DictReader((folder / "log.csv").open()))


def same(a, b):
    ours, theirs = load_weights(a)[0].state_dict(), load_weights(b)[0].state_dict()
    return all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    reported = []
    run(folder, recipe(), report=reported.append)
    return folder, reported


def test_a_run_leaves_weights_card_recipe_and_log(whole):
    folder, _ = whole
    network, card = load_weights(folder / "weights.safetensors")
    assert network.input_size == SIZE
    assert card.training_data == "boxes"
    assert card.synthetic_only
    assert card.metrics["steps"] == 4
    assert card.recipe["cost"]["images_seen"] == 8
    assert card.recipe["cost"]["device"]
    assert card.recipe["cost"]["seconds"] > 0
    assert Recipe.from_dict(json.loads((folder / "recipe.json").read_text())).batch == 2
    assert [row["step"] for row in rows(folder)] == ["2", "4"]
    assert float(rows(folder)[-1]["wh"]) > 0


def test_rows_tell_a_server_how_far_and_how_good_the_run_is(whole):
    _, reported = whole
    assert [row["progress"] for row in reported] == [0.5, 1.0]
    assert [row["epoch"] for row in reported] == pytest.approx([4 / 6, 8 / 6])
    assert all(0 <= row["best"] <= 1 for row in reported)
    assert reported[-1]["seconds_left"] == 0
    assert reported[0]["seconds_left"] == pytest.approx(reported[0]["seconds"])
    for row in reported:
        assert row["loss"] == pytest.approx(sum(row[name] for name in ("hm", "reg", "wh", "level", "anterior")))


def test_tensorboard_shows_the_same_figures_as_the_log(whole):
    folder, _ = whole
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    shown = [(event.step, event.value) for event in events.Scalars("loss")]
    assert shown == [(int(row["step"]), pytest.approx(float(row["loss"]), rel=1e-5)) for row in rows(folder)]


def test_the_same_seed_gives_the_same_weights_and_another_does_not(whole, tmp_path):
    first = whole[0] / "weights.safetensors"
    assert same(first, run(tmp_path / "again", recipe()))
    assert not same(first, run(tmp_path / "other", recipe(seed=2)))


def test_a_run_that_is_asked_to_stop_leaves_a_checkpoint_and_goes_on_from_it(whole, tmp_path):
    asked = []

    def during_the_first_validation():
        asked.append(None)
        return len(asked) == 4  # before the first step, after each of two, and then in the validation

    with pytest.raises(TrainingStopped) as stopped:
        run(tmp_path, recipe(), should_stop=during_the_first_validation)
    assert stopped.value.step == 2
    assert not (tmp_path / "weights.safetensors").exists()
    assert same(whole[0] / "weights.safetensors", run(tmp_path, recipe(), resume=True))
    assert [row["step"] for row in rows(tmp_path)] == ["2", "4"]
    assert [row["levels_right"] for row in rows(tmp_path)] == [row["levels_right"] for row in rows(whole[0])]


def test_a_run_between_validations_stops_after_the_step_it_is_in(tmp_path):
    asked = []
    with pytest.raises(TrainingStopped) as stopped:
        run(tmp_path, recipe(), should_stop=lambda: asked.append(None) or len(asked) == 2)
    assert stopped.value.step == 1


def test_a_finished_run_that_is_resumed_writes_the_same_weights_again(whole, tmp_path):
    before = (whole[0] / "weights.safetensors").read_bytes()
    (whole[0] / "weights.safetensors").unlink()
    assert run(whole[0], recipe(), resume=True).read_bytes() == before
    assert len(rows(whole[0])) == 2


def test_a_folder_that_holds_a_run_is_refused_and_so_is_resuming_with_another_recipe_or_other_data(whole):
    folder, _ = whole
    with pytest.raises(ModelError, match="holds a training run"):
        run(folder, recipe())
    with pytest.raises(ModelError, match="another recipe"):
        run(folder, recipe(batch=3), resume=True)
    with pytest.raises(ModelError, match="run on 6 images"):
        run(folder, recipe(), samples=boxes(7), resume=True)


def test_training_lowers_the_loss_on_what_it_sees_in_mixed_precision_too(tmp_path):
    still = Augmentation.none()
    run(
        tmp_path,
        recipe(steps=24, validate_every=8, augmentation=still, learning_rate=3e-3, precision="bfloat16", **LITE),
    )
    first, *_, last = rows(tmp_path)
    assert float(last["wh"]) < 0.5 * float(first["wh"])
    assert float(last["hm"]) < 0.7 * float(first["hm"])


def test_without_progress_the_run_ends_early_and_keeps_its_best_weights(tmp_path):
    # Validation images without a landmark: no network finds anything right in them, so the first score is the best.
    nothing = boxes(2, 1)
    nothing.corners[:] = np.nan
    weights = train(
        recipe(steps=40, validate_every=1, patience=2),
        boxes(),
        nothing,
        tmp_path,
        training_data="boxes",
        synthetic_only=True,
    )
    assert [row["step"] for row in rows(tmp_path)] == ["1", "2", "3"]
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    kept = load_weights(weights)[0].state_dict()
    assert all(torch.allclose(kept[key].float(), best[key].float(), atol=1e-3, rtol=1e-3) for key in kept)


def test_a_frozen_encoder_keeps_weights_and_statistics_while_the_heads_learn():
    learner = Learner(recipe(freeze="encoder", **LITE), torch.device("cpu"))
    before = {key: value.clone() for key, value in learner.network.state_dict().items()}
    plan = Plan(6, 2, range(2), seed=1)
    for number, batch in enumerate(
        make_loader(AugmentedImages(boxes(), Augmentation(), 1), plan, workers=0, pinned=False)
    ):
        learner.step(batch, number, 1e-2)
    moved = {key for key, value in learner.network.state_dict().items() if not torch.equal(value, before[key])}
    assert moved
    assert not [key for key in moved if key.startswith("encoder.")]
    with pytest.raises(OptionError, match="no part 'brain'"):
        Learner(recipe(freeze="brain"), torch.device("cpu"))


def test_a_batch_that_cannot_be_parted_evenly_is_refused():
    with pytest.raises(OptionError, match="cannot be shared"):
        Learner(recipe(batch=3, accumulate=2), torch.device("cpu"))


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(tmp_path):
    with pytest.raises(ModelError, match="no longer a finite number"):
        run(tmp_path, recipe(steps=20, validate_every=20, learning_rate=1e30, clip=1e30))
    assert not (tmp_path / "weights.safetensors").exists()


def test_a_run_bounded_by_time_ends_with_the_learning_rate_at_zero(tmp_path):
    run(tmp_path, recipe(steps=10**6, validate_every=10**6, minutes=1 / 60))
    last = rows(tmp_path)[-1]
    assert float(last["progress"]) == 1
    assert float(last["learning_rate"]) < recipe().learning_rate
    assert int(last["step"]) < 10**6


def test_validation_of_an_untrained_network_claims_nothing():
    torch.manual_seed(0)
    result = validate(build("vertenet-lite", **LITE["options"]), boxes(2))
    assert result.levels_right == 0.0
    assert result.score < 0.2


def test_the_score_counts_landmarks_that_were_not_found(monkeypatch):
    samples, network = boxes(1), build("vertenet-lite", **LITE["options"])
    monkeypatch.setattr("vertenet.learning.validation.spine_from_maps", lambda maps, shape, network: (half,))
    corners = Frame(SIZE, SIZE).to_source(samples.corners[0])
    corners[3:] = math.nan
    half = Spine.from_array(corners)
    assert validate(network, samples).sdr_4px == 0.5
    assert validate(network, samples).levels_right == 0
