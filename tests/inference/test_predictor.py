"""The shipped starter weights on the shipped synthetic samples: wiring, frames, honesty. Accuracy is a benchmark's."""

from pathlib import Path

import numpy as np
import pytest

from vertenet.errors import ModelError, OptionError
from vertenet.evaluation import score_landmarks
from vertenet.imaging import read
from vertenet.inference import Predictor
from vertenet.phantom import PhantomTruth, generate
from vertenet.radiograph import Radiograph
from vertenet.reading import Reading
from vertenet.spine import STANDARD_LEVELS, Transition

SAMPLES = Path(__file__).parents[2] / "sample_data"


@pytest.fixture(scope="module")
def predictor():
    return Predictor("vertenet-lite")


def truth_of(image):
    return PhantomTruth.from_json((SAMPLES / f"{image.split('.')[0]}.truth.json").read_text())


@pytest.mark.parametrize("image", ["02-clean-4500a-dicom.dcm", "04-fracture-L1-wedge.png", "05-cropped-black.png"])
def test_samples_get_the_right_levels_and_corners_within_a_few_pixels(predictor, image):
    radiograph, truth = read(SAMPLES / image), truth_of(image)
    reading = predictor(radiograph)
    score = score_landmarks(reading.spine, truth.spine, radiograph.pixels.shape)
    assert score.levels_right
    assert np.median(score.errors) < 4
    assert reading.crop.state.value == ("cropped" if truth.crop.cropped else "clear")


@pytest.mark.parametrize("seed", [900_061, 900_062, 900_063, 900_064])
def test_drawn_films_with_a_whole_pelvis_get_the_right_levels(predictor, seed):
    radiograph, truth = generate(seed, "lumbar-film", "default", lstv=Transition.NONE)
    reading = predictor(radiograph, anterior=truth.anterior)
    assert score_landmarks(reading.spine, truth.spine, radiograph.pixels.shape).levels_right


def test_an_image_facing_left_is_read_in_its_own_pixels(predictor):
    radiograph, truth = read(SAMPLES / "10-facing-left.png"), truth_of("10-facing-left.png")
    reading = predictor(radiograph, anterior="left")
    assert reading.spine.anterior == "left"
    assert reading.image.anterior_source == "given"
    assert np.median(score_landmarks(reading.spine, truth.spine, radiograph.pixels.shape).errors) < 4


def test_the_mirror_image_gives_exactly_the_mirrored_landmarks(predictor):
    radiograph = read(SAMPLES / "01-clean-horizon.png", anterior="right")
    straight = predictor(radiograph).spine
    mirrored = predictor(radiograph.mirrored()).spine.mirrored(radiograph.columns)
    np.testing.assert_allclose(mirrored.to_array(), straight.to_array(), atol=1e-9)


@pytest.mark.parametrize("image", ["04-fracture-L1-wedge.png", "10-facing-left.png"])
def test_an_unknown_side_is_detected_and_said_to_be_so(predictor, image):
    reading = predictor(read(SAMPLES / image), anterior="auto")
    assert reading.spine.anterior == truth_of(image).anterior
    assert reading.image.anterior_source == "detected"
    assert any("detected" in warning for warning in reading.warnings)


def test_a_reading_names_its_model_and_its_synthetic_training(predictor):
    reading = predictor(read(SAMPLES / "01-clean-horizon.png"))
    assert reading.model.synthetic_only
    assert len(reading.model.sha256) == 64
    assert any("synthetic images only" in warning for warning in reading.warnings)
    assert any("millimetres" in warning for warning in reading.warnings)
    assert Reading.from_json(reading.to_json()) == reading


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_image_without_anything_in_it_yields_no_spine(predictor, grey):
    reading = predictor(Radiograph(np.full((1104, 402), grey, np.float32), anterior="right"))
    assert reading.spine.levels == STANDARD_LEVELS
    assert all(vertebra.is_missing for vertebra in reading.spine)
    assert reading.crop.state.value == "could not be assessed"
    assert any("No spine was found" in warning for warning in reading.warnings)


def test_noise_never_yields_certain_levels(predictor):
    rng = np.random.default_rng(0)
    for _ in range(4):
        noise = rng.uniform(0, 255, (1104, 402)).astype(np.float32)
        assert not predictor(Radiograph(noise, anterior="right")).levels.certain


def test_the_authors_decoding_is_there_by_name_and_never_certain(predictor):
    reading = Predictor("vertenet-lite", decoder="top-six")(read(SAMPLES / "01-clean-horizon.png"))
    assert reading.model.decoder == "top-six"
    assert not reading.levels.certain


def test_what_does_not_exist_is_said_so(predictor, tmp_path):
    with pytest.raises(ModelError, match="no-such"):
        Predictor("no-such-model")
    with pytest.raises(OptionError, match="decoder"):
        Predictor(decoder="guess")
    with pytest.raises(OptionError, match="left, right or auto"):
        predictor(read(SAMPLES / "01-clean-horizon.png"), anterior="up")
