from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from vertenet import phantom
from vertenet.inference import Predictor
from vertenet.server.active.scores import ScoreTable
from vertenet.server.active.scoring import ActiveScoring
from vertenet.server.state import DATABASE, state_folder
from vertenet.server.store import RadiographStore

#: id: (seed, scanner, difficulty)
SCANS = {
    "hologic": (0, "hologic-4500a", "easy"),
    "1.2.840.113619.2": (1, "ge-prodigy-de", "hard"),
    "old.scan": (2, "hologic-horizon", "easy"),
}


@pytest.fixture(scope="session")
def predictor():
    return Predictor()


@pytest.fixture(scope="session")
def scans(tmp_path_factory):
    """Three phantoms, one picture of noise, and a file that is no image."""
    folder = tmp_path_factory.mktemp("scans")
    for name, (seed, scanner, difficulty) in SCANS.items():
        phantom.write(phantom.generate(seed, scanner=scanner, difficulty=difficulty), folder, format="png", name=name)
    noise = np.random.default_rng(0).integers(0, 255, (600, 300), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    (folder / "broken.png").write_bytes(b"not an image")
    for truth in [path for path in folder.iterdir() if path.suffix != ".png"]:
        truth.unlink()
    return folder


@pytest.fixture(scope="session")
def scored(scans, predictor, tmp_path_factory):
    """The same folder after a scoring run, and what the run answered."""
    folder = shutil.copytree(scans, tmp_path_factory.mktemp("scored") / "studies")
    store = RadiographStore(str(folder))
    return folder, ActiveScoring(ScoreTable(state_folder(folder) / DATABASE), lambda: predictor)({}, store)


@pytest.fixture
def store(scored, tmp_path):
    """A copy of the scored folder, files with their times."""
    return RadiographStore(str(shutil.copytree(scored[0], tmp_path / "studies")))


@pytest.fixture
def database(store, tmp_path):
    return state_folder(tmp_path / "studies") / DATABASE


@pytest.fixture
def scores(database):
    return ScoreTable(database)
