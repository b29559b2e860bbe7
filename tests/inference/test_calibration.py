"""A calibration belongs to one weight file, survives its file exactly, and is refused anywhere else."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from tests.inference.test_conformal import fitted, study
from tests.inference.test_predictor import SAMPLES
from tests.inference.test_typicality import gaussian
from vertenet.errors import ModelError
from vertenet.imaging import read
from vertenet.inference import Predictor
from vertenet.inference.calibration import Calibration, calibration_of
from vertenet.inference.conformal import ConformalRadii
from vertenet.inference.level_statistics import LevelStatistics
from vertenet.inference.typicality import Typicality
from vertenet.models import find_weights


def made(weights: str, refiner: str | None = None, typicality: Typicality | None = None) -> Calibration:
    refined = None if refiner is None else fitted(5)
    coarse = ConformalRadii.fit(*study(1, sigma=False))
    return Calibration(weights, refiner, LevelStatistics.default(), coarse, refined, typicality, "drawn numbers", True)


def test_a_calibration_survives_its_file_exactly(tmp_path):
    typicality = Typicality.fit(gaussian(0, 60), gaussian(1, 20, turn=-1), np.full(9, 20.0), np.full(9, 0.7))
    written = made("a" * 64, "b" * 64, typicality)
    path = tmp_path / "x.calibration.json"
    written.save(path)
    found = Calibration.load(path, "a" * 64, "b" * 64)
    assert found.levels == written.levels
    assert (found.coarse, found.refined) == (written.coarse, written.refined)
    assert found.typicality.to_dict() == typicality.to_dict()
    assert found.radii(True) == written.refined
    assert found.radii(False) == written.coarse
    assert found.created
    assert "Research use only" in json.loads(path.read_text())["notice"]
    found.save(path)
    assert Calibration.load(path, "a" * 64).to_dict() == found.to_dict()


def test_other_weights_and_another_refinement_are_refused(tmp_path):
    path = tmp_path / "x.calibration.json"
    made("a" * 64, "b" * 64).save(path)
    with pytest.raises(ModelError, match=r"x\.calibration\.json.*other weights.*vertenet calibrate"):
        Calibration.load(path, "c" * 64, "b" * 64)
    with pytest.raises(ModelError, match="another refinement"):
        Calibration.load(path, "a" * 64, "d" * 64)
    assert Calibration.load(path, "a" * 64).refiner_sha256 == "b" * 64


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "vertenet-calibration/2"}'])
def test_what_is_no_calibration_is_said_so(tmp_path, text):
    path = tmp_path / "x.calibration.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"x\.calibration\.json"):
        Calibration.load(path, "a" * 64)


@pytest.mark.parametrize("part", ["levels", "radii", "typicality", "data", "weights_sha256"])
def test_a_part_that_is_missing_is_refused(part):
    data = made("a" * 64).to_dict()
    del data[part]
    with pytest.raises(ModelError):
        Calibration.from_dict(data)


@pytest.fixture
def weights(tmp_path):
    """A copy of the starter weights with nothing beside them but their card."""
    source = find_weights("vertenet-lite")
    for path in (source, source.with_suffix(".json")):
        shutil.copy(path, tmp_path / path.name)
    return tmp_path / source.name


def test_without_a_calibration_nothing_is_refused_and_the_reading_says_so(weights):
    reading = Predictor(weights)(read(SAMPLES / "01-clean-horizon.png"))
    assert reading.quality is None
    assert reading.radius_scale == {}
    assert all(corner.radius is None for _, corner in reading.spine.named_points())
    assert any("not calibrated" in warning for warning in reading.warnings)


def test_a_calibration_beside_the_weights_is_used_and_can_be_passed_over(weights):
    made(Predictor(weights).card.sha256).save(calibration_of(weights))
    image = read(SAMPLES / "01-clean-horizon.png")
    reading = Predictor(weights)(image)
    assert all(corner.radius > 0 for _, corner in reading.spine.named_points() if corner.is_present)
    assert reading.radius_scale["90"] == 1.0
    assert not any("not calibrated" in warning for warning in reading.warnings)
    bare = Predictor(weights, calibrated=False)(image)
    assert bare.radius_scale == {}
    np.testing.assert_array_equal(bare.spine.to_array(), reading.spine.to_array())


def test_a_calibration_of_other_weights_stops_the_predictor(weights):
    made("a" * 64).save(calibration_of(weights))
    with pytest.raises(ModelError, match="other weights"):
        Predictor(weights)
    Predictor(weights, calibrated=False)


def test_what_was_asked_for_and_is_not_there_is_said_so(weights):
    with pytest.raises(ModelError, match=r"calibration\.json: there is no such file"):
        Predictor(weights, calibrated=True)
    with pytest.raises(ModelError, match=r"refiner\.safetensors: there is no such file"):
        Predictor(weights, refine=True)


@pytest.mark.parametrize("text", ["{", "[" * 200_000, "[1]"])
def test_16_a_file_that_is_no_calibration_is_refused_in_a_sentence(tmp_path, text):
    path = tmp_path / "weights.calibration.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"calibration\.json: the calibration (cannot be read|is not)"):
        Calibration.load(path, "a" * 64)
