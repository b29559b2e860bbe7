"""The server dies while a label is on its way: nothing is lost, and the label is there exactly once."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest
from VerteNetLib.jobs import Jobs
from VerteNetLib.session import Session

from tests.e2e.conftest import our_server

from ..fault_server import Fault, FaultServer
from .conftest import HASTE, new_image, wait


class Mortal:
    """A server over one folder that can be killed and started again, behind a door that stays where it is."""

    def __init__(self, studies, environment, door: FaultServer) -> None:
        self.studies, self._environment, self._door = studies, environment, door
        self.dead = threading.Event()

    def live(self) -> None:
        self._running = our_server(self.studies, self._environment).__enter__()
        self._door.target = urlsplit(self._running.url)

    def die(self) -> None:
        """SIGKILL to the server and all processes that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._running.process.pid, signal.SIGKILL)
        self._running.process.wait()
        self._running.stop()
        self.dead.set()

    def revisions_of(self, image_id: str) -> list[dict]:
        query = {"image": image_id}
        answer = httpx.get(f"{self._running.url}/datastore/label/history", params=query, trust_env=False)
        return answer.raise_for_status().json()["revisions"]


@pytest.fixture
def door() -> Iterator[FaultServer]:
    with FaultServer("http://127.0.0.1:9") as made:
        yield made


@pytest.fixture
def mortal(door, studies, server_environment, tmp_path) -> Iterator[Mortal]:
    made = Mortal(shutil.copytree(studies, tmp_path / "mortal"), server_environment, door)
    made.live()
    yield made
    made.die()


@pytest.fixture
def second_window(session, stage, settings) -> Iterator[Session]:
    """Another instance of the module that shares the folder of the first."""
    made = Session(stage, settings, Jobs(), session.folder, haste=HASTE)
    yield made
    made.close()


def test_a_label_survives_the_death_of_the_server_and_arrives_once(session, second_window, mortal, door):
    sessions = session, second_window
    for each in sessions:
        each.connect(door.url)
        wait(each)
    new_image(mortal)
    session.next_image("first")
    wait(session)
    session.auto_landmark()
    wait(session)
    image_id = session.sample.image_id

    # The first window's label is on the server's disk, and the answer is not on its way yet; half of the same label has
    # come from the second window, whose user pressed "send". Then the server is killed.
    kept, halfway = threading.Event(), threading.Event()

    def die_when_both_are_there() -> None:
        kept.set()
        assert halfway.wait(30)
        mortal.die()

    def wait_for_the_end() -> None:
        halfway.set()
        assert mortal.dead.wait(30)

    door.only = "/datastore/label"
    door.next = [
        Fault(drop=True, after=True, meanwhile=die_when_both_are_there),
        Fault(drop=True, half=True, meanwhile=wait_for_the_end),
    ]
    session.submit()
    assert kept.wait(30)
    second_window.send_unsent()
    for each in sessions:
        each.jobs.wait(30, until=lambda jobs=each.jobs: not jobs.busy)
        assert each.message.kind == "error"
        assert "kept on this computer" in each.message.text
        assert (each.unsent, each.situation.online) == (1, False)
    assert len(session.drafts()) == 1

    mortal.live()
    for each in sessions:
        each.jobs.wait(30, until=lambda here=each: here.situation.online and here.unsent == 0 and here.jobs.idle)
    assert len(mortal.revisions_of(image_id)) == 1
    assert session.drafts() == []
    assert list((session.folder / "outbox").glob("*.json")) == []
