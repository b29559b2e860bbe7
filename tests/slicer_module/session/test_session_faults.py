"""Whatever a server answers to whatever a reader does: a sentence, and a session that goes on."""

from __future__ import annotations

import pytest
from VerteNetLib.client import Client
from VerteNetLib.states import Action, Phase

from ..conftest import new_image
from ..fault_server import Fault, FaultServer, problem
from .conftest import wait
from .steps import place_truth

SAID = "This is what the server says of it."
FAULTS = {
    "refused": Fault(drop=True),
    "timeout": Fault(silent_s=3.5),
    "401": problem(401, SAID),
    "403": problem(403, SAID),
    "404": problem(404, SAID),
    "409": problem(409, SAID),
    "413": problem(413, SAID),
    "422": problem(422, SAID),
    "429": problem(429, SAID, **{"Retry-After": "3600"}),
    "500": problem(500, SAID),
    "503": problem(503, SAID),
    "malformed JSON": Fault(200, b'{"id": '),
    "another kind of JSON": Fault(200, b'["a"]'),
    "truncated": Fault(200, b'{"id": "x", "image": "x"}', cut=7),
    "a web page": Fault(200, b"<html></html>"),
}
WRONG_IMAGE = Fault(replace=(b'"rows":', b'"rows":1'))
WRONG_APP = Fault(200, b'{"name": "Radiology", "models": {}}')


def act(session, action: Action) -> None:
    {
        Action.NEXT_IMAGE: lambda: session.next_image("first"),
        Action.AUTO_LANDMARK: session.auto_landmark,
        Action.SUBMIT: session.submit,
        Action.SKIP: lambda: session.skip("metal"),
        Action.UPLOAD: lambda: session.upload(True),
        Action.TRAIN: lambda: session.train({}),
        Action.ROLL_BACK: lambda: session.roll_back("v0000"),
    }[action]()


#: Action to the path of its request.
ACTIONS = {
    Action.NEXT_IMAGE: "/activelearning",
    Action.AUTO_LANDMARK: "/infer",
    Action.SUBMIT: "/datastore/label",
    Action.SKIP: "/activelearning/skip",
    Action.UPLOAD: "/datastore/image",
    Action.TRAIN: "/train",
    Action.ROLL_BACK: "/models/rollback",
}


@pytest.fixture(scope="module")
def door(server):
    with FaultServer(server.url) as made:
        yield made


@pytest.fixture
def ready(open_session, server, door, stage, studies, settings):
    """A session that stands before the action, with an image and its landmarks on the screen."""

    def make(action: Action):
        door.fault = None
        session = open_session(
            lambda connection: Client(connection, haste=10.0 if action is Action.NEXT_IMAGE else 1.0)
        )
        session.reader = "nobody"
        session.connect(door.url)
        wait(session)
        if action is Action.UPLOAD:
            session.use_volume(stage.load(studies / "lateral.png", "lateral").volume_id)
            return session
        new_image(server)
        if action is not Action.NEXT_IMAGE:
            session.next_image("first")
            wait(session)
        if action is Action.SUBMIT:
            place_truth(session)
        return session

    return make


@pytest.mark.parametrize("action", ACTIONS)
def test_every_fault_of_every_request_ends_in_a_sentence_and_a_usable_session(ready, door, action):
    session = ready(action)
    door.only = ACTIONS[action]
    faults = dict(FAULTS, **({"wrong image": WRONG_IMAGE} if action is Action.AUTO_LANDMARK else {}))
    if action is not Action.NEXT_IMAGE:
        del faults["timeout"]  # all requests time out alike, and it takes its time
    if action in (Action.TRAIN, Action.ROLL_BACK, Action.SKIP):
        # What is answered besides the status does not matter to these.
        del faults["another kind of JSON"]
    before = session.situation.phase
    for name, fault in faults.items():
        door.fault = fault
        assert session.allows(action), f"before {name}: {session.message}"
        session.jobs.wait(5)
        if action is Action.SUBMIT:
            session.notes = name  # the same work again would be no other label
        act(session, action)
        session.jobs.wait(30, until=lambda: not session.jobs.busy)
        message = session.message
        assert message.kind == "error", f"{name}: {message}"
        assert message.text.endswith("."), f"{name}: {message}"
        assert "This should not have happened" not in message.text, f"{name}: {message}"
        if SAID.encode() in fault.body:
            assert SAID[:-1] in message.text
        assert session.situation.phase is before
        door.fault = None
        session.jobs.wait(20, until=lambda: session.situation.online and session.jobs.idle)
    if action is Action.TRAIN:
        return  # a training that really begins is another test's
    act(session, action)
    wait(session)
    assert session.unsent == 0


@pytest.mark.parametrize("name", [*FAULTS, "wrong app"])
def test_a_connection_that_fails_says_why_and_can_be_tried_again(open_session, door, name):
    session = open_session(lambda connection: Client(connection, haste=15.0))
    door.only, door.fault = "", FAULTS.get(name, WRONG_APP)
    session.connect(door.url, "token")
    session.jobs.wait(30)
    assert session.message.kind == "error"
    assert session.message.text.endswith(".")
    assert not session.situation.online
    assert session.settings.get("server/token") == ""
    door.fault = None
    session = open_session()
    session.connect(door.url)
    wait(session)
    assert session.situation.online


@pytest.mark.parametrize("url", ["", "http://", "http://10.0.0.1", "ftp://x"])
def test_an_address_that_is_none_says_so(session, url):
    session.connect(url, "token")
    assert session.message.kind == "error"
    assert session.situation.phase is Phase.NO_IMAGE
