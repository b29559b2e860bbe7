"""What is typical: the distance on data whose law is known, the order of the questions, and the shipped weights."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.inference import foreign
from tests.inference.test_predictor import SAMPLES
from tests.strategies import SpineShape, corner_array
from vertenet.errors import ModelError, OptionError
from vertenet.imaging import read
from vertenet.inference import Predictor
from vertenet.inference.typicality import PLAIN, RATE, STEPS, UNLIKE, Typicality, mean_confidence
from vertenet.phantom import generate
from vertenet.radiograph import Radiograph
from vertenet.spine import STANDARD_LEVELS, Spine

CHANNELS = 40


def gaussian(seed: int, n: int, shift: float = 0.0, turn: float = 1.0) -> np.ndarray:
    """Features that spread along few directions; ``turn`` -1 is an image upside down."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(6, CHANNELS))
    x = rng.normal(size=(n, 6)) @ mixing + 0.3 * rng.normal(size=(n, CHANNELS)) + 5
    x[:, 0] += 4 * turn
    x[:, 1] += shift
    return x


@pytest.fixture(scope="module")
def typicality():
    return Typicality.fit(gaussian(0, 400), gaussian(1, 200, turn=-1), np.full(200, 20.0), np.full(400, 0.7))


def spine(confidence: float) -> Spine:
    corners = corner_array(SpineShape((1104, 402), 0.15, 1.0, 0.0, 0.0, 0))
    return Spine.from_array(corners, STANDARD_LEVELS, confidence=np.full((6, 4), confidence))


def never():
    raise AssertionError("a second look was asked for")


def plain(typicality) -> np.ndarray:
    """Features of an image that needs no second look."""
    return min(gaussian(2, 50), key=typicality.distance)


def test_images_like_those_of_calibration_are_rarely_called_unlike(typicality):
    far = [typicality.distance(row) > typicality.limit for row in gaussian(3, 2000)]
    assert np.mean(far) < 2.5 * RATE


def test_images_from_elsewhere_are_far(typicality):
    near = [typicality.distance(row) < typicality.limit for row in gaussian(4, 200, shift=6.0)]
    assert np.mean(near) < 0.01


def test_the_distance_is_the_mahalanobis_distance_where_no_direction_is_left_out():
    x = np.random.default_rng(5).normal(size=(400, 8)) * np.arange(1, 9)
    x[:, 0] += x[:, 7] / 4
    found = Typicality.fit(x, x + 3, np.ones(9), np.ones(9))
    own = x[::2]
    covariance = np.cov(own.T)
    for row in x[1::40]:
        expected = np.sqrt((row - own.mean(0)) @ np.linalg.solve(covariance, row - own.mean(0)))
        assert typical_close(found.distance(row), expected)


def typical_close(a: float, b: float) -> bool:
    return abs(a - b) < 0.02 * b


def test_upside_down_is_told_from_upright(typicality):
    assert all(typicality.uprightness(row) > 0 for row in gaussian(7, 100))
    assert all(typicality.uprightness(row) < 0 for row in gaussian(8, 100, turn=-1))


def test_a_plain_image_is_read_without_a_second_look(typicality):
    quality = typicality.judge(plain(typicality), spine(0.7), never, never)
    assert quality.typical
    assert quality.reasons == ()
    assert quality.score > 1 - PLAIN


@pytest.mark.parametrize(
    ("facing", "confidence", "typical", "reason"),
    [
        (15.0, 0.6, True, UNLIKE),
        (2.0, 0.6, False, "does not look like a lateral spine"),
        (15.0, 0.3, False, "does not look like a lateral spine"),
        (-15.0, 0.6, False, "to face the other side"),
    ],
)
def test_a_strange_image_is_read_only_where_a_lateral_spine_is_seen(typicality, facing, confidence, typical, reason):
    strange = gaussian(9, 1, shift=30.0)[0]
    quality = typicality.judge(strange, spine(confidence), lambda: facing, lambda: -1.0)
    assert quality.typical is typical
    assert reason in quality.reasons[0]
    assert quality.score == 0


def test_an_image_whose_vertebrae_are_named_with_more_evidence_upside_down_is_refused(typicality):
    features = gaussian(10, 1, turn=-1)[0]
    quality = typicality.judge(features, spine(0.7), lambda: 20.0, lambda: 0.4)
    assert not quality.typical
    assert "upside down" in quality.reasons[0]
    upright = typicality.judge(features, spine(0.7), lambda: 20.0, lambda: -0.4)
    assert not any("upside down" in reason for reason in upright.reasons)


