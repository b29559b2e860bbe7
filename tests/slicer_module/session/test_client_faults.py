"""Every way in which a request fails ends in a `ServerError` of its kind, with a sentence."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
import time
from email.utils import formatdate

import pytest
from VerteNetLib.client import Client
from VerteNetLib.connection import Connection
from VerteNetLib.failures import FailureKind, ServerError

from tests.e2e.certificates import make_certificate

from ..fault_server import Fault, FaultServer, problem

HTML = Fault(200, b"<html>Welcome to nginx!</html>", {"Content-Type": "text/html"})
SAID = "This is what the server says of it."

#: What every request may meet: name to (fault, kind, words of the sentence).
FAULTS = {
    "unauthorized": (problem(401, SAID), FailureKind.UNAUTHORIZED, SAID[:-1]),
    "unauthorized without a word": (Fault(401), FailureKind.UNAUTHORIZED, "valid token"),
    "forbidden": (problem(403, SAID), FailureKind.FORBIDDEN, SAID[:-1]),
    "not there": (problem(404, SAID), FailureKind.NOT_FOUND, SAID[:-1]),
    "unknown path": (problem(404, "Not Found"), FailureKind.OLD_VERSION, "does not know the request"),
    "unknown method": (Fault(405), FailureKind.OLD_VERSION, "does not know the request"),
    "conflict": (problem(409, SAID), FailureKind.CONFLICT, SAID[:-1]),
    "too large": (Fault(413), FailureKind.TOO_LARGE, "too large"),
    "rejected": (problem(422, SAID), FailureKind.REJECTED, SAID[:-1]),
    "validation": (
        Fault(422, b'{"detail": [{"loc": ["query"], "msg": "field required"}]}'),
        FailureKind.REJECTED,
        "field required",
    ),
    "busy": (problem(429, SAID, **{"Retry-After": "7"}), FailureKind.BUSY, "again in 7 s"),
    "no weights": (problem(503, SAID), FailureKind.BUSY, SAID[:-1]),
    "fault": (problem(500, SAID), FailureKind.SERVER_FAULT, SAID[:-1]),
    "fault of a proxy": (Fault(502, b"<html>"), FailureKind.SERVER_FAULT, "status 502"),
    "no JSON": (HTML, FailureKind.MALFORMED, "not JSON"),
    "cut JSON": (Fault(200, b'{"models": {'), FailureKind.MALFORMED, "not JSON"),
    "cut answer": (Fault(200, b'{"models": {}}', cut=5), FailureKind.MALFORMED, "before it was complete"),
    "no answer": (Fault(drop=True), FailureKind.REFUSED, "cannot be reached"),
    "silence": (Fault(silent_s=1.5), FailureKind.TIMEOUT, "in time"),
    "elsewhere": (Fault(307, headers={"Location": "http://evil.example/"}), FailureKind.WRONG_APP, "evil.example"),
}
REQUESTS = {
    "info": lambda client, _folder: client.info(),
    "next": lambda client, _folder: client.next_sample("first"),
    "fetch": lambda client, folder: client.fetch_image("x", folder),
    "train": lambda client, _folder: client.start_training({}),
    "versions": lambda client, _folder: client.versions(),
}


@pytest.fixture(scope="module")
def door():
    with FaultServer() as made:
        yield made


@pytest.fixture
def hasty(door):
    """Waits for 0.3 s at most."""
    return Client(Connection(door.url, "token"), haste=100.0)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("request_name", ["next", "train", "fetch"])
def test_each_fault_has_its_kind_and_its_sentence(door, hasty, tmp_path, fault, request_name):
    door.fault, kind, words = FAULTS[fault]
    if request_name == "fetch" and door.fault.status == 200 and door.fault.body:
        words = "which kind of image"
    with pytest.raises(ServerError) as caught:
        REQUESTS[request_name](hasty, tmp_path)
    assert caught.value.kind is kind
    assert words in caught.value.sentence
    assert caught.value.sentence.endswith(".")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Fault(404, b"nothing here"), FailureKind.WRONG_APP),
        (Fault(200, b"[]"), FailureKind.WRONG_APP),
        (Fault(200, b'{"name": "Radiology", "models": {"deepedit": {}}}'), FailureKind.WRONG_APP),
        (Fault(200, b'{"name": "VerteNet", "models": {"vertenet": {}}}'), FailureKind.OLD_VERSION),
        (HTML, FailureKind.MALFORMED),
    ],
)
def test_a_server_of_something_else_is_told_from_ours(door, hasty, answer, kind):
    door.fault = answer
    with pytest.raises(ServerError) as caught:
        hasty.info()
    assert caught.value.kind is kind


def test_an_answer_of_another_shape_is_malformed_not_a_crash(door, hasty):
    door.fault = Fault(200, b'{"models": {"vertenet": {"landmarks": []}}, "datastore": {"total": "many"}}')
    with pytest.raises(ServerError) as caught:
        hasty.training() and hasty.info()
    assert caught.value.kind is FailureKind.MALFORMED
    door.fault = Fault(200, b'{"models": {"vertenet": 3}}')
    with pytest.raises(ServerError):
        hasty.info()


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ServerError) as caught:
        Client(Connection(f"http://127.0.0.1:{port}")).info()
    assert caught.value.kind is FailureKind.REFUSED
    assert "Check the address" in caught.value.sentence


def test_the_time_to_wait_may_be_a_date(door, hasty):
    door.fault = problem(429, SAID, **{"Retry-After": formatdate(time.time() + 30, usegmt=True)})
    with pytest.raises(ServerError) as caught:
        hasty.start_training({})
    assert 25 < caught.value.retry_after_s <= 30
    door.fault = problem(429, SAID, **{"Retry-After": "soon"})
    with pytest.raises(ServerError) as caught:
        hasty.start_training({})
    assert caught.value.retry_after_s is None


def test_a_redirect_carries_the_token_nowhere(door, hasty):
    with FaultServer() as elsewhere:
        elsewhere.fault = Fault(200, b"{}")
        for status in (301, 302, 303, 307, 308):
            door.fault = Fault(status, headers={"Location": f"{elsewhere.url}/info/"})
            with pytest.raises(ServerError):
                hasty.info()
        assert elsewhere.seen == []


@pytest.fixture
def tls_server(tmp_path):
    """An HTTPS server whose certificate nobody knows."""
    certificate = make_certificate(tmp_path)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(401)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}", str(certificate.file)
    server.shutdown()
    server.server_close()


def test_a_certificate_is_accepted_only_from_whom_the_user_trusts(tls_server):
    url, own = tls_server
    with pytest.raises(ServerError) as caught:
        Client(Connection(url, "token")).info()
    assert caught.value.kind is FailureKind.TLS
    with pytest.raises(ServerError) as caught:
        Client(Connection(url, "token", own)).info()
    assert caught.value.kind is FailureKind.UNAUTHORIZED
