"""From a DXA image to a better model, as a reader lives it: real MRML, a real server, nothing of ours replaced.

What is not here is Slicer's application: the panels have tests of their own under a shimmed Qt, and so has what they
show of a round of training, at the end of this file. The walk through the real application is
``Testing/Python/VerteNetSelfTest.py``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.e2e.conftest import APP, our_server
from vertenet import phantom
from vertenet.annotation import markups
from vertenet.imaging import read
from vertenet.measure import detect_crop, intervertebral_guides
from vertenet.measure.aac import CELLS, Wall
from vertenet.reading import Reading
from vertenet.spine import CORNERS, STANDARD_LEVELS, Level

from . import qt_shim
from .mrml_scene import MrmlScene
from .widgets.conftest import answer, open_module

from VerteNetLib.jobs import Jobs  # isort: skip (mrml_scene puts the module on the path)
from VerteNetLib.session import Session  # isort: skip
from VerteNetLib.states import Action, Phase  # isort: skip

from VerteNetSelfTest import walk

#: id on the server: (seed, scanner). Both patients are on the side of the frozen split that trains.
IMAGES = {"1.2.840.1": (1, "hologic-horizon"), "1.2.840.3": (3, "ge-prodigy-de")}
#: A training that really changes the weights, and hardly: the gate has to find the model no worse. The statistics of
#: the encoder's norms would follow two images, however small the learning rate.
TRAINING = {"steps": 2, "batch": 2, "minutes": 5, "device": "cpu", "learning_rate": 1e-6, "freeze": "encoder"}
#: Phantoms that judge: of two, one landmark on the line between near and far would decide.
JUDGES = 8
PATIENCE_S = 240
DRAGGED, DISC, FAR_DISC = "L2-SA", "L1/L2", "L4/L5"
GRADES = (0, 1, 2, 3, 1, 0, 2, 1)


class Remembered(dict):
    """Settings for the length of a test."""

    def set(self, key: str, value: str) -> None:
        self[key] = value

    def get(self, key: str, default: str = "") -> str:
        return super().get(key, default)


@dataclass
class Desk:
    """A reader's place: scene, session and what the session said."""

    mrml: MrmlScene
    session: Session
    jobs: Jobs

    def wait(self) -> None:
        """Until nothing is under way; a failure is one of the test."""
        self.jobs.wait(PATIENCE_S, until=lambda: not self.jobs.busy)
        message = self.session.message
        assert message is None or message.kind != "error", message


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator:
    """`vertenet serve` on a copy of the app, with its own starter weights and two DXA images as DICOM."""
    folder = tmp_path_factory.mktemp("end-to-end")
    app = shutil.copytree(APP, folder / "app", ignore=shutil.ignore_patterns("__pycache__", "logs"))
    for name, (seed, scanner) in IMAGES.items():
        drawn = phantom.generate(seed, scanner=scanner, difficulty="easy", crop=None)
        phantom.write(drawn, folder / "studies", format="dicom", name=name)
    environment = {"MONAI_LABEL_SESSION_PATH": str(folder / "sessions"), "OMP_WAIT_POLICY": "PASSIVE"}
    running = our_server(folder / "studies", environment, app)
    running.command += ["--conf", "replay=2", "--conf", f"replay_judging={JUDGES}"]
    with running:
        running.studies = folder / "studies"
        yield running


@pytest.fixture
def desk(tmp_path) -> Iterator[Desk]:
    with MrmlScene() as mrml:
        jobs, stage = Jobs(), mrml.stage()
        session = Session(stage, Remembered(), jobs, tmp_path / "reader")
        yield Desk(mrml, session, jobs)
        session.close()
        stage.close()