def test_nothing_found_is_refused_whatever_the_features_say(typicality):
    quality = typicality.judge(plain(typicality), Spine(()).select(STANDARD_LEVELS), never, never)
    assert not quality.typical
    assert "No spine was found" in quality.reasons[0]


def test_mean_confidence_counts_present_corners_alone():
    assert mean_confidence(spine(0.25)) == 0.25
    assert mean_confidence(Spine(()).select(["L1"])) == 0


def test_typicality_survives_json_exactly_and_stays_small(typicality):
    text = json.dumps(typicality.to_dict(), allow_nan=False)
    again = Typicality.from_dict(json.loads(text))
    assert again.to_dict() == typicality.to_dict()
    row = gaussian(11, 1)[0]
    assert again.distance(row) == typicality.distance(row)
    assert len(text) < 60_000 * CHANNELS / 256
    assert len(again.distances) == STEPS + 1


def test_parts_that_do_not_fit_are_refused(typicality):
    data = typicality.to_dict()
    with pytest.raises(ModelError, match="do not fit"):
        Typicality.from_dict({**data, "mean": data["mean"][:-1]})
    with pytest.raises(ModelError, match="not positive"):
        Typicality.from_dict({**data, "noise": 0.0})
    with pytest.raises(ModelError, match="not finite"):
        Typicality.from_dict({**data, "limit": float("nan")})


def test_too_few_images_are_said_to_be_too_few():
    with pytest.raises(OptionError, match="39 images are too few"):
        Typicality.fit(gaussian(0, 39), gaussian(1, 20), np.ones(20), np.ones(39))


@pytest.fixture(scope="module")
def predictor():
    return Predictor("vertenet-lite")


FOREIGN = {
    "hand": foreign.hand(),
    "spine from the front": foreign.front_spine(),
    "chest": foreign.chest(),
    "text": foreign.text_page(),
    "noise": foreign.noise(),
    "smooth noise": foreign.noise(1, smooth=6.0),
    "blank": np.full(foreign.SHAPE, 90, np.float32),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_the_shipped_weights_refuse_what_is_no_lateral_spine(predictor, name):
    reading = predictor(Radiograph(FOREIGN[name]))
    assert not reading.quality.typical
    assert all(vertebra.is_missing for vertebra in reading.spine)
    assert not reading.levels.certain
    assert reading.levels.alternative is None
    assert reading.radius_scale == {}
    assert set(reading.quality.reasons) <= set(reading.warnings)
    assert reading.crop.state.value == "could not be assessed"


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_the_shipped_weights_refuse_a_spine_that_lies_or_stands_on_its_head(predictor, quarters):
    pixels = read(SAMPLES / "01-clean-horizon.png").pixels
    assert not predictor(Radiograph(np.rot90(pixels, quarters))).quality.typical


@pytest.mark.parametrize(
    "image", ["01-clean-horizon.png", "02-clean-4500a-dicom.dcm", "04-fracture-L1-wedge.png", "10-facing-left.png"]
)
def test_the_shipped_weights_read_the_samples_with_radii(predictor, image):
    reading = predictor(read(SAMPLES / image))
    assert reading.quality.typical
    radii = [corner.radius for _, corner in reading.spine.named_points() if corner.is_present]
    assert all(radius is not None and 0.2 < radius < 30 for radius in radii)
    assert reading.radius_scale["80"] < reading.radius_scale["90"] == 1.0 < reading.radius_scale["95"]


def _foreign_pictures():
    """191 pictures that are no lateral spine: drawn hands, fronts, chests, pages, textures, and turned spines."""
    for seed in range(20):
        yield "hand", foreign.hand(seed)
        yield "chest", foreign.chest(seed)
        yield "text", foreign.text_page(seed)
        yield "noise", foreign.noise(seed)
        yield "smooth noise", foreign.noise(100 + seed, smooth=1.0 + seed)
    for seed in range(40):
        yield "spine from the front", foreign.front_spine(seed)
    for seed in range(17):
        pixels = generate(850_600 + seed).radiograph.pixels
        for quarters in (1, 2, 3):
            yield f"spine turned by {90 * quarters} degrees", np.rot90(pixels, quarters)


@pytest.mark.long
def test_of_191_foreign_pictures_at_least_98_percent_are_refused(predictor):
    read_all_the_same = [name for name, pixels in _foreign_pictures() if predictor(Radiograph(pixels)).quality.typical]
    assert len(read_all_the_same) <= 0.02 * 191, read_all_the_same
