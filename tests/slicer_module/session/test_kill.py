"""Whoever dies, and whoever comes after: no label is lost, doubled, or given to another folder of images."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from VerteNetLib.jobs import Jobs
from VerteNetLib.session import Session
from VerteNetLib.states import Action

from ..conftest import new_image
from ..fault_server import Fault, FaultServer
from ..mrml_scene import REPOSITORY
from .conftest import HASTE, wait
from .steps import place_truth

MODULE = REPOSITORY / "slicer_module" / "VerteNet"


class Mortal:
    """A server over one folder that can be killed and started again, behind a door that stays where it is.

    Each life is that of a local server of another process, which stands for Slicer.
    """

    def __init__(self, studies: Path, environment: Mapping[str, str], door: FaultServer) -> None:
        self.studies, self._environment, self._door = studies, {**os.environ, **environment}, door
        self.url = ""

    def live(self) -> None:
        self.dead = threading.Event()
        command = [sys.executable, Path(__file__).with_name("stand_in.py"), MODULE, self.studies]
        self.slicer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self._environment)
        self.url, process_id = self.slicer.stdout.readline().split()
        self.process = psutil.Process(int(process_id))
        self._door.target = urlsplit(self.url)

    def die(self) -> None:
        """SIGKILL to the server and all processes that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.lose_slicer()
        self.dead.set()

    def lose_slicer(self) -> None:
        """SIGKILL to the process that started the server."""
        self.slicer.kill()
        self.slicer.wait()
        self.slicer.stdout.close()

    def revisions_of(self, image_id: str) -> list[dict]:
        query = {"image": image_id}
        answer = httpx.get(f"{self.url}/datastore/label/history", params=query, trust_env=False)
        return answer.raise_for_status().json()["revisions"]


@pytest.fixture(scope="module")
def door() -> Iterator[FaultServer]:
    with FaultServer("http://127.0.0.1:9") as made:
        yield made


@pytest.fixture(scope="module")
def mortal(door, studies, server_environment, tmp_path_factory) -> Iterator[Mortal]:
    folder = tmp_path_factory.mktemp("mortal") / "studies"
    made = Mortal(shutil.copytree(studies, folder), server_environment, door)
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
    place_truth(session)
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


def test_another_folder_at_the_same_address_gets_no_label_of_this_one(session, mortal, server, door):
    door.target = urlsplit(mortal.url)
    session.connect(door.url)
    wait(session)
    image_id = new_image(mortal)
    shutil.copyfile(mortal.studies / f"{image_id}.png", server.studies / f"{image_id}.png")
    session.next_image("first")
    wait(session)
    image_id = session.sample.image_id
    place_truth(session)

    door.target = urlsplit(server.url)
    session.submit()
    session.jobs.wait(30, until=lambda: not session.jobs.busy)
    assert session.message.kind == "error"
    assert "kept on this computer" in session.message.text
    assert (session.unsent, session.connection, session.situation.online) == (1, None, False)
    session.connect(door.url)
    wait(session)
    assert session.unsent == 0, "nothing waits for this one"
    assert not session.allows(Action.SUBMIT), "the image on the screen is not of this one"
    assert [path.stem for path in (session.folder / "outbox").glob("*.json")] != []

    door.target = urlsplit(mortal.url)
    session.next_image("first")
    session.jobs.wait(30, until=lambda: not session.jobs.busy)
    assert "Another folder of images" in session.message.text
    session.connect(door.url)
    session.jobs.wait(30)
    assert len(mortal.revisions_of(image_id)) == 1
    assert list((session.folder / "outbox").glob("*.json")) == []


def test_a_server_of_this_computer_ends_with_the_process_that_started_it(mortal):
    assert mortal.process.is_running()
    mortal.lose_slicer()
    mortal.process.wait(60)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{mortal.url}/info/", trust_env=False)