def test_from_a_dxa_image_to_a_new_version_of_the_model(server, desk, tmp_path):
    session, stage = desk.session, desk.session.stage
    session.reader = "anna"
    session.connect(server.url)
    desk.wait()
    assert session.situation.online
    assert session.statistics.left == len(IMAGES)

    first = load_next(desk)
    path = server.studies / f"{first}.dcm"
    original = read(path)
    assert (stage.image.rows, stage.image.columns) == original.pixels.shape
    assert stage.image.spacing == original.spacing

    session.auto_landmark()
    desk.wait()
    assert session.situation.phase is Phase.EDITING
    proposed = stage.landmarks.spine()
    assert session.proposal.model_version == "v0000"
    assert [vertebra.level for vertebra in proposed] == list(STANDARD_LEVELS)
    assert sum(vertebra[corner].is_present for vertebra in proposed for corner in CORNERS) == 24
    assert_same_points(proposed, session.proposal.reading.spine)

    moved = drag(desk, DRAGGED, (9, -7))
    spine = stage.landmarks.spine()
    assert_only_moved(proposed, spine, DRAGGED, moved)
    assert_overlays_follow(stage, proposed, spine)

    session.confirm_levels()  # No grade is taken before the names are sure, or somebody says so.
    for (level, wall), grade in zip(CELLS, GRADES):
        assert session.set_score(level, wall, grade)
    session.notes = "a reader's note"
    assert session.aac.total == sum(GRADES)

    session.submit()
    desk.wait()
    assert_label_on_server(server, first, path, spine, moved)

    second = load_next(desk)
    assert second != first
    assert session.statistics.labelled == 1
    assert session.statistics.left == len(IMAGES) - 1
    assert session.aac.is_empty
    assert session.situation.phase is Phase.IMAGE
    assert_nothing_is_drawn(desk, tmp_path / "view.png")

    assert session.allows(Action.TRAIN)
    session.train(TRAINING)
    desk.jobs.wait(PATIENCE_S, until=lambda: (t := session.training) and not t.is_running and t.published is not None)
    assert session.training.published, session.training.message
    assert session.training.version == "v0001"
    desk.jobs.wait(PATIENCE_S, until=lambda: "v0001" in [version.name for version in session.versions])
    served = next(version for version in session.versions if version.served)
    assert served.name == "v0001"
    assert "Passed" in served.verdict

    session.auto_landmark()
    desk.wait()
    assert session.proposal.model_version == "v0001"
    assert session.proposal.reading.model.sha256 == served.sha256
    assert session.reading().model.sha256 == served.sha256
    assert len([name for name, corner in stage.landmarks.spine().named_points() if corner.is_present]) >= 24


def test_the_steps_of_the_self_test_for_the_application_go_well_here(server, desk):
    said: list[str] = []
    desk.session.reader = "anna"
    desk.session.connect(server.url)
    desk.wait()
    walk(desk.session, desk.wait, said.append, submit=True)
    assert said[-1] == "the label is on the server"


def test_a_round_is_watched_and_stopped_and_a_version_served_again_by_the_buttons(server, tmp_path):
    """On the server of the tests above, whose round has published v0001."""
    with MrmlScene() as mrml, qt_shim.installed(mrml.scene, tmp_path) as shim:
        place = open_module(shim, mrml)
        session, ui, wait = place.session, place.panel.training.ui, place.module.jobs.wait
        place.panel.connection.ui.urlEdit.text = server.url
        place.press(place.panel.connection.ui.connectButton)
        place.settle(until=lambda: session.versions and session.training)
        assert "The gate passed it: version v0001 is served now." in ui.trainingLabel.text
        assert listed(ui) == {"v0000", "v0001 (served)"}

        ui.versionsTable.setCurrentCell(row_of(ui, "v0000"), 0)
        answer("Cancel")
        place.press(ui.rollBackButton)
        assert listed(ui) == {"v0000", "v0001 (served)"}
        answer("Serve v0000")
        place.press(ui.rollBackButton)
        wait()
        place.settle()
        assert listed(ui) == {"v0000 (served)", "v0001"}
        assert "v0000" in place.panel.ui.identityLabel.text

        ui.minutesSpin.value = 1
        place.press(ui.trainButton)
        assert "The training has begun" in place.message[1]
        place.settle(until=lambda: session.training.phase)
        assert session.training.is_running
        assert ui.trainingBar.isVisibleTo(place.panel.training.root)
        assert ui.trainingLabel.text.startswith("Training: ")
        assert not ui.trainButton.enabled
        assert "Wait until the training has ended" in ui.rollBackButton.toolTip
        place.press(ui.stopTrainingButton)
        place.settle(until=lambda: not session.training.is_running)
        wait()
        place.settle()
        assert "Training was stopped." in ui.trainingLabel.text
        assert ui.trainButton.enabled
        assert listed(ui) == {"v0000 (served)", "v0001"}
        place.module.exit()
        place.module.cleanup()
        assert shim.errors == []


def listed(ui) -> set[str]:
    """The versions that the panel shows."""
    return {ui.versionsTable.item(row, 0).text() for row in range(ui.versionsTable.rowCount)}


def row_of(ui, version: str) -> int:
    return next(
        row for row in range(ui.versionsTable.rowCount) if ui.versionsTable.item(row, 0).text().startswith(version)
    )


