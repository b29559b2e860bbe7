"""From folders of files and counts of phantoms to weights."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from vertenet.annotation import Annotation, save
from vertenet.errors import AnnotationError, OptionError
from vertenet.learning import TEST_SEEDS, Data, Recipe, TrainingStopped, phantom_samples
from vertenet.learning.cases import annotated_cases, case_samples
from vertenet.learning.finetuning import LOWER_LOOKS
from vertenet.learning.run import run_training
from vertenet.networks import load_weights
from vertenet.phantom import generate, write
from vertenet.spine import STANDARD_LEVELS

SIZE = (128, 128)
RECIPE = Recipe(
    options={"input_size": SIZE, "parts": ((), (), ())},
    steps=2,
    batch=2,
    warmup=1,
    validate_every=2,
    threads=1,
    device="cpu",
)


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """Three annotated images, one of them facing left, and one image without landmarks."""
    folder = tmp_path_factory.mktemp("annotated")
    for seed, side in ((50, "right"), (51, "left"), (52, "right"), (53, "right")):
        phantom = generate(seed, difficulty="easy", anterior=side, crop=None)
        image = write(phantom, folder, name=f"scan{seed}")
        # Without its truth file an image is one that a person annotated, or nobody.
        image.with_name(f"scan{seed}.truth.json").unlink()
        if seed != 53:
            spine = phantom.truth.spine
            save([Annotation(spine, image.name, *phantom.radiograph.pixels.shape)], folder / f"scan{seed}.mrk.json")
    return folder


def test_a_folder_of_images_and_markups_becomes_samples_that_face_right(annotated):
    samples = case_samples(annotated_cases(annotated), SIZE)
    assert samples.corners.shape == (3, 19, 4, 2)
    # SA lies to the right of SP in every sample, also in the one that faced left.
    assert (samples.corners[:, :6, 0, 0] > samples.corners[:, :6, 1, 0]).all()


def test_landmarks_of_a_sample_lie_where_the_bright_endplates_are(annotated):
    samples = case_samples(annotated_cases(annotated), SIZE)
    truth = generate(50, difficulty="easy", anterior="right", crop=None).truth
    frame = SIZE[1] / truth.columns, SIZE[0] / truth.rows
    expected = (truth.spine.to_array(STANDARD_LEVELS) + 0.5) * frame - 0.5
    assert np.abs(samples.corners[0, :6] - expected).max() < 1e-3


def test_training_on_a_folder_says_what_it_has_seen(annotated, tmp_path):
    _, card = load_weights(run_training(replace(RECIPE, data=Data(folder=str(annotated))), tmp_path))
    assert not card.synthetic_only
    assert card.training_data == "2 annotated images of 2 persons"
    assert card.metrics["validation_images"] == 1


def test_one_persons_scans_are_validated_on_themselves_and_the_card_says_so(annotated, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    for file in annotated.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with (folder / "cases.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("image", "person"), *((f"scan{seed}.png", "ada") for seed in (50, 51, 52))])
    _, card = load_weights(run_training(replace(RECIPE, data=Data(folder=str(folder))), tmp_path / "out"))
    assert card.training_data == "3 annotated images of 1 person, validated on themselves"


def test_training_on_phantoms_says_synthetic_and_keeps_its_samples(tmp_path):
    recipe = replace(RECIPE, data=Data(phantoms=3, validation_phantoms=2))
    _, card = load_weights(run_training(recipe, tmp_path, workers=0))
    assert card.synthetic_only
    assert "3 synthetic densitometer images" in card.training_data
    assert card.recipe["data"]["phantoms"] == 3
    shards = sorted((tmp_path / "samples").glob("*.npz"))
    assert len(shards) == 2
    before = [shard.stat().st_mtime_ns for shard in shards]
    phantom_samples(tmp_path / "samples", 3, SIZE, difficulty="training")
    assert [shard.stat().st_mtime_ns for shard in shards] == before


def test_a_folder_and_phantoms_drawn_on_the_fly_train_together(annotated, tmp_path):
    data = Data(folder=str(annotated), phantoms=100_000, on_the_fly=True, difficulty="easy", validation_phantoms=2)
    _, card = load_weights(run_training(replace(RECIPE, data=data), tmp_path, workers=0))
    assert card.recipe["images"] == 100_000 + 2 * (1 + LOWER_LOOKS)
    assert not card.synthetic_only


def test_a_folder_of_phantoms_makes_weights_that_own_up_to_them(tmp_path):
    scans = tmp_path / "scans"
    for seed in (50, 51):
        write(generate(seed, difficulty="easy"), scans)
    _, card = load_weights(run_training(replace(RECIPE, data=Data(folder=str(scans))), tmp_path / "out"))
    assert card.synthetic_only
    assert card.training_data == "1 synthetic phantom images of a folder (hologic-horizon)"
    assert card.recipe["data"]["folder"] == "scans"


def test_reading_a_folder_ends_when_somebody_wants_to_stop(annotated, tmp_path):
    with pytest.raises(TrainingStopped):
        run_training(replace(RECIPE, data=Data(folder=str(annotated))), tmp_path, should_stop=lambda: True)


def test_the_reserved_test_seeds_cannot_be_trained_on(tmp_path):
    with pytest.raises(OptionError, match="reserved"):
        phantom_samples(tmp_path, 200, SIZE, difficulty="easy", first_seed=TEST_SEEDS.start - 100)


def test_nothing_to_train_on_is_said(tmp_path):
    with pytest.raises(OptionError, match="nothing to train on"):
        run_training(RECIPE, tmp_path)
    with pytest.raises(AnnotationError, match="holds no image that can be read"):
        run_training(replace(RECIPE, data=Data(folder=str(tmp_path))), tmp_path / "out")
