"""From folders of files to weights."""

import numpy as np
import pytest

from vertenet.annotation import Annotation, save
from vertenet.errors import AnnotationError, OptionError
from vertenet.learning import TEST_SEEDS, Recipe, phantom_samples
from vertenet.learning.run import annotated_samples, run_training
from vertenet.networks import load_weights
from vertenet.phantom import generate, write
from vertenet.spine import STANDARD_LEVELS

SIZE = (256, 256)
RECIPE = Recipe(
    options={"input_size": SIZE, "parts": ((), (), ())}, steps=2, batch=2, warmup=1, validate_every=2, threads=1
)


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """Three annotated images, one of them facing left, and one image without landmarks."""
    folder = tmp_path_factory.mktemp("annotated")
    for seed, side in ((50, "right"), (51, "left"), (52, "right"), (53, "right")):
        phantom = generate(seed, difficulty="easy", anterior=side, crop=None)
        image = write(phantom, folder, name=f"scan{seed}")
        if seed != 53:
            spine = phantom.truth.spine
            save([Annotation(spine, image.name, *phantom.radiograph.pixels.shape)], folder / f"scan{seed}.mrk.json")
    return folder


def test_a_folder_of_images_and_markups_becomes_samples_that_face_right(annotated):
    training, validation = annotated_samples(annotated, SIZE)
    samples = np.concatenate([training.corners, validation.corners])
    assert len(training) in (2, 3)
    assert samples.shape[1:] == (6, 4, 2)
    # SA lies to the right of SP in every sample, also in the one that faced left.
    assert (samples[:, :, 0, 0] > samples[:, :, 1, 0]).all()


def test_landmarks_of_a_sample_lie_where_the_bright_endplates_are(annotated):
    training, _ = annotated_samples(annotated, SIZE)
    truth = generate(50, difficulty="easy", anterior="right", crop=None).truth
    frame = SIZE[1] / truth.columns, SIZE[0] / truth.rows
    expected = (truth.spine.to_array(STANDARD_LEVELS) + 0.5) * frame - 0.5
    assert min(np.abs(corners - expected).max() for corners in training.corners) < 1e-3


def test_training_on_a_folder_says_what_it_has_seen(annotated, tmp_path):
    _, card = load_weights(run_training(RECIPE, tmp_path, data=annotated))
    assert not card.synthetic_only
    assert "annotated images" in card.training_data


def test_training_on_phantoms_says_synthetic_and_keeps_its_samples(tmp_path, monkeypatch):
    monkeypatch.setattr("vertenet.learning.run.VALIDATION_COUNT", 2)
    _, card = load_weights(run_training(RECIPE, tmp_path, phantoms=3))
    assert card.synthetic_only
    assert "3 synthetic phantom images" in card.training_data
    shards = sorted((tmp_path / "samples").glob("*.npz"))
    assert len(shards) == 2
    before = [shard.stat().st_mtime_ns for shard in shards]
    phantom_samples(tmp_path / "samples", 3, SIZE, difficulty="training")
    assert [shard.stat().st_mtime_ns for shard in shards] == before


def test_the_reserved_test_seeds_cannot_be_trained_on(tmp_path):
    with pytest.raises(OptionError, match="reserved"):
        phantom_samples(tmp_path, 200, SIZE, difficulty="easy", first_seed=TEST_SEEDS.start - 100)


def test_nothing_to_train_on_is_said(tmp_path):
    with pytest.raises(OptionError, match="nothing to train on"):
        run_training(RECIPE, tmp_path)
    with pytest.raises(AnnotationError, match="no image with landmarks"):
        run_training(RECIPE, tmp_path / "out", data=tmp_path)