def load_next(desk: Desk) -> str:
    desk.session.next_image()
    desk.wait()
    assert desk.session.situation.phase is Phase.IMAGE
    return desk.session.sample.image_id


def drag(desk: Desk, name: str, by: tuple[int, int]) -> np.ndarray:
    """Drag a point with the mouse, ``by`` in view pixels; where it was dropped, in source pixels.

    The guide beside it must have followed before the button was released.
    """
    stage, mrml = desk.session.stage, desk.mrml
    level, corner = name.split("-")
    mrml.render()
    start = mrml.to_display(to_ras(stage, stage.landmarks.spine()[level][corner].xy))
    end = (start[0] + by[0], start[1] + by[1])
    seen: list[np.ndarray] = []
    stop = stage.overlays.subscribe(lambda: seen.append(stage.overlays.guides()[DISC].anterior))
    mrml.drag(start, end, steps=4)
    stop()
    assert len({tuple(np.round(end, 6)) for end in seen}) >= 3, "the guide did not follow the mouse"
    return to_pixels(stage, mrml.to_ras(*end)) - to_pixels(stage, mrml.to_ras(*start)) + 0.0


def to_ras(stage, xy: np.ndarray) -> np.ndarray:
    return stage.image.geometry.to_lps(xy)[0] * (-1, -1, 1)


def to_pixels(stage, ras) -> np.ndarray:
    return stage.image.geometry.to_pixels(np.multiply(ras, (-1, -1, 1)))[0]


def assert_same_points(spine, other) -> None:
    for (name, corner), (other_name, expected) in zip(spine.named_points(), other.named_points()):
        assert name == other_name
        assert corner.status == expected.status
        np.testing.assert_allclose(corner.xy, expected.xy, atol=0.01)


def assert_only_moved(before, after, name: str, by: np.ndarray) -> None:
    was, now = dict(before.named_points()), dict(after.named_points())
    assert was.keys() == now.keys()
    assert {point for point in was if np.abs(was[point].xy - now[point].xy).max() > 1e-6} == {name}
    # A mouse knows whole pixels of the view; the point was not grabbed in its very centre.
    np.testing.assert_allclose(now[name].xy - was[name].xy, by, atol=1.0)
    assert now[name].confidence is None, "a person placed it, so the model's confidence does not hold"


def assert_overlays_follow(stage, before, after) -> None:
    guides, fresh = stage.overlays.guides(), intervertebral_guides(after)
    np.testing.assert_allclose(guides[DISC].anterior, fresh[DISC].anterior)
    was = intervertebral_guides(before)
    assert np.abs(guides[DISC].anterior - was[DISC].anterior).max() > 1
    np.testing.assert_allclose(guides[FAR_DISC].anterior, was[FAR_DISC].anterior)
    crop = detect_crop(stage.radiograph(), after).to_dict()
    assert stage.overlays.crop().to_dict() == crop
    assert crop != detect_crop(stage.radiograph(), before).to_dict()


def assert_nothing_is_drawn(desk: Desk, path: Path) -> None:
    """What belongs to the image before is not over this one: nothing in the view has a colour."""
    desk.mrml.render()
    desk.session.stage.view.capture(path)
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert np.ptp(pixels, axis=2).max() == 0
    assert pixels.max() > 0


def assert_label_on_server(server, image_id: str, path: Path, spine, moved: np.ndarray) -> None:
    """The points to the pixel, what the reader changed, and the reading that belongs to them."""
    label = server.studies / "labels" / "final" / f"{image_id}.mrk.json"
    assert_same_points(markups.loads(label.read_text(), read(path).geometry), spine)
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as http:
        history = http.get("/datastore/label/history", params={"image": image_id}).raise_for_status().json()
        (revision,) = history["revisions"]
        asked = {"image": image_id, "number": revision["number"]}
        reading = http.get("/datastore/label/reading", params=asked).raise_for_status().json()
    assert revision["annotator"] == "anna"
    (change,) = revision["changed"]
    assert (change["point"], change["kind"]) == (DRAGGED, "moved")
    np.testing.assert_allclose((change["dx"], change["dy"]), moved, atol=1.0)
    kept = Reading.from_dict(reading)
    assert (kept.aac.total, kept.reader, kept.notes) == (sum(GRADES), "anna", "a reader's note")
    assert kept.aac.grade(Level.L2, Wall.POSTERIOR) == 3
    assert_same_points(kept.spine, spine)
