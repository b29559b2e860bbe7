"""A reader's place without Qt: real MRML, and a session."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..mrml_scene import MrmlScene

from VerteNetLib.client import Client  # isort: skip (mrml_scene puts the module on the path)
from VerteNetLib.connection import Connection  # isort: skip
from VerteNetLib.jobs import Jobs  # isort: skip
from VerteNetLib.local_server import PROGRAM_KEY  # isort: skip
from VerteNetLib.session import Session  # isort: skip

#: Seconds are long in a test.
HASTE = 20.0


class Remembered(dict):
    """Settings for the length of a test."""

    def set(self, key: str, value: str) -> None:
        self[key] = value

    def get(self, key: str, default: str = "") -> str:
        return super().get(key, default)


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


def wait(session: Session, timeout_s: float = 60.0) -> None:
    """Until nothing is under way; a failure is one of the test."""
    session.jobs.wait(timeout_s)
    assert session.message is None or session.message.kind != "error", session.message
