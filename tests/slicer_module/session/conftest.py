"""A reader's place without Qt: real MRML, a session, and one real server for all of these tests."""

from __future__ import annotations

import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import our_server
from vertenet import phantom

from ..mrml_scene import MrmlScene

from VerteNetLib.client import Client  # isort: skip (mrml_scene puts the module on the path)
from VerteNetLib.connection import Connection  # isort: skip
from VerteNetLib.jobs import Jobs  # isort: skip
from VerteNetLib.local_server import PROGRAM_KEY  # isort: skip
from VerteNetLib.session import Session  # isort: skip

#: id: (seed, scanner, file format). Dots, as in a SOPInstanceUID, are the rule in clinics.
IMAGES = {
    "1.2.840.1": (1, "hologic-horizon", "dicom"),
    "lateral": (3, "ge-prodigy-de", "png"),
}


#: Seconds are long in a test.
HASTE = 20.0


class Remembered(dict):
    """Settings for the length of a test."""

    def set(self, key: str, value: str) -> None:
        self[key] = value

    def get(self, key: str, default: str = "") -> str:
        return super().get(key, default)


def draw_studies(folder: Path) -> Path:
    for name, (seed, scanner, kind) in IMAGES.items():
        drawn = phantom.generate(seed, scanner=scanner, difficulty="easy", crop=None)
        phantom.write(drawn, folder, format=kind, name=name).with_name(f"{name}.truth.json").unlink()
    return folder


@pytest.fixture(scope="session")
def studies(tmp_path_factory) -> Path:
    """Two drawn images; copy the folder before anything is written into it."""
    return draw_studies(tmp_path_factory.mktemp("drawn") / "studies")


@pytest.fixture(scope="session")
def server_environment(tmp_path_factory) -> dict[str, str]:
    return {"MONAI_LABEL_SESSION_PATH": str(tmp_path_factory.mktemp("sessions")), "OMP_WAIT_POLICY": "PASSIVE"}


@pytest.fixture(scope="session")
def server(tmp_path_factory, studies, server_environment) -> Iterator:
    """`vertenet serve`, shared: a test looks at what it adds."""
    folder = shutil.copytree(studies, tmp_path_factory.mktemp("served") / "studies")
    with our_server(folder, server_environment) as running:
        running.studies = folder
        yield running


@pytest.fixture
def client(server) -> Client:
    return Client(Connection(server.url, annotator="anna"))


@pytest.fixture(scope="module")
def mrml() -> Iterator[MrmlScene]:
    with MrmlScene() as made:
        yield made


@pytest.fixture
def stage(mrml) -> Iterator:
    made = mrml.stage()
    yield made
    made.close()


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def settings() -> Remembered:
    """Those of a reader of this test's own: leases and skips go by name."""
    return Remembered({PROGRAM_KEY: str(Path(sys.executable).with_name("vertenet"))})


@pytest.fixture
def open_session(stage, settings, jobs, tmp_path) -> Iterator:
    """Makes sessions; another one on the same folder is what follows a crash."""
    opened = []

    def make(connect=Client) -> Session:
        opened.append(Session(stage, settings, jobs, tmp_path / "reader", connect, haste=HASTE))
        return opened[-1]

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def session(open_session) -> Session:
    made = open_session()
    made.reader = f"reader-{uuid.uuid4().hex[:8]}"
    return made


def new_image(server) -> str:
    """Another image in the served folder, which nobody has on the desk; its id."""
    image_id = f"image.{uuid.uuid4().hex[:10]}"
    shutil.copyfile(server.studies / "lateral.png", server.studies / f"{image_id}.png")
    return image_id


def wait(session: Session, timeout_s: float = 60.0) -> None:
    """Until nothing is under way; a failure is one of the test."""
    session.jobs.wait(timeout_s)
    assert session.message is None or session.message.kind != "error", session.message
